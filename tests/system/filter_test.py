#!/usr/bin/env python3
"""tilld does its work under the system-call filter of its unit.

usage: filter_test.py BINARY
"""

import os
import shutil
import subprocess

import harness
from harness import Lab, Process, deliver, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNDER = [os.path.join(ROOT, "tests/system/under_filter.py"), os.path.join(ROOT,
                                                                           "systemd/tilld.service")]


def filter_binds(binary):
    """The filter really refuses: a program that sets a priority is told EPERM."""
    if not possible():
        return
    done = subprocess.run(UNDER + ["/usr/bin/nice", "-n", "1", "/bin/true"], capture_output=True,
                          text=True)
    assert "not permitted" in done.stderr, done


def works_under_the_filter(binary):
    """Events, orders, reads, a full restart: all of it under the filter."""
    if not possible():
        return
    with Lab(binary) as lab:
        assert lab.daemon.stop() == 0
        lab.daemon = Process(UNDER + [binary, "serve", "--config", lab.config, "--data", lab.data],
                             lab.dir + "/daemon.log")
        wait_for(lambda: Lab.listening(lab.webhook_port, lab.daemon), 20, "it listens")
        api = lab.api()
        product = api.post("/v1/products", {"name": "Pro"}).json
        price = api.post("/v1/prices", {"product": product["id"], "currency": "usd",
                                        "unit_amount": 500, "recurring": {"interval": "month"}})
        customer = api.post("/v1/customers", {"email": "a@b.c", "payment_method": "pm_card_visa",
                                              "invoice_settings": {
                                                  "default_payment_method": "pm_card_visa"},
                                              "metadata": {"user_id": "ada"}}).json
        sub = api.post("/v1/subscriptions", {"customer": customer["id"],
                                             "items": [{"price": price.json["id"]}]})
        assert sub.status == 200, sub
        wait_for(lambda: api.get("/api/customers/ada/entitlements").json["active"], 10, "active")
        wait_for(lab.deliveries_done, 20, "webhooks arrive")
        assert api.get("/metrics").status == 200
        lab.run("token", "create", "--name", "other")
        assert lab.daemon.stop() == 0


def possible():
    have = subprocess.run(["/usr/bin/python3", "-c", "import seccomp"],
                          capture_output=True).returncode == 0
    have = have and shutil.which("systemd-analyze") is not None
    if not have:
        print("     (skipped: needs python3-seccomp and systemd-analyze)")
    return have


if __name__ == "__main__":
    harness.main([filter_binds, works_under_the_filter])
