#!/usr/bin/env python3
"""Makes src/stripe/catalogue.json from the declarations in the npm package `stripe`.

usage: catalogue.py VERSION | DIRECTORY | FILE.tgz [--out FILE] [--check FILE] [--diff [FILE]]

VERSION is fetched from the npm registry (`npm pack`), DIRECTORY is an unpacked package. Writes the
catalogue to standard output or to --out; --check compares it with a file byte for byte (exit 1 if
it differs); --diff tells in words what is new, gone or changed against a file (the project's,
unless another is named). docs/catalogue.md says what the fields mean and when to do this.

Both layouts of the package are read: declarations beside the code (esm/resources, since 22.0.0),
and one world of them (types/, before).
"""

import argparse
import glob
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from declarations import Alias, Interface, World  # noqa: E402

COMMITTED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src", "stripe",
                         "catalogue.json")
LISTS = ("ApiList", "Stripe.ApiList")


class Package:
    """An unpacked package: its declarations, and what its code requests."""

    def __init__(self, directory):
        self.directory, self.world = directory, World()
        self.one_world = os.path.isdir(os.path.join(directory, "types"))
        if self.one_world:
            top = os.path.join(directory, "types")
            for path in sorted(glob.glob(top + "/**/*.d.ts", recursive=True)):
                if not re.search(r"/(net|crypto|test)/|/(lib|index)\.d\.ts$", path):
                    self.world.read(path, into="types")
        else:
            top = os.path.join(directory, "esm", "resources")
            for path in sorted(glob.glob(top + "/**/*.d.ts", recursive=True)):
                self.world.read(os.path.normpath(path))
            self.world.read(os.path.normpath(os.path.join(directory, "esm", "shared.d.ts")))
        with open(os.path.join(directory, "esm", "apiVersion.js"), encoding="utf-8") as f:
            self.api_version = re.search(r"ApiVersion = '([^']+)'", f.read()).group(1)

    def declared(self):
        """(module, dotted name, declaration) of everything."""
        for _, module in sorted(self.world.modules.items()):
            for name, declaration in module.declared.items():
                yield module, name, declaration

    def place_of(self, interface):
        """The file that declares it: "Issuing/Cards"."""
        top = os.path.join(self.directory, "types" if self.one_world else "esm/resources")
        return os.path.relpath(interface.path, top)[:-len(".d.ts")].replace(os.sep, "/")

    def members(self, module, interface):
        """Own members first, then those of what it extends."""
        all_ = {name: (module, interface.scope, interface, *member)
                for name, member in interface.members.items()}
        for base in interface.extends:
            found = self.world.find(module, interface.scope, base[1])
            if found and isinstance(found[2], Interface):
                for name, member in self.members(found[0], found[2]).items():
                    all_.setdefault(name, member)
        return all_

    def event_union(self):
        """`type Event = AccountUpdatedEvent | …`"""
        path = "types" if self.one_world else os.path.normpath(
            os.path.join(self.directory, "esm", "resources", "Events.d.ts"))
        found = self.world.find(path, (), "Event")
        if found is None or not isinstance(found[2], Alias):
            raise SystemExit(f"{self.directory}: no declaration of the events")
        return found

    def text_of(self, interface, member):
        type_, _ = interface.members.get(member, (("other",), False))
        return type_[1] if type_[0] == "text" else None


class Objects:
    """The objects of the API: interfaces with `object: 'name'`."""

    def __init__(self, package):
        self.package, self.rows = package, {}
        self.names, self.deleted = {}, set()  # (path, dotted) → object name
        for module, dotted, declaration in package.declared():
            if not isinstance(declaration, Interface) or not self.is_object(dotted, declaration):
                continue
            name = package.text_of(declaration, "object")
            last = dotted.rpartition(".")[2]
            if last == "EventBase":
                last = "Event"
            if name is None or name in ("list", "search_result"):
                continue
            if last.startswith("Deleted"):
                self.deleted.add(name)
                self.names[module.path, dotted] = None
            else:
                self.names[module.path, dotted] = name
                self.rows[name] = (module, dotted, declaration)

    @staticmethod
    def is_object(dotted, declaration):
        # A parameter may have `object: 'card'` too, inside the namespace of its call.
        return "Params" not in dotted and "object" in declaration.members

    def target(self, module, scope, name, seen=()):
        """The objects' names that a reference means; [] when it means none; None: a plain type."""
        found = self.package.world.find(module, scope, name)
        if found is None or found[:2] in seen:
            return None
        place = (found[0].path, found[1])
        if place in self.names:
            return [self.names[place]] if self.names[place] else []
        if isinstance(found[2], Interface):  # an event of a certain type is an event
            for base in found[2].extends:
                names = self.target(found[0], found[2].scope, base[1], seen + (found[:2],))
                if names:
                    return names
            return None
        if isinstance(found[2], Alias):
            names = [self.names_in(found[0], scope_of(found[1]), part, seen + (found[:2],))
                     for part in parts_of(found[2].type)]
            if any(n is not None for n in names):
                return [n for some in names for n in some or []]
        return None

    def names_in(self, module, scope, type_, seen=()):
        return self.target(module, scope, type_[1], seen) if type_[0] == "ref" else None


def ordered(name):
    """Names in the order of a dictionary: tax.settings stands behind tax_rate, /v1/a behind /v1."""
    return [PUNCTUATION.get(c, c) for c in name]


PUNCTUATION = {"_": "\1", ".": "\2", "[": "\3", "]": "\4", "{": "\5", "}": "\6", "/": "\7"}


def by_name(item):
    return ordered(item[0])


def scope_of(dotted):
    return tuple(dotted.split(".")[:-1])


def parts_of(type_):
    """What a union consists of, through unions inside."""
    if type_[0] != "union":
        return [type_]
    return [part for member in type_[1] for part in parts_of(member)]


def unique(names):
    return list(dict.fromkeys(names))


class Walk:
    """One object's members: what can be expanded, what is embedded, what is a list."""

    def __init__(self, objects):
        self.objects, self.package = objects, objects.package
        self.expandable, self.embedded, self.lists = {}, {}, {}

    def interface(self, module, interface, prefix, above):
        for name, (where, scope, owner, type_, _) in self.package.members(module,
                                                                         interface).items():
            inner = scope + (owner.name,)
            self.type(where, inner, type_, prefix + name, above)

    def type(self, module, scope, type_, path, above):
        parts = parts_of(type_)
        plain = any(part == ("ref", "string", []) for part in parts)
        names = []
        for part in parts:
            if part[0] == "array":
                self.type(module, scope, part[1], path + "[]", above)
            elif part[0] == "object":
                for name, (inner, _) in part[1].items():
                    self.type(module, scope, inner, f"{path}.{name}", above)
            elif part[0] == "ref" and part[1] in LISTS:
                self.add(self.lists, path, self.elements(module, scope, part[2][0]))
            elif part[0] == "ref":
                targets = self.objects.target(module, scope, part[1])
                if targets is not None:
                    names += targets
                else:
                    self.inside(module, scope, part[1], path, above)
        if names:
            self.add(self.expandable if plain else self.embedded, path, names)

    def elements(self, module, scope, type_):
        return [n for part in parts_of(type_)
                for n in self.objects.names_in(module, scope, part) or []]

    def inside(self, module, scope, name, path, above):
        """A part of the object that is no object itself: its members belong to the object."""
        found = self.package.world.find(module, scope, name)
        if found is None or found[:2] in above:
            return
        if isinstance(found[2], Interface):
            self.interface(found[0], found[2], path + ".", above + (found[:2],))
        else:
            self.type(found[0], scope_of(found[1]), found[2].type, path, above + (found[:2],))

    @staticmethod
    def add(to, path, names):
        if names:
            to[path] = unique(to.get(path, []) + names)


def object_rows(package, objects):
    rows = {}
    for name, (module, dotted, interface) in sorted(objects.rows.items(), key=by_name):
        walk = Walk(objects)
        walk.interface(module, interface, "", ((module, dotted),))
        fields = list(package.members(module, interface))
        row = {"expandable": dict(sorted(walk.expandable.items(), key=by_name)),
               "embedded": dict(sorted(walk.embedded.items(), key=by_name)),
               "lists": dict(sorted(walk.lists.items(), key=by_name)),
               "has_id": "id" in fields, "fields": fields,
               "namespace": package.place_of(interface)}
        if name in objects.deleted:
            row["deletable"] = True
        rows[name] = row
    return rows




# Endpoints

FUNCTION = re.compile(r"^ {4}(\w+)\([^\n]*\) \{\n(.*?)^ {4}\}", re.M | re.S)
REQUEST = re.compile(r"_makeRequest\('(\w+)', (['`])(/v[12]/[^'`]*)\2")
METHOD = re.compile(r"stripeMethod\(\{\s*method: '(\w+)',\s*fullPath: '(/v[12]/[^']+)'(.*?)\}\)",
                    re.S)
BEGIN = re.compile(r"^ {4}(\w+)[:(]", re.M)


def requests_of(source):
    """(method, verb, path, kind) of one file of code."""
    for function in FUNCTION.finditer(source):
        for match in REQUEST.finditer(function.group(2)):
            path = re.sub(r"\$\{(?:encodeURIComponent\()?(\w+)\)?\}", r"{\1}", match.group(3))
            yield function.group(1), match.group(1), path, function.group(2)
    for match in METHOD.finditer(source):
        names = BEGIN.findall(source, 0, match.start())
        yield names[-1], *match.groups()


def endpoint_rows(package, objects):
    rows = []
    for path in sorted(glob.glob(os.path.join(package.directory, "esm/resources/**/*.js"),
                                 recursive=True)):
        with open(path, encoding="utf-8") as f:
            source = f.read()
        classes = classes_beside(package, path)
        for method, verb, url, rest in requests_of(source):
            if url.startswith("/v2/") and "apiBase:" in rest:
                continue  # another host, with sessions instead of keys
            rows.append(endpoint_row(package, objects, classes, method, verb, url, rest))
    return sorted(rows, key=lambda row: (ordered(row["path"]), row["verb"]))


def classes_beside(package, path):
    """The resource class that declares the methods of a file of code: (module, scope, class)."""
    module = package.world.modules.get(os.path.normpath(path[:-len(".js")] + ".d.ts"))
    if module is not None:
        return [(module, (), d) for name, d in module.declared.items()
                if isinstance(d, Interface) and d.methods]
    inner = os.path.relpath(path, os.path.join(package.directory, "esm", "resources"))
    scope = tuple(inner[:-len(".js")].split(os.sep))
    module = package.world.modules["types"]
    wanted = ".".join(scope) + "Resource"
    return [(module, scope[:-1], module.declared[wanted])] if wanted in module.declared else []


def endpoint_row(package, objects, classes, method, verb, url, rest):
    row = {"verb": verb, "path": url, "method": method}
    for module, scope, class_ in classes:
        for name, parameters, answer in class_.methods:
            if name != method:
                continue
            kind = re.search(r"methodType: '(\w+)'", rest)
            if kind:
                row[kind.group(1)] = True
            row["method"] = class_.name.removesuffix("Resource") + "." + method
            row["returns"] = returned(objects, module, class_.scope, answer)
            row["params"] = parameters_of(package, module, class_.scope, parameters)
            return row
    raise SystemExit(f"no declaration of {method} ({verb} {url})")


def returned(objects, module, scope, type_):
    names = []
    for part in parts_of(type_):
        if part[0] != "ref":
            continue
        targets = objects.target(module, scope, part[1])
        if targets:
            names += targets
        for argument in part[2]:
            names += returned(objects, module, scope, argument)
        if targets == [] or part[1].rpartition(".")[2].startswith("Deleted"):
            names += stub_of(objects, module, scope, part[1])
    return unique(names)


def stub_of(objects, module, scope, name):
    """The objects whose deleted stub a name means."""
    found = objects.package.world.find(module, scope, name)
    if found and isinstance(found[2], Interface):
        name = objects.package.text_of(found[2], "object")
        return [name] if name else []  # the second API has one stub for all
    if found:
        return [n for part in parts_of(found[2].type) if part[0] == "ref"
                for n in stub_of(objects, found[0], scope_of(found[1]), part[1])]
    return []


def parameters_of(package, module, scope, parameters):
    for _, type_, _ in parameters:
        for part in parts_of(type_):
            if part[0] != "ref" or not part[1].endswith("Params"):
                continue
            found = package.world.find(module, scope, part[1])
            if found is None:
                continue
            if isinstance(found[2], Interface):
                return [name + ("" if member[4] else "!")
                        for name, member in package.members(found[0], found[2]).items()]
    return []


# Events

def event_rows(package, objects):
    """The events of the first API, which carry their object; those of the second are references."""
    union = package.event_union()
    rows = {}
    for part in parts_of(union[2].type):
        found = package.world.find(union[0], (), part[1]) if part[0] == "ref" else None
        if found and isinstance(found[2], Interface):
            type_ = package.text_of(found[2], "type")
            rows[type_] = carried(objects, found[0], found[1])
    return {type_: rows[type_] for type_ in sorted(rows, key=ordered)}


def carried(objects, module, dotted):
    data = module.declared.get(dotted + ".Data")
    if not isinstance(data, Interface) or "object" not in data.members:
        return []
    scope = tuple(dotted.split(".")) + ("Data",)
    return unique(n for part in parts_of(data.members["object"][0])
                  for n in objects.names_in(module, scope, part) or [])


def catalogue_of(package):
    objects = Objects(package)
    return {"api_version": package.api_version, "objects": object_rows(package, objects),
            "endpoints": endpoint_rows(package, objects), "events": event_rows(package, objects)}


def text_of(catalogue):
    """One row a line, so that a difference can be read."""
    def compact(row):
        return json.dumps(row, separators=(",", ":"), ensure_ascii=False)
    lines = ["{", f' "api_version": {compact(catalogue["api_version"])},', ' "objects": {']
    lines.append(",\n".join(f"  {compact(n)}: {compact(r)}" for n, r in
                            catalogue["objects"].items()))
    lines += [" },", ' "endpoints": [']
    lines.append(",\n".join(f"  {compact(r)}" for r in catalogue["endpoints"]))
    lines += [" ],", ' "events": {']
    lines.append(",\n".join(f"  {compact(n)}: {compact(r)}" for n, r in
                            catalogue["events"].items()))
    lines += [" }", "}"]
    return "\n".join(lines) + "\n"


# What is different, in words

def differences(old, new):
    """Lines that a person reads before taking up another version."""
    lines = []
    if old["api_version"] != new["api_version"]:
        lines.append(f"API version {old['api_version']} -> {new['api_version']}")
    lines += gone_and_new("object", old["objects"], new["objects"])
    for name in sorted(old["objects"].keys() & new["objects"].keys()):
        lines += changed(f"object {name}", old["objects"][name], new["objects"][name])
    ends = [requests_in(c["endpoints"]) for c in (old, new)]
    lines += gone_and_new("endpoint", *ends)
    for name in sorted(ends[0].keys() & ends[1].keys()):
        lines += changed(f"endpoint {name}", ends[0][name], ends[1][name])
    lines += gone_and_new("event", old["events"], new["events"])
    for name in sorted(old["events"].keys() & new["events"].keys()):
        lines += changed(f"event {name}", {"objects": old["events"][name]},
                         {"objects": new["events"][name]})
    return lines


def requests_in(rows):
    """By verb and path: what placeholders and methods are called means nothing to a request."""
    found = {}
    for row in rows:
        found.setdefault(f"{row['verb']} {re.sub(r'{.*?}', '{}', row['path'])}", row)
    return found


def gone_and_new(what, old, new):
    return ([f"- {what} {name}" for name in sorted(old.keys() - new.keys())] +
            [f"+ {what} {name}" for name in sorted(new.keys() - old.keys())])


def changed(what, old, new):
    lines = []
    for part in sorted((old.keys() | new.keys()) - {"path", "method", "namespace"}):
        before, after = (entries_of(row.get(part)) for row in (old, new))
        less, more = before - after, after - before
        if less or more:
            words = [f"-{e}" for e in sorted(less)] + [f"+{e}" for e in sorted(more)]
            lines.append(f"  {what} {part}: {' '.join(words)}")
    return lines


def entries_of(value):
    if isinstance(value, dict):
        return {f"{path}={'|'.join(sorted(names))}" for path, names in value.items()}
    if isinstance(value, list):
        return set(value)
    return set() if value is None else {str(value)}


# The package

def unpacked(source, to):
    """A directory as it is; a .tgz, or a version from the registry, unpacked below `to`."""
    if os.path.isdir(source):
        return source
    if not os.path.isfile(source):
        done = subprocess.run(["npm", "pack", "--silent", f"stripe@{source}"], cwd=to,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"npm pack stripe@{source}: {done.stderr.strip()[-500:]}\n"
                             "give a version that the registry has, or an unpacked package")
        source = os.path.join(to, done.stdout.strip().splitlines()[-1])
    with tarfile.open(source) as archive:
        archive.extractall(to, filter="data")
    return os.path.join(to, "package")


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("source", metavar="VERSION|DIRECTORY|FILE.tgz")
    options.add_argument("--out", metavar="FILE")
    options.add_argument("--check", metavar="FILE", nargs="?", const=COMMITTED)
    options.add_argument("--diff", metavar="FILE", nargs="?", const=COMMITTED)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as to:
        catalogue = catalogue_of(Package(os.path.normpath(unpacked(chosen.source, to))))
    text = text_of(catalogue)
    if chosen.diff:
        with open(chosen.diff, encoding="utf-8") as f:
            for line in differences(json.load(f), catalogue):
                print(line)
    if chosen.out:
        with open(chosen.out, "w", encoding="utf-8") as f:
            f.write(text)
    if chosen.check:
        with open(chosen.check, encoding="utf-8") as f:
            if f.read() != text:
                raise SystemExit(f"{chosen.check} is not what the package gives; --diff tells more")
    if not (chosen.out or chosen.check or chosen.diff):
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
