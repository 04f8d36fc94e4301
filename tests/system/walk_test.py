#!/usr/bin/env python3
"""Everything that a sandbox knows, read from it and through tilld: the same bytes but for the order
of members.

The sandbox is filled by walk_world.py: one half before tilld begins, the other while its webhooks
arrive. Then every object, list, expansion and refusal is asked for at both, and what tilld answers
from its mirror is counted by kind.
"""

import collections
import json
import os
import time
import urllib.parse

import harness
import walk_world
from harness import Lab, canonical, wait_for

CATALOGUE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "stripe",
                         "catalogue.json")
SETTLED_S = 2.2  # orders through tilld send reads to Stripe for two seconds (actors/settling)
PAGE = 7

# Kinds that Stripe retrieves and lists below another object: whose, and in which list.
BELOW = {
    "product_feature": ("product", "/v1/products/{}/features"),
    "customer_balance_transaction": ("customer", "/v1/customers/{}/balance_transactions"),
}

# Kinds of the sandbox that Stripe has no way to retrieve: they are compared inside others' lists.
INSIDE = {
    "billing.meter_event": "Stripe shows reports only as summaries",
    "billing_portal.session": "Stripe answers it once, when it is made",
    "credit_note_line_item": "in /v1/credit_notes/{id}/lines",
    "discount": "inside what it discounts",
    "item": "in the line_items of sessions, links and quotes",
    "line_item": "in /v1/invoices/{id}/lines",
    "setup_attempt": "in /v1/setup_attempts",
}

# Kinds that tilld passes on to Stripe each time, and why.
NO_EVENT = "no event tells of its changes"
BELOW_ANOTHER = "Stripe retrieves it below another object"
PASSED_ON = {
    "balance_transaction": NO_EVENT,
    "customer_balance_transaction": BELOW_ANOTHER,
    "entitlements.active_entitlement": "events tell of a customer's summary, not of each",
    "entitlements.feature": NO_EVENT,
    "file": "events tell when it comes, not of its links",
    "file_link": NO_EVENT,
    "invoiceitem": "events tell when it comes and goes, not of the invoice that takes it in",
    "product_feature": BELOW_ANOTHER,
    "subscription_item": "events tell of its subscription",
    "webhook_endpoint": NO_EVENT,
}

# Members in which the mirror may differ from Stripe for good, by kind.
DIFFERS = {
    "event": ["pending_webhooks"],  # kept as it was delivered: with tilld's own delivery waiting
}

# Lists whose order the mirror and the sandbox need not have alike: the sandbox lists in the order
# in which things came, tilld by `created`, and what lives by a test clock is created in its past.
BY_CLOCK = ("/v1/setup_intents",)


def load_catalogue():
    with open(CATALOGUE, encoding="utf-8") as f:
        return json.load(f)


def retrieve_paths(catalogue):
    """kind → "/v1/customers/{}", as catalogue::retrieve_of finds them."""
    lists = {e["path"] for e in catalogue["endpoints"] if e.get("list")}
    found = {}
    for e in catalogue["endpoints"]:
        collection, _, last = e["path"].rpartition("/")
        if (e["verb"] != "GET" or e.get("list") or e.get("search") or "{" in collection or
                not last.startswith("{") or len(e["returns"]) != 1):
            continue
        if collection in lists or e["returns"][0] not in found:
            found[e["returns"][0]] = collection + "/{}"
    return found


class Walk:
    """Asks both for the same, and keeps what differs."""

    def __init__(self, lab):
        self.lab, self.stripe, self.tilld = lab, lab.stripe(), lab.api()
        self.catalogue = load_catalogue()
        self.retrieves = retrieve_paths(self.catalogue)
        self.asked = collections.Counter()
        self.mirrored = collections.Counter()
        self.differences = []

    def compare(self, what, target, ignore=(), headers=None):
        """Whether the answer came from the mirror."""
        truth = self.stripe.get(target, headers=headers)
        if truth.status == 501:  # not simulated; a Stripe that answers 5xx all the time is down
            return False
        told = wait_for(lambda: self.unless_stale(target, headers), 20, f"{target} is fetched anew")
        self.asked[what] += 1
        if (truth.status, comparable(truth, ignore)) != (told.status, comparable(told, ignore)):
            self.differences.append((what, target, first_difference(truth, told, ignore)))
        ours = told.headers.get("tilld-source") == "mirror"
        self.mirrored[what] += ours
        return ours

    def unless_stale(self, target, headers):
        """Nothing of an object whose events of one second left open what it is now."""
        told = self.tilld.get(target, headers=headers)
        return None if told.headers.get("tilld-stale") else told

    def path_of(self, kind, document):
        path = self.retrieves.get(kind)
        return path and path.format(urllib.parse.quote(document["id"]))

    def paths_of(self, kind, dump):
        """Where each object of a kind is retrieved; None where Stripe has no such endpoint."""
        if kind in BELOW:
            owners, below = BELOW[kind]
            lists = [below.format(owner) for owner in dump[owners]]
            return [f"{path}/{one['id']}" for path in lists
                    for one in self.stripe.get(path + "?limit=100").json.get("data", ())]
        if kind not in self.retrieves:
            return None
        return [self.path_of(kind, document) for document in dump[kind].values()]

    def finish(self, unmirrored=()):
        for kind in sorted(self.asked):
            print(f"  {kind}: {self.asked[kind]} compared, {self.mirrored[kind]} from the mirror")
        print(f"  {sum(self.asked.values())} compared, {sum(self.mirrored.values())} from the "
              f"mirror, {len(self.differences)} differ")
        for difference in self.differences[:int(os.environ.get('WALK_SHOWN', 40))]:
            print("  differs:", *difference)
        if unmirrored:
            print(f"  not from the mirror: {unmirrored}")
        assert not self.differences, f"{len(self.differences)} answers differ"
        assert not unmirrored, f"not from the mirror: {unmirrored}"


def comparable(answer, ignore):
    try:
        body = answer.json
    except ValueError:
        return answer.body
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body["error"].pop("request_log_url", None)  # names the request
    return canonical(without(body, ignore))


def without(body, ignore):
    if isinstance(body, list):
        return [without(one, ignore) for one in body]
    if isinstance(body, dict):
        return {k: without(v, ignore) for k, v in body.items() if k not in ignore}
    return body


def first_difference(truth, told, ignore):
    if truth.status != told.status:
        return f"{truth!r} | {told!r}"
    try:
        return where(without(truth.json, ignore), without(told.json, ignore), "") or "same"
    except ValueError:
        return f"{truth!r} | {told!r}"


def names_of(objects):
    return [one.get("id", one) if isinstance(one, dict) else one for one in objects]


def where(a, b, at):
    """The first place in which two documents differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            if key == "request_log_url":
                continue
            if key not in a or key not in b:
                return f"{at}.{key}: only {'tilld' if key in b else 'the sandbox'} has it"
            found = where(a[key], b[key], f"{at}.{key}")
            if found:
                return found
        return None
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return next((f for f in (where(x, y, f"{at}[{n}]") for n, (x, y) in enumerate(zip(a, b)))
                     if f), None)
    if isinstance(a, list) and isinstance(b, list):
        a, b = (names_of(a), names_of(b)) if a and b else (len(a), len(b))
        only = [f"{who}: {[x for x in these if x not in those]}" for who, these, those in (
            ("only the sandbox", a, b), ("only tilld", b, a))] if isinstance(a, list) else [a, b]
        return f"{at}: {only}"
    return None if a == b else f"{at}: {json.dumps(a)[:200]} | {json.dumps(b)[:200]}"


def objects(walk, dump):
    """Each object twice: what the mirror has not got is there once it was fetched."""
    missing = collections.Counter()
    for kind in sorted(dump):
        paths = walk.paths_of(kind, dump)
        assert (paths is None) == (kind in INSIDE), f"can {kind} be retrieved?"
        for path in paths or ():
            ignore = DIFFERS.get(kind, ())
            walk.compare(kind, path, ignore)
            again = walk.tilld.get(path)
            if again.status == 200 and again.headers.get("tilld-source") != "mirror":
                missing[kind] += 1
    return {kind: n for kind, n in missing.items() if kind not in PASSED_ON}


def owners_lists(walk, dump):
    """(what, path) of the lists below one object: "/v1/invoices/{}/lines"."""
    retrieve_kinds = {path: kind for kind, path in walk.retrieves.items()}
    for e in walk.catalogue["endpoints"]:
        head, brace, tail = e["path"].partition("{")
        if not e.get("list") or not brace or "{" in tail:
            continue
        kind = retrieve_kinds.get(head + "{}")
        for document in dump.get(kind, {}).values():
            yield e["path"], head + document["id"] + tail.partition("}")[2]


# Lists that demand a parameter: by which kind's ids they are asked.
DEMANDING = {
    "/v1/subscription_items": ("subscription", "subscription"),
    "/v1/setup_attempts": ("setup_intent", "setup_intent"),
    "/v1/entitlements/active_entitlements": ("customer", "customer"),
    "/v1/radar/value_list_items": None,
    "/v1/billing/credit_balance_transactions": None,
    "/v1/financial_connections/transactions": None,
    "/v1/treasury/": None,
}


def plain_lists(walk, dump):
    for e in walk.catalogue["endpoints"]:
        if not e.get("list") or "{" in e["path"]:
            continue
        if not any(p.endswith("!") for p in e["params"]):
            yield e["path"], e["path"]
        elif DEMANDING.get(e["path"]):
            param, kind = DEMANDING[e["path"]]
            for document in dump[kind].values():
                yield e["path"], f"{e['path']}?{param}={document['id']}"


def pages(walk, what, target, ignore=()):
    """A list from its begin to its end, and back."""
    joint = "&" if "?" in target else "?"
    cursor, last = f"limit={PAGE}", None
    while cursor:
        walk.compare(what, f"{target}{joint}{cursor}", ignore)
        page = walk.stripe.get(f"{target}{joint}{cursor}").json
        cursor = None
        if page.get("has_more") and page["data"]:
            last = page["data"][-1]["id"]
            cursor = f"limit={PAGE}&starting_after={last}"
    if last:
        walk.compare(what, f"{target}{joint}limit={PAGE}&ending_before={last}", ignore)


def lists(walk, dump):
    for what, target in [*plain_lists(walk, dump), *owners_lists(walk, dump)]:
        if what in BY_CLOCK:
            continue
        ignore = DIFFERS["event"] if what == "/v1/events" else ()
        pages(walk, what, target, ignore)
    walk.compare("/v1/subscriptions", "/v1/subscriptions?status=all&limit=100")


def refusals(walk, dump):
    """Ids that are none, of something else, or deleted; cursors and limits that are none."""
    for kind in dump:
        path = walk.retrieves.get(kind)
        if path is None:
            continue
        for wrong in ("nobody", "cus_nobody", "a%20b", "x" * 300, "%C3%BC"):
            if (kind, len(wrong)) != ("subscription_item", 300):  # Stripe's own words for these
                walk.compare("retrieve", path.format(wrong))
        walk.compare("expand", path.format("nobody") + "?expand[]=nonsense")
        some = next(iter(dump[kind].values()))
        for query in ("expand[]=nonsense", "expand[]=id", "shoe_size=44", "expand[]=a.b.c.d.e"):
            walk.compare("retrieve?", walk.path_of(kind, some) + "?" + query, DIFFERS.get(kind, ()))
        collection = path.rpartition("/")[0]
        if collection in DEMANDING:
            continue  # which of two faults is told is nobody's promise
        for query in ("limit=0", "limit=101", "limit=many", "starting_after=nobody",
                      "ending_before=nobody", "shoe_size=44", "expand[]=nonsense",
                      "expand[]=data.nonsense", "created[gte]=yesterday",
                      "starting_after=a&ending_before=b", "expand[]=data.a.b.c.d"):
            walk.compare("list", f"{collection}?{query}", DIFFERS.get(kind, ()))


def expansions(walk, dump):
    """Each object with each of its fields expanded, one level; and its list with all of them."""
    for kind, documents in sorted(dump.items()):
        row = walk.catalogue["objects"].get(kind)
        if row is None or kind not in walk.retrieves:
            continue
        fields = [path.replace("[]", "") for path in row["expandable"]]
        fields += [f"{path}.data" for path in row["lists"]]
        for document in documents.values():
            for field in fields:
                walk.compare(kind, f"{walk.path_of(kind, document)}?expand[]={field}",
                             DIFFERS.get(kind, ()))
        for field in fields:
            if walk.retrieves[kind].rpartition("/")[0] in BY_CLOCK:
                continue
            collection = walk.retrieves[kind].rpartition("/")[0]
            walk.compare("list of " + kind, f"{collection}?limit=100&expand[]=data.{field}",
                         DIFFERS.get(kind, ()))


class Filled:
    """A lab whose sandbox was filled in two halves, and whose mirror has come to rest."""

    def __init__(self, binary):
        self.lab = Lab(binary)

    def __enter__(self):
        lab = self.lab
        try:
            lab.start_sandbox()
            lab.admin = lab.token()
            walk_world.fill(lab.stripe())
            lab.start_daemon()
            walk_world.fill(lab.stripe())
            wait_for(lab.deliveries_done, 60, "all webhooks are taken")
        except BaseException:
            lab.show_logs()
            lab.__exit__(None, None, None)
            raise
        time.sleep(SETTLED_S)
        dump = lab.dump()
        dump.pop("accounts")
        return Walk(lab), dump

    def __exit__(self, kind, *rest):
        self.lab.__exit__(kind, *rest)


def every_object(binary):
    """every object that the sandbox knows is the same through tilld, told by webhooks"""
    with Filled(binary) as (walk, dump):
        walk.finish(objects(walk, dump))


def every_object_fetched(binary):
    """every object is the same through a tilld that was told of nothing and fetches each"""
    with Filled(binary) as (walk, dump):
        walk.lab.daemon.stop()
        walk.lab.data += "-empty"
        walk.lab.admin = walk.lab.token()
        walk.lab.start_daemon()
        fresh = Walk(walk.lab)
        missing = objects(fresh, dump)
        assert not sum(fresh.mirrored.values()), f"nothing was told: {fresh.mirrored}"
        missing.pop("event")  # an event is kept when it is delivered, not when it is read
        fresh.finish(missing)


def every_list(binary):
    """every list is the same through tilld, page by page"""
    with Filled(binary) as (walk, dump):
        lists(walk, dump)
        walk.finish()


def every_refusal(binary):
    """every refusal is the same through tilld"""
    with Filled(binary) as (walk, dump):
        refusals(walk, dump)
        walk.finish()


def every_expansion(binary):
    """every field that can be expanded shows the same through tilld"""
    with Filled(binary) as (walk, dump):
        expansions(walk, dump)
        walk.finish()


if __name__ == "__main__":
    harness.main([every_object, every_object_fetched, every_list, every_refusal, every_expansion])
