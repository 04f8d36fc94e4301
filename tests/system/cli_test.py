#!/usr/bin/env python3
"""The commands, as a person meets them: with the daemon running and without.

usage: cli_test.py BINARY
"""

import json
import subprocess

import harness
from harness import Lab, deliver, wait_for


def tilld(binary, *args):
    return subprocess.run([binary, *args], capture_output=True, text=True, timeout=30)


def help_of_every_command(binary):
    """Every command has help with an example; a wrong word is refused with code 2."""
    top = tilld(binary, "--help")
    assert top.returncode == 0 and "sandbox" in top.stdout
    for command in ("serve", "sandbox", "config", "token", "events", "doctor", "version"):
        shown = tilld(binary, command, "--help")
        assert shown.returncode == 0, (command, shown)
        if command != "version":
            assert "Example" in shown.stdout, command
    assert tilld(binary, "nonsense").returncode == 2
    assert tilld(binary).returncode == 2
    version = tilld(binary, "version", "--json")
    assert json.loads(version.stdout)["stripe_api_version"], version


def tokens_without_a_daemon(binary):
    """Tokens are made, listed and revoked while no daemon runs, and hold when it starts."""
    lab = Lab(binary, with_sandbox=False)
    try:
        made = json.loads(lab.run("token", "create", "--name", "a", "--json").stdout)
        lab.run("token", "create", "--name", "b", "--scope", "read")
        listed = json.loads(lab.run("token", "list", "--json").stdout)["data"]
        assert {t["name"] for t in listed} == {"a", "b"}
        lab.run("token", "revoke", "b")
        assert lab.run("token", "create", "--name", "", check=False).returncode == 1
        lab.start_daemon()
        assert lab.api(made["token"]).get("/api/customers/nobody").status == 404
    finally:
        lab.__exit__(None, None, None)


def events_listed_shown_and_replayed(binary):
    """A failed event is listed with its reason, shown as it came, and run again."""
    with Lab(binary, with_sandbox=False) as lab:
        e = {"id": "evt_bad", "object": "event", "type": "customer.subscription.created",
             "created": 1_700_000_000, "livemode": False, "api_version": None, "request": None,
             "pending_webhooks": 1,
             "data": {"object": {"id": "sub_1", "object": "subscription", "customer": "cus_1"}}}
        answer = deliver(lab.webhooks(), lab.WEBHOOK_SECRET, e)
        assert answer.status == 200 and answer.json["result"] == "failed", answer
        good = json.loads(json.dumps(e))
        good.update(id="evt_good", type="customer.created")
        good["data"]["object"] = {"id": "cus_1", "object": "customer", "created": 1,
                                  "metadata": {"user_id": "ada"}}
        assert deliver(lab.webhooks(), lab.WEBHOOK_SECRET, good).json["result"] == "applied"

        def look(*args):
            return json.loads(lab.run("events", *args, "--json").stdout)
        assert [x["id"] for x in look("list")["data"]] == ["evt_good", "evt_bad"]
        failed = look("list", "--failed")["data"]
        assert [x["id"] for x in failed] == ["evt_bad"] and failed[0]["reason"]
        assert [x["id"] for x in look("list", "--type", "customer.subscription.*")["data"]] == [
            "evt_bad"]
        assert look("show", "evt_bad")["event"] == e
        again = look("replay", "--failed")["data"]
        assert again[0]["result"] == "failed", again
        assert look("replay", "evt_good")["data"][0]["result"] in ("ignored", "applied")
        assert lab.run("events", "show", "evt_none", check=False).returncode == 1
        lab.daemon.stop()
        assert [x["id"] for x in look("list")["data"]] == ["evt_good", "evt_bad"]  # from the store
        refused = lab.run("events", "replay", "evt_bad", check=False)
        assert refused.returncode == 1 and "start" in refused.stderr


def doctor(binary):
    """The doctor is content with a running tilld and a Stripe that answers, or names why not."""
    with Lab(binary) as lab:
        good = lab.run("doctor", "--json")
        findings = {f["part"]: f for f in json.loads(good.stdout)["findings"]}
        assert findings["stripe"]["is"] == "ok" and findings["clock"]["is"] == "ok", findings
        assert findings["daemon"]["is"] == "ok", findings
        lab.sandbox.kill()
        bad = lab.run("doctor", check=False)
        assert bad.returncode == 1 and "BAD" in bad.stdout and "stripe" in bad.stdout, bad


if __name__ == "__main__":
    harness.main([help_of_every_command, tokens_without_a_daemon,
                  events_listed_shown_and_replayed, doctor])
