#!/usr/bin/env python3
"""The catalogue is what scripts/catalogue.py makes of the npm package that the SDK suite uses.

usage: catalogue_test.py BINARY [DIRECTORY]

DIRECTORY takes node's packages, as in sdk_test.py.
"""

import json
import os
import subprocess
import sys
import tempfile

import harness
import node_packages

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SCRIPT = os.path.join(ROOT, "scripts", "catalogue.py")
COMMITTED = os.path.join(ROOT, "src", "stripe", "catalogue.json")

# One object, its stub, a list of it and an event of it, as each layout declares them.
OBJECTS = """
interface Thing {
  id: string;
  object: 'thing';
  /** A comment: string; */
  owner: string | Owner | DeletedOwner | null;
  detail: Thing.Detail | null;
  parts?: ApiList<Part>;
  metadata: Metadata;
}
namespace Thing {
  interface Detail { owners: Array<string | Owner>; colour: Detail.Colour; whole: Owner; }
  namespace Detail { type Colour = 'red' | 'green'; }
}
interface Part { id: string; object: 'part'; thing: string | Thing; }
interface Owner { id: string; object: 'owner'; deleted?: void; }
interface DeletedOwner { id: string; object: 'owner'; deleted: true; }
interface Metadata { [name: string]: string; }
interface PaginationParams { limit?: number; }
interface ThingListParams extends PaginationParams { owner?: string; }
interface ThingCreateParams { owner: string; expand?: Array<string>; }
interface EventBase { id: string; object: 'event'; data: Event.Data; type: string; }
namespace Event { interface Data { object: Data.Object; } namespace Data { interface Object { } } }
type Event = ThingCreatedEvent;
interface ThingCreatedEvent extends EventBase {
  type: 'thing.created';
  data: ThingCreatedEvent.Data;
}
namespace ThingCreatedEvent { interface Data extends Event.Data { object: Thing; } }
"""
METHODS = """
  create(params: ThingCreateParams, options?: RequestOptions): Promise<Response<Thing>>;
  list(params?: ThingListParams, options?: RequestOptions): ApiListPromise<Thing>;
  retrieve(id: string, options?: RequestOptions): Promise<Response<Thing>>;
"""
CODE = """
    create(params, options) {
        return this._makeRequest('POST', '/v1/things', params, options);
    }
    list(params, options) {
        return this._makeRequest('GET', '/v1/things', params, options, {
            methodType: 'list',
        });
    }
    retrieve(id, params, options) {
        return this._makeRequest('GET', `/v1/things/${encodeURIComponent(id)}`, params, options);
    }
"""
OLD_CODE = """
    create: stripeMethod({ method: 'POST', fullPath: '/v1/things' }),
    list: stripeMethod({
        method: 'GET',
        fullPath: '/v1/things',
        methodType: 'list',
    }),
    retrieve: stripeMethod({ method: 'GET', fullPath: '/v1/things/{id}' }),
"""


def run_script(*args):
    return subprocess.run([sys.executable, SCRIPT, *args], capture_output=True, text=True)


def write(directory, files):
    for name, text in files.items():
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def exported(text):
    """Top-level declarations as a module has them."""
    return "".join(f"export {'declare ' if line.startswith('namespace') else ''}{line}\n"
                   if line.split(" ")[0] in ("interface", "namespace", "type") else line + "\n"
                   for line in text.splitlines())


def committed(_):
    """the committed catalogue is what the script makes of the SDK suite's package, byte for byte"""
    where = node_packages.install(DIRECTORY)
    if where is None:
        print("skip: needs node 20, npm and the npm registry")
        return
    done = run_script(os.path.join(where, "node_modules", "stripe"), "--check", COMMITTED)
    assert done.returncode == 0, done.stderr


def layouts(_):
    """the package's newer and older layout give the same rows"""
    version = "export const ApiVersion = '2030-01-01.test';\n"
    with tempfile.TemporaryDirectory() as new, tempfile.TemporaryDirectory() as old:
        write(new, {
            "esm/apiVersion.js": version,
            "esm/shared.d.ts": "",
            "esm/resources/Events.d.ts": exported(OBJECTS),
            "esm/resources/Things.d.ts":
                "import { Thing, ThingListParams, ThingCreateParams } from './Events.js';\n"
                f"export declare class ThingResource extends StripeResource {{{METHODS}}}\n",
            "esm/resources/Things.js": f"export class ThingResource {{{CODE}}}\n"})
        write(old, {
            "esm/apiVersion.js": version,
            "types/Events.d.ts":
                f"declare module 'stripe' {{ namespace Stripe {{ {OBJECTS} }} }}\n",
            "types/ThingsResource.d.ts": "declare module 'stripe' { namespace Stripe { "
                                         f"class ThingsResource {{{METHODS}}} }} }}\n",
            "esm/resources/Things.js": f"export const Things = extend({{{OLD_CODE}}});\n"})
        made = []
        for directory in (new, old):
            done = run_script(directory)
            assert done.returncode == 0, done.stderr
            made.append(json.loads(done.stdout))
        same = run_script(old, "--diff", write_catalogue(new, made[0]))
        assert (same.returncode, same.stdout) == (0, ""), same
        thing = made[0]["objects"]["thing"]
        assert thing["fields"] == ["id", "object", "owner", "detail", "parts", "metadata"], thing
        assert thing["expandable"] == {"owner": ["owner"], "detail.owners[]": ["owner"]}, thing
        assert thing["embedded"] == {"detail.whole": ["owner"]}, thing
        assert thing["lists"] == {"parts": ["part"]}, thing
        assert made[0]["objects"]["owner"]["deletable"] is True
        assert made[0]["events"] == {"thing.created": ["thing"]}, made[0]["events"]
        ends = {(e["verb"], e["path"]): e for e in made[1]["endpoints"]}
        assert ends["POST", "/v1/things"]["params"] == ["owner!", "expand"], ends
        listed = ends["GET", "/v1/things"]
        assert listed["list"] and listed["returns"] == ["thing"], listed
        assert listed["params"] == ["owner", "limit"], listed


def write_catalogue(directory, catalogue):
    write(directory, {"catalogue.json": json.dumps(catalogue)})
    return os.path.join(directory, "catalogue.json")


def told(_):
    """--diff says what another version adds, takes away and changes"""
    with tempfile.TemporaryDirectory() as directory:
        with open(COMMITTED, encoding="utf-8") as f:
            catalogue = json.load(f)
        where = node_packages.install(DIRECTORY)
        if where is None:
            print("skip: needs node 20, npm and the npm registry")
            return
        catalogue["objects"]["relic"] = catalogue["objects"].pop("coupon")
        catalogue["objects"]["customer"]["fields"].append("shoe_size")
        done = run_script(os.path.join(where, "node_modules", "stripe"), "--diff",
                          write_catalogue(directory, catalogue))
        assert done.stdout.splitlines() == [
            "- object relic", "+ object coupon", "  object customer fields: -shoe_size"], done


if __name__ == "__main__":
    DIRECTORY = node_packages.directory_of(sys.argv)
    harness.main([committed, layouts, told])
