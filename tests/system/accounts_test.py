#!/usr/bin/env python3
"""Several accounts behind one tilld, and the accounts connected to them: each its own keyspace,
gateway and tokens. Each account is a sandbox in a process of its own."""

import json
import subprocess
import threading
import time

import harness
from harness import Client, Lab, Process, deliver, free_port, wait_for

SHOP_KEY = "sk_test_systemtests0000000002"
SHOP_SECRET = "whsec_test_of_the_system_tests_0002"


class TwoAccounts(Lab):
    """main and shop, each with a sandbox and a token."""

    def __init__(self, binary):
        self.shop_port = free_port()
        super().__init__(binary, settings="")
        self.write("shop-key", SHOP_KEY)
        self.write("shop-whsec", SHOP_SECRET)
        with open(self.config, "a") as f:
            f.write(f"""
[account.shop]
api_url = "http://127.0.0.1:{self.shop_port}"
secret_key_file = "{self.dir}/shop-key"
webhook_secret_files = ["{self.dir}/shop-whsec"]
""")
        self.shop_sandbox = None

    def start_sandbox(self):
        super().start_sandbox()
        self.shop_sandbox = Process(
            [self.binary, "sandbox", "--listen", f"127.0.0.1:{self.shop_port}", "--key", SHOP_KEY,
             "--seed", "2",
             "--webhook-url", f"http://127.0.0.1:{self.webhook_port}/webhooks/stripe/shop",
             "--webhook-secret-file", f"{self.dir}/shop-whsec"],
            f"{self.dir}/shop.log")
        wait_for(lambda: self.listening(self.shop_port, self.shop_sandbox), 20, "shop listens")

    def __exit__(self, kind, *rest):
        if self.shop_sandbox:
            self.shop_sandbox.kill()
        super().__exit__(kind, *rest)

    def token_for(self, account, scope="write"):
        return self.run("token", "create", "--name", f"{account}-{scope}", "--scope", scope,
                        "--account", account).stdout.strip()

    def shop(self):
        return Client(self.shop_port, SHOP_KEY)


def check(answer, status, **error):
    assert answer.status == status, answer
    for name, value in error.items():
        assert answer.json["error"].get(name) == value, (name, answer)
    return answer


def settled():
    """Past the seconds in which reads after an order go to Stripe."""
    time.sleep(2.2)


def test_each_token_reaches_its_own_account(binary):
    """A token decides the account: orders, reads, lists and budgets are that account's alone"""
    with TwoAccounts(binary) as lab:
        main, shop = lab.api(lab.token_for("main")), lab.api(lab.token_for("shop"))
        ada = check(main.post("/v1/customers", {"email": "ada@main.test"}), 200).json
        bob = check(shop.post("/v1/customers", {"email": "bob@shop.test",
                                                "metadata": {"user_id": "bob"}}), 200).json
        assert check(lab.stripe().get(f"/v1/customers/{ada['id']}"), 200)
        check(lab.stripe().get(f"/v1/customers/{bob['id']}"), 404)
        check(lab.shop().get(f"/v1/customers/{bob['id']}"), 200)
        check(main.get(f"/v1/customers/{bob['id']}"), 404, code="resource_missing")
        check(shop.get(f"/v1/customers/{ada['id']}"), 404, code="resource_missing")
        settled()
        wait_for(lambda: shop.get("/v1/customers").headers["tilld-source"] == "mirror", 10, "whole")
        wait_for(lambda: main.get("/v1/customers").headers["tilld-source"] == "mirror", 10, "whole")
        assert [c["id"] for c in shop.get("/v1/customers").json["data"]] == [bob["id"]]
        assert [c["id"] for c in main.get("/v1/customers").json["data"]] == [ada["id"]]
        assert shop.get("/api/customers/bob").status == 200
        assert main.get("/api/customers/bob").status == 404
        # The same key of an application means one thing on each account.
        first = main.post("/v1/products", {"name": "A"}, key="one")
        second = shop.post("/v1/products", {"name": "B"}, key="one")
        assert first.json["name"] == "A" and second.json["name"] == "B", (first, second)
        assert first.json["id"] != second.json["id"]


def test_which_account_is_asked_for(binary):
    """Tilld-Account speaks for a token that is for any; a wrong one is told what there is"""
    with TwoAccounts(binary) as lab:
        anyone = lab.api()
        check(anyone.get("/v1/customers"), 400, code="account_missing")
        check(anyone.get("/v1/customers", headers={"Tilld-Account": "shop"}), 200)
        told = check(anyone.get("/v1/customers", headers={"Tilld-Account": "nobody"}), 400,
                     code="account_unknown")
        assert "main, shop" in told.json["error"]["message"], told
        shop = lab.api(lab.token_for("shop", "read"))
        check(shop.get("/v1/customers"), 200)
        check(shop.get("/v1/customers", headers={"Tilld-Account": "shop"}), 200)
        check(shop.get("/v1/customers", headers={"Tilld-Account": "main"}), 403,
              code="account_forbidden")
        check(shop.post("/v1/customers", {}), 403, code="scope_missing")
        for args in (("--account", "nobody"), ()):
            failed = lab.run("token", "create", "--name", "x", *args, check=False)
            assert failed.returncode != 0 and "main, shop" in failed.stderr, failed
        listed = json.loads(lab.run("token", "list", "--json").stdout)["data"]
        assert {t["name"]: t["account"] for t in listed} == {"test": "", "shop-read": "shop"}
        failed = lab.run("events", "list", check=False)
        assert failed.returncode != 0 and "main, shop" in failed.stderr, failed
        lab.run("events", "list", "--account", "shop")
        doctor = json.loads(lab.run("doctor", "--json").stdout)
        assert [f["is"] for f in doctor["findings"] if f["part"] in ("stripe", "webhooks")] == \
            ["ok"] * 4, doctor


def test_webhooks_of_each(binary):
    """Each account's endpoint takes its own signature; the two modes never mix"""
    with TwoAccounts(binary) as lab:
        lab.shop().post("/v1/customers", {"email": "eve@shop.test"})
        shop = lab.api(lab.token_for("shop"))
        def events():
            listed = lab.run("events", "list", "--account", "shop", "--json").stdout
            return json.loads(listed)["data"]
        wait_for(events, 10, "the sandbox's event arrives")
        event = lab.shop().get("/v1/events").json["data"][0]
        hooks = lab.webhooks()
        assert deliver(hooks, SHOP_SECRET, event, "shop").json["result"] == "duplicate"
        assert deliver(hooks, lab.WEBHOOK_SECRET, event, "shop").status == 400
        assert deliver(hooks, lab.WEBHOOK_SECRET, event, "nobody").status == 404
        live = dict(event, id="evt_live_1", livemode=True)
        assert deliver(hooks, SHOP_SECRET, live, "shop").json["result"] == "ignored"
        assert "evt_live_1" not in [e["id"] for e in events()]
        assert shop.get("/v1/events/evt_live_1").status == 404
        metrics = lab.api().get("/metrics").body.decode()
        assert "tilld_webhooks_of_other_mode_total 1" in metrics, metrics


def test_connected_accounts(binary):
    """Stripe-Account has its own keyspace; what is fetched and resumed for it goes to it"""
    with TwoAccounts(binary) as lab:
        main = lab.api(lab.token_for("main"))
        seller = main.post("/v1/accounts", {"type": "custom", "country": "US"}).json["id"]
        on = {"Stripe-Account": seller}
        own = check(main.post("/v1/customers", {"email": "c@seller.test"}, headers=on), 200).json
        check(main.get(f"/v1/customers/{own['id']}"), 404)
        settled()
        read = check(main.get(f"/v1/customers/{own['id']}", headers=on), 200)
        assert read.headers["tilld-source"] == "mirror" and read.json["email"] == "c@seller.test"
        # A document in another version is not kept: it is fetched, from the account it is of.
        lab.stripe().post(f"/v1/customers/{own['id']}", {"name": "New"}, headers=on)
        event = next(e for e in lab.stripe().get("/v1/events", headers=on).json["data"]
                     if e["type"] == "customer.updated")
        event = dict(event, id="evt_other_version", api_version="2020-08-27", account=seller,
                     created=event["created"] + 1)
        event["data"]["object"]["name"] = "Wrong shape"
        told = deliver(lab.webhooks(), lab.WEBHOOK_SECRET, event).json["result"]
        assert told in ("refetch", "ignored"), told
        wait_for(lambda: main.get(f"/v1/customers/{own['id']}", headers=on).json["name"] == "New",
                 10, "fetched from the connected account")
        bad = main.get("/v1/customers", headers={"Stripe-Account": "acct_1/../x"})
        check(bad, 400, code="account_invalid")


def test_open_orders_of_every_account_are_resumed(binary):
    """An order whose account was away is sent again after a restart, whichever account it is of"""
    with TwoAccounts(binary) as lab:
        main, shop = lab.api(lab.token_for("main")), lab.api(lab.token_for("shop"))
        seller = main.post("/v1/accounts", {"type": "custom", "country": "US"}).json["id"]
        # Stripe takes the order and its answers are lost; the daemon dies while it tries again.
        for sandbox in (lab.stripe(), lab.shop()):
            check(sandbox.request("POST", "/_sandbox/faults", json.dumps({"lost_answer": 1}),
                                  {"Content-Type": "application/json"}), 200)

        def lost(client, headers):
            try:
                client.post("/v1/customers", {"email": "late@x.test"}, key="late", headers=headers)
            except Exception:  # noqa: BLE001 - the daemon is killed under it
                pass
        calls = [threading.Thread(target=lost, args=(main, {"Stripe-Account": seller})),
                 threading.Thread(target=lost, args=(shop, {}))]
        for call in calls:
            call.start()
        time.sleep(1)
        lab.daemon.kill()
        for call in calls:
            call.join()
        for sandbox in (lab.stripe(), lab.shop()):
            check(sandbox.delete("/_sandbox/faults"), 200)
        lab.start_daemon()
        on = {"Stripe-Account": seller}
        def replayed(client, headers):
            answer = client.post("/v1/customers", {"email": "late@x.test"}, key="late",
                                 headers=headers)
            return answer.status == 200 and answer.headers.get("idempotent-replayed") == "true"
        wait_for(lambda: replayed(lab.api(main.token), on), 60, "the connected account's order")
        wait_for(lambda: replayed(lab.api(shop.token), {}), 60, "the second account's order")
        assert len(lab.stripe().get("/v1/customers", headers=on).json["data"]) == 1
        assert len(lab.shop().get("/v1/customers").json["data"]) == 1


SDK_PROGRAM = """
import sys
import stripe
stripe.api_base = sys.argv[1]
stripe.enable_telemetry = False
main, shop = sys.argv[2:4]
ada = stripe.Customer.create(email="ada@main.test", api_key=main)
bob = stripe.Customer.create(email="bob@shop.test", api_key=shop)
assert stripe.Customer.retrieve(bob.id, api_key=shop).email == "bob@shop.test"
try:
    stripe.Customer.retrieve(bob.id, api_key=main)
    raise AssertionError("a customer of the other account was found")
except stripe.InvalidRequestError if hasattr(stripe, "InvalidRequestError") \
        else stripe.error.InvalidRequestError as missing:
    assert missing.code == "resource_missing" and missing.http_status == 404, missing
assert [c.id for c in stripe.Customer.list(api_key=main).auto_paging_iter()] == [ada.id]
assert [c.id for c in stripe.Customer.list(api_key=shop).auto_paging_iter()] == [bob.id]
seller = stripe.Account.create(type="custom", country="US", api_key=main)
theirs = stripe.Customer.create(email="c@seller.test", api_key=main, stripe_account=seller.id)
assert stripe.Customer.retrieve(theirs.id, api_key=main, stripe_account=seller.id).id == theirs.id
assert len(stripe.Customer.list(api_key=main).data) == 1
"""


def test_an_official_sdk_needs_its_key_alone(binary):
    """stripe-python reaches each account by the token it has for a key, and connected ones, too"""
    with TwoAccounts(binary) as lab:
        done = subprocess.run(
            ["/usr/bin/python3", "-c", SDK_PROGRAM, f"http://127.0.0.1:{lab.api_port}",
             lab.token_for("main"), lab.token_for("shop")],
            capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr


def test_a_sandbox_is_of_one_account(binary):
    """serve --sandbox with several accounts says what to do instead"""
    lab = TwoAccounts(binary)
    done = subprocess.run(
        [binary, "serve", "--sandbox", "--config", lab.config, "--data", lab.data],
        capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and "stands for one account" in done.stderr, done
    lab.__exit__(None, None, None)


if __name__ == "__main__":
    harness.main([test_each_token_reaches_its_own_account, test_which_account_is_asked_for,
                  test_webhooks_of_each, test_connected_accounts,
                  test_open_orders_of_every_account_are_resumed,
                  test_an_official_sdk_needs_its_key_alone, test_a_sandbox_is_of_one_account])
