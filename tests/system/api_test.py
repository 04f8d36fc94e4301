#!/usr/bin/env python3
"""The subscription API, by the application's own user ids.

usage: api_test.py BINARY
"""

import json
import threading
import time

import harness
from harness import Lab, wait_for


class Application:
    """What an application does with /api; every answer is held against the OpenAPI document."""

    def __init__(self, lab):
        self.client, self.stripe = lab.api(), lab.stripe()
        self.document = self.client.get("/openapi.json").json

    def send(self, verb, target, body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        text = None
        if body is not None:
            text = json.dumps(body).encode()
            named["Content-Type"] = "application/json"
        answer = self.client.request(verb, target, text, named)
        fits(self.document, verb, target, answer)
        return answer

    def put(self, user, body=None, **headers):
        answer = self.send("PUT", f"/api/customers/{user}", body, **headers)
        assert answer.status == 200, (user, answer)
        return answer.json

    def refused(self, status, code, verb, target, body=None, **headers):
        answer = self.send(verb, target, body, **headers)
        assert answer.status == status, (target, answer)
        assert answer.json["error"]["code"] == code, answer
        return answer.json["error"]

    def customers(self):
        return [c for c in self.stripe.get("/v1/customers?limit=100").json["data"]]


def operation_of(document, verb, target):
    segments = target.split("?")[0].split("/")
    best = None
    for path, operations in document["paths"].items():
        own = path.split("/")
        if len(own) != len(segments) or verb.lower() not in operations:
            continue
        if all(o == s or o.startswith("{") for o, s in zip(own, segments)):
            literal = sum(not o.startswith("{") for o in own)
            if best is None or literal > best[0]:
                best = (literal, operations[verb.lower()])
    return best[1] if best else None


def faults(document, schema, value, at=""):
    """What of JSON Schema the document uses."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        tries = [faults(document, one, value, at) for one in schema["anyOf"]]
        return [] if any(not one for one in tries) else tries[0]
    kinds = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict,
             "null": type(None)}
    types = schema.get("type", [])
    types = types if isinstance(types, list) else [types]
    is_one = any(isinstance(value, kinds[t]) and (t != "integer" or not isinstance(value, bool))
                 for t in types)
    if types and not is_one:
        return [f"{at}: {value!r} is not {types}"]
    out = []
    if "enum" in schema and value not in schema["enum"]:
        out.append(f"{at}: {value!r} is not in {schema['enum']}")
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            out.append(f"{at}: {value!r} is too short")
    if isinstance(value, list) and "items" in schema:
        for i, one in enumerate(value):
            out += faults(document, schema["items"], one, f"{at}/{i}")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        out += [f"{at}/{name} is missing" for name in schema.get("required", [])
                if name not in value]
        for name, one in value.items():
            if name in known:
                out += faults(document, known[name], one, f"{at}/{name}")
            elif schema.get("additionalProperties") is False:
                out.append(f"{at}/{name} is not known")
    return out


def fits(document, verb, target, answer):
    operation = operation_of(document, verb, target)
    if operation is None:
        return
    told = operation["responses"].get(str(answer.status)) or operation["responses"].get("default")
    assert told is not None, (verb, target, answer.status, "is not in the document", answer)
    schema = told["content"]["application/json"]["schema"]
    wrong = faults(document, schema, answer.json)
    assert not wrong, (verb, target, wrong)


def customers(binary):
    """A user has one customer: found, made, changed, and left alone when nothing differs"""
    with Lab(binary) as lab:
        app = Application(lab)
        ada = app.put("ada", {"email": "ada@example.com", "metadata": {"team": "blue"}})
        assert ada["outcome"] == "created" and ada["user_id"] == "ada", ada
        again = app.put("ada", {"email": "ada@example.com"})
        assert again["outcome"] == "unchanged" and again["customer"] == ada["customer"], again
        assert app.put("ada")["outcome"] == "unchanged"
        changed = app.put("ada", {"email": "lovelace@example.com", "name": "Ada"})
        assert changed["outcome"] == "updated" and changed["email"] == "lovelace@example.com"
        app.put("ada", {"name": None, "metadata": {"team": None, "seat": "7"}})
        at_stripe = app.stripe.get("/v1/customers/" + ada["customer"]).json
        assert at_stripe["name"] is None and at_stripe["email"] == "lovelace@example.com"
        assert at_stripe["metadata"] == {"seat": "7", "user_id": "ada"}, at_stripe
        got = app.send("GET", "/api/customers/ada")
        assert got.status == 200 and got.headers["tilld-source"] == "mirror"
        assert got.json["customer"] == ada["customer"]
        by_id = app.send("GET", "/api/customers/" + ada["customer"]).json
        assert by_id["user_id"] == "ada"
        strange = app.put("a%2Fb%20%C3%A9")
        assert strange["user_id"] == "a/b é", strange
        app.refused(404, "customer_unknown", "GET", "/api/customers/nobody")
        app.refused(404, "customer_unknown", "GET", "/api/customers/nobody/entitlements")
        app.refused(404, "customer_unknown", "DELETE", "/api/customers/nobody")
        assert len(app.customers()) == 2


def at_once(binary):
    """Many at once make one customer, also when the daemon is killed in between"""
    with Lab(binary, sandbox_options=("--fault", "slow=1:30")) as lab:
        answers, clients = [], [lab.api() for _ in range(16)]

        def put(client):
            try:
                answers.append(client.request("PUT", "/api/customers/eve", b"{}",
                                              {"Content-Type": "application/json"}))
            except OSError:
                pass  # killed

        threads = [threading.Thread(target=put, args=(c,)) for c in clients]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert {a.status for a in answers} == {200}, answers
        assert len({a.json["customer"] for a in answers}) == 1, answers
        assert sorted(a.json["outcome"] for a in answers)[0] == "created"
        app = Application(lab)
        assert len(app.customers()) == 1
        for n in range(5):
            user = f"k{n}"
            thread = threading.Thread(target=lambda u=user: lab.api().request(
                "PUT", f"/api/customers/{u}", b"{}", {"Content-Type": "application/json"}),
                daemon=True)
            threading.excepthook = lambda *_: None
            thread.start()
            time.sleep(0.005 * (n + 1))
            lab.daemon.kill()
            thread.join()
            lab.start_daemon()
            app = Application(lab)
            app.put(user)
            of_user = [c for c in app.customers() if c["metadata"].get("user_id") == user]
            assert len(of_user) == 1, of_user


def links(binary):
    """Customers that are there are linked, by id and by email; conflicts are told"""
    with Lab(binary) as lab:
        app = Application(lab)
        old = app.stripe.post("/v1/customers", {"email": "old@example.com"}).json["id"]
        linked = app.put("old", {"customer": old})
        assert linked["outcome"] == "linked" and linked["customer"] == old
        app.refused(409, "customer_linked", "PUT", "/api/customers/thief", {"customer": old})
        app.refused(409, "user_linked", "PUT", "/api/customers/old", {"customer": "cus_other"})
        missing = app.send("PUT", "/api/customers/new", {"customer": "cus_missing"})
        assert missing.status == 404, missing
        for email in ("twin@example.com", "twin@example.com", "single@example.com"):
            app.stripe.post("/v1/customers", {"email": email})
        single = app.put("single", {"email": "single@example.com", "find_by_email": True})
        assert single["outcome"] == "linked" and single["duplicates"] == []
        twin = app.put("twin", {"email": "twin@example.com", "find_by_email": True})
        assert twin["outcome"] == "linked" and len(twin["duplicates"]) == 1, twin
        fresh = app.put("fresh", {"email": "fresh@example.com", "find_by_email": True})
        assert fresh["outcome"] == "created"
        app.refused(400, "request_invalid", "PUT", "/api/customers/x", {"find_by_email": True})
        # A link that was made at Stripe by hand.
        app.stripe.post(f"/v1/customers/{twin['duplicates'][0]}", {"metadata": {"user_id": "twin"}})
        report = wait_for(lambda: app.send("GET", "/api/duplicates").json["data"], 10, "a report")
        assert [d["user_id"] for d in report] == ["twin"] and len(report[0]["customers"]) == 2
        error = app.refused(409, "customers_several", "DELETE", "/api/customers/twin")
        assert twin["duplicates"][0] in error["message"]
        away = app.send("DELETE", f"/api/customers/{twin['duplicates'][0]}/link").json
        assert away["outcome"] == "unlinked" and away["user_id"] is None, away
        gone = app.send("DELETE", "/api/customers/twin").json
        assert gone["outcome"] == "deleted" and gone["deleted"] is True
        assert app.put("twin")["outcome"] == "created"


def wrong_requests(binary):
    """All that is wrong with a request is told at once, with its place"""
    with Lab(binary) as lab:
        app = Application(lab)
        error = app.refused(400, "request_invalid", "PUT", "/api/customers/ada",
                            {"email": "no", "name": 7, "colour": "red", "metadata": {"a/b": 1}})
        told = {e["pointer"]: e["message"] for e in error["errors"]}
        assert told == {"/email": told["/email"], "/name": "must be a string",
                        "/colour": "is not known here", "/metadata/a~1b": "must be a string"}, told
        error = app.refused(400, "request_invalid", "GET", "/api/orders?limit=0&status=x&y=1")
        assert {e["parameter"] for e in error["errors"]} == {"limit", "status", "y"}, error
        for body, status in ((b"{", 400), (b"[]", 400), (b'{"a":' * 40 + b"1" + b"}" * 40, 400)):
            answer = app.client.request("PUT", "/api/customers/ada", body,
                                        {"Content-Type": "application/json"})
            assert answer.status == status, (body, answer)
        answer = app.client.request("PUT", "/api/customers/ada", b"a=b",
                                    {"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status == 415, answer
        assert app.client.request("GET", "/api/customers/ada", b"{}", {
            "Content-Type": "application/json"}).status in (400, 404)
        assert app.customers() == []


def orders(binary):
    """Orders are told of: at once when that is preferred, and looked at, and waited for"""
    with Lab(binary, sandbox_options=("--fault", "slow=1:300")) as lab:
        app = Application(lab)
        accepted = app.send("PUT", "/api/customers/ada", {}, Prefer="respond-async")
        assert accepted.status == 202, accepted
        assert accepted.json["status"] == "open"
        where = accepted.headers["location"]
        assert where == "/api/orders/" + accepted.json["id"]
        done = app.send("GET", where + "?wait=10").json
        assert done["status"] == "done" and done["answer"]["status"] == 200, done
        assert done["answer"]["body"]["metadata"]["user_id"] == "ada"
        assert app.put("ada")["customer"] == done["answer"]["body"]["id"]
        soon = app.send("PUT", "/api/customers/bob", {}, Prefer="wait=0")
        assert soon.status == 202, soon
        in_time = app.put("cyd", {}, Prefer="wait=10")
        assert in_time["outcome"] == "created"
        listed = app.send("GET", "/api/orders?limit=2").json
        assert len(listed["data"]) == 2 and listed["has_more"]
        rest = app.send("GET", f"/api/orders?after={listed['data'][1]['id']}").json
        assert len(rest["data"]) == 1 and not rest["has_more"], rest
        assert app.send("GET", "/api/orders?status=refused").json["data"] == []
        app.refused(404, "order_unknown", "GET", "/api/orders/ord_none")
        # Done, and answered with an error that is not to be tried again: nobody can say what is so.
        app.stripe.request("POST", "/_sandbox/faults", json.dumps({"error_final": 1}),
                           {"Content-Type": "application/json"})
        assert app.send("PUT", "/api/customers/lost", {}).status == 500
        app.stripe.delete("/_sandbox/faults")
        parked = app.send("GET", "/api/orders?status=parked").json["data"]
        assert len(parked) == 1 and parked[0]["why"], parked
        assert app.send("GET", "/api/orders?status=open").json["data"] == []
        # It was done, and the event says so: the user has one customer.
        wait_for(lambda: app.send("GET", "/api/customers/lost").status == 200, 10, "the event")
        assert app.put("lost")["outcome"] == "unchanged"
        one = app.put("dan", {"name": "Dan"}, Idempotency_Key="k1")
        same = app.put("dan", {"name": "Dan"}, Idempotency_Key="k1")
        assert one["customer"] == same["customer"] and same["outcome"] == "unchanged"
        assert len(app.customers()) == 5


def entitled(binary):
    """What a customer may use is what they have subscribed to, and each check says why"""
    with Lab(binary) as lab:
        app = Application(lab)
        ada = app.put("ada")["customer"]

        def check(feature):
            answer = app.send("GET", f"/api/customers/ada/check/{feature}")
            assert answer.status == 200, answer
            return answer.json["granted"], answer.json["reason"]

        assert check("export") == (False, "no_subscription")
        api = lab.api()
        product = api.post("/v1/products", {"name": "Pro", "metadata": {
            "features": "export, a b/c"}}).json["id"]
        price = api.post("/v1/prices", {"product": product, "currency": "usd", "unit_amount": 900,
                                        "recurring": {"interval": "month"}}).json["id"]
        card = api.post("/v1/payment_methods/pm_card_visa/attach", {"customer": ada}).json["id"]
        sub = api.post("/v1/subscriptions", {"customer": ada, "items": [{"price": price}],
                                             "default_payment_method": card}).json
        assert sub["status"] == "active", sub
        assert check("export") == (True, "subscription_live")
        assert check("a%20b%2Fc") == (True, "subscription_live")
        assert check("import") == (False, "feature_not_included")
        assert app.send("GET", "/api/customers/ada/entitlements").json["features"] == [
            "a b/c", "export"]
        assert api.delete("/v1/subscriptions/" + sub["id"]).status == 200
        assert check("export") == (False, "subscription_not_live")
        app.send("DELETE", "/api/customers/ada")
        assert check("export") == (False, "customer_deleted")
        app.refused(404, "customer_unknown", "GET", "/api/customers/nobody/check/export")


if __name__ == "__main__":
    harness.main([customers, at_once, links, wrong_requests, orders, entitled])
