#!/usr/bin/env python3
"""The README's tour, pasted line by line, and what it promises.

usage: tour_test.py BINARY
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import harness
from harness import Process, free_port, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tour_lines():
    with open(os.path.join(ROOT, "README.md")) as f:
        text = f.read()
    blocks = re.findall(r"<!-- tour -->\n```sh\n(.*?)```", text, re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def paste(lines, directory, replace):
    """One shell, one line after the other; returns what each printed."""
    marker = "=== line "
    script = "set -u\n"
    for number, line in enumerate(lines):
        for old, new in replace:
            line = line.replace(old, new)
        script += f"echo '{marker}{number}'\n{line}\n"
    done = subprocess.run(["bash", "-c", script], cwd=directory, capture_output=True, text=True,
                          timeout=60)
    if done.returncode != 0 or done.stderr.strip():
        raise AssertionError(f"the tour said: {done.stderr}\n{done.stdout}")
    outputs = done.stdout.split(marker)[1:]
    return [o.split("\n", 1)[1].strip() if "\n" in o else "" for o in outputs]


def the_tour(binary):
    """The tour of the README works as pasted."""
    directory = tempfile.mkdtemp(prefix="tilld-tour-")
    api, webhooks, sandbox = free_port(), free_port(), free_port()
    os.makedirs(os.path.join(directory, "build/release"))
    os.symlink(binary, os.path.join(directory, "build/release/tilld"))
    process = Process([binary, "serve", f"--sandbox=127.0.0.1:{sandbox}", "--data",
                       os.path.join(directory, "data"), "--listen", f"127.0.0.1:{api}",
                       "--listen-webhooks", f"127.0.0.1:{webhooks}"],
                      os.path.join(directory, "log"))
    try:
        wait_for(lambda: os.path.exists(os.path.join(directory, "data/dev-token")), 20, "a token")
        lines = tour_lines()
        outputs = dict(zip(lines, paste(lines, directory, [
            ("127.0.0.1:8455", f"127.0.0.1:{api}"), ("127.0.0.1:12111", f"127.0.0.1:{sandbox}")])))
        entitled = json.loads(next(o for l, o in outputs.items() if l.endswith("| jq")))
        assert entitled["active"] is True, entitled
        assert entitled["features"] == ["api", "export"], entitled
        invoice = json.loads(next(o for l, o in outputs.items() if "/v1/invoices" in l))
        assert invoice["status"] == "paid" and invoice["total"] == 1900, invoice
        canceled = json.loads(next(o for l, o in outputs.items() if "{active, status" in l))
        assert canceled["active"] is False and canceled["features"] == [], canceled
        again = [o for l, o in outputs.items()
                 if "Idempotency-Key" in l and "SUBSCRIPTION=" not in l]
        assert again[0].startswith("sub_"), again
        assert any("customer.subscription.deleted" in o for o in outputs.values())
        mode = os.stat(os.path.join(directory, "data/dev-token")).st_mode & 0o777
        assert mode == 0o600, oct(mode)
    except BaseException:
        with open(os.path.join(directory, "log"), errors="replace") as f:
            print(f.read()[-5000:], file=sys.stderr)
        raise
    finally:
        code = process.stop()
        shutil.rmtree(directory, ignore_errors=True)
    assert code == 0, f"it ended with {code} on SIGTERM"


def state_outlives_a_restart(binary):
    """serve --sandbox started again knows what it knew."""
    directory = tempfile.mkdtemp(prefix="tilld-tour-")
    ports = [free_port() for _ in range(3)]

    def start():
        p = Process([binary, "serve", f"--sandbox=127.0.0.1:{ports[2]}",
                     "--data", directory + "/data", "--listen", f"127.0.0.1:{ports[0]}",
                     "--listen-webhooks", f"127.0.0.1:{ports[1]}"], directory + "/log")
        wait_for(lambda: harness.Lab.listening(ports[1], p), 20, "it listens")
        wait_for(lambda: os.path.exists(directory + "/data/dev-token"), 20, "a token")
        return p

    process = start()
    try:
        with open(directory + "/data/dev-token") as f:
            token = f.read().strip()
        client = harness.Client(ports[0], token)
        made = client.post("/v1/customers", {"email": "a@b.c", "metadata": {"user_id": "u1"}})
        assert made.status == 200, made
        client.close()
        assert process.stop() == 0
        process = start()
        client = harness.Client(ports[0], token)
        assert client.get("/api/customers/u1").status == 200
        changed = client.post(f"/v1/customers/{made.json['id']}", {"name": "Ada"})
        assert changed.status == 200 and changed.json["name"] == "Ada", changed
    finally:
        process.stop()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    harness.main([the_tour, state_outlives_a_restart])
