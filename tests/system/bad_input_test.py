#!/usr/bin/env python3
"""Bad input, each with its answer: strangers at the webhooks, at the API, and bad circumstances.

usage: bad_input_test.py BINARY [test…]
"""

import json
import os
import socket
import subprocess
import time

import harness
from harness import Client, Lab, deliver, free_port, sign, wait_for


def event(event_id="evt_bad_1", **changes):
    e = {"id": event_id, "object": "event", "type": "customer.created", "livemode": False,
         "created": int(time.time()), "api_version": None, "pending_webhooks": 1, "request": None,
         "data": {"object": {"id": "cus_bad", "object": "customer", "created": 1,
                             "livemode": False, "metadata": {}}}}
    e.update(changes)
    return e


def code_of(answer):
    return answer.json["error"]["code"]


def signatures(binary):
    """Wrong, missing, old and future signatures are refused with the reason; nothing is kept."""
    with Lab(binary, with_sandbox=False) as lab:
        client, body = lab.webhooks(), json.dumps(event()).encode()
        post = lambda headers: client.request("POST", "/webhooks/stripe/main", body, headers)
        now = int(time.time())
        good = lab.WEBHOOK_SECRET
        assert code_of(post({})) == "missing"
        assert code_of(post({"Stripe-Signature": "nonsense"})) == "malformed"
        assert code_of(post({"Stripe-Signature": sign("whsec_other", body)})) == "wrong"
        assert code_of(post({"Stripe-Signature": sign(good, body, now - 400)})) == "too_old"
        assert code_of(post({"Stripe-Signature": sign(good, body, now + 400)})) == "too_new"
        assert code_of(post({"Stripe-Signature": sign(good, body + b" ")})) == "wrong"
        assert lab.api().get("/admin/api/events").json["data"] == []
        assert post({"Stripe-Signature": sign(good, body)}).status == 200
        assert len(lab.api().get("/admin/api/events").json["data"]) == 1
        assert client.request("POST", "/webhooks/stripe/other", body, {}).status == 404


def bodies(binary):
    """Truncated, deep, doubled, ill-encoded and oversized bodies are refused, signed or not."""
    with Lab(binary, with_sandbox=False) as lab:
        client = lab.webhooks()
        whole = json.dumps(event()).encode()
        deep = json.dumps(event()).replace('"metadata": {}', '"metadata": ' + "[" * 200 + "]" * 200)
        bad = {
            "truncated": whole[:-10],
            "nested too deep": deep.encode(),
            "invalid UTF-8": whole.replace(b"cus_bad", b"cus_\xff\xfe"),
            "no object": b'{"id":"evt_1","object":"event"}',
            "not JSON": b"hello",
            "empty": b"",
            "id missing": json.dumps(event(id=None)).encode(),
            "doubled key": whole.replace(b'"livemode"', b'"id": "evt_other", "livemode"', 1),
        }
        for what, body in bad.items():
            answer = deliver(client, lab.WEBHOOK_SECRET, body)
            assert answer.status == 400, (what, answer)
            assert answer.json["error"]["message"], what
        too_large = b"x" * (1 << 20) + b"y"
        answer = deliver(client, lab.WEBHOOK_SECRET, too_large)
        assert answer.status == 413, answer
        client.close()
        assert deliver(lab.webhooks(), lab.WEBHOOK_SECRET, event()).status == 200
        assert len(lab.api().get("/admin/api/events").json["data"]) == 1


def strangers_at_the_api(binary):
    """Unknown routes, bad tokens, wrong verbs and strange hosts get their plain errors."""
    with Lab(binary, with_sandbox=False, settings="[orders]\norder_wait_ms = 1500") as lab:
        api = lab.api()
        assert Client(lab.api_port).get("/v1/customers").status == 401
        assert Client(lab.api_port, "tilld_wrong").get("/v1/customers").status == 401
        answer = Client(lab.api_port).get("/v1/customers")
        assert "token" in answer.json["error"]["message"]
        assert api.get("/v1/nonsense").status == 404
        assert "Unrecognized request URL" in api.get("/v1/nonsense").json["error"]["message"]
        assert api.get("/nonsense").status == 404
        assert api.request("PUT", "/api/customers/x/entitlements").status == 405
        assert api.get("/v1/customers?limit=1000").status == 400
        assert api.get("/api/customers/nobody").status == 404
        assert api.get("/v1/customers", headers={"Host": "evil.example"}).status == 421
        assert api.post("/v1/customers", {"email": "x"}).status == 503  # nobody at the other end
        reader = lab.api(lab_token(lab, "read"))
        assert reader.get("/api/customers/nobody").status == 404
        assert reader.post("/v1/customers", {}).status == 403
        assert reader.get("/admin/api/tokens").status == 403
        assert Client(lab.api_port).get("/healthz").status == 200
        assert "tilld_events_total" in Client(lab.api_port).get("/metrics").body.decode()
        # The webhooks' listener shows nothing else.
        assert Client(lab.webhook_port).get("/v1/customers").status == 404
        assert Client(lab.webhook_port).get("/metrics").status == 404


def lab_token(lab, scope):
    return lab.run("token", "create", "--name", scope + "-token", "--scope", scope).stdout.strip()


def revoked_tokens(binary):
    """A token stops working the moment it is revoked; the list never shows it."""
    with Lab(binary, with_sandbox=False) as lab:
        token = lab_token(lab, "read")
        assert lab.api(token).get("/api/customers/nobody").status == 404
        listed = lab.run("token", "list").stdout
        assert "read-token" in listed and token not in listed
        lab.run("token", "revoke", "read-token")
        assert lab.api(token).get("/api/customers/nobody").status == 401
        assert lab.run("token", "revoke", "read-token", check=False).returncode == 1


def idle_connections(binary):
    """2,000 idle and dripping connections do not keep webhooks out."""
    with Lab(binary, with_sandbox=False) as lab:
        crowd = []
        try:
            for i in range(2000):
                s = socket.create_connection(("127.0.0.1", lab.webhook_port))
                if i % 2:
                    s.sendall(b"POST /webhooks/stripe/main HTTP/1.1\r\nHost:")
                crowd.append(s)
            worst = 0
            client = lab.webhooks()
            for i in range(50):
                began = time.monotonic()
                answer = deliver(client, lab.WEBHOOK_SECRET, event(f"evt_idle_{i}"))
                worst = max(worst, time.monotonic() - began)
                assert answer.status == 200, answer
            assert worst < 1, f"an event waited {worst:.2f} s"
        finally:
            for s in crowd:
                s.close()


def slow_client(binary):
    """A request that drips is cut off with 408 or a close, in bounded time."""
    with Lab(binary, with_sandbox=False) as lab:
        with socket.create_connection(("127.0.0.1", lab.webhook_port)) as s:
            s.settimeout(20)
            began = time.monotonic()
            ended = False
            for byte in b"POST /webhooks/stripe/main HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 100:
                try:
                    s.sendall(bytes([byte]))
                    s.setblocking(False)
                    try:
                        if s.recv(1000) in (b"",) or True:
                            ended = True
                    except BlockingIOError:
                        pass
                    s.setblocking(True)
                except OSError:
                    ended = True
                if ended:
                    break
                time.sleep(0.2)
            assert ended and time.monotonic() - began < 10


def wrong_settings(binary):
    """A wrong setting stops the start with one line: file, key, value and what is right."""
    with Lab(binary, with_sandbox=False) as lab:
        bad = lab.write("bad.toml", "[api]\nlisten = \"nonsense\"\n")
        done = subprocess.run([binary, "serve", "--config", bad, "--data", lab.dir + "/other"],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 2, done
        line = done.stderr.strip()
        assert len(line.splitlines()) == 1 and "bad.toml" in line and "listen" in line
        assert "nonsense" in line, line
        done = subprocess.run([binary, "serve", "--config", lab.dir + "/missing.toml"],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 2 and "missing.toml" in done.stderr, done
        assert not os.path.exists(lab.dir + "/other")
        shown = lab.run("config", "show").stdout
        assert lab.KEY not in shown and lab.WEBHOOK_SECRET not in shown and "8455" not in shown


def locked_directory(binary):
    """A second daemon on the same directory is refused, and the first does not notice."""
    with Lab(binary, with_sandbox=False) as lab:
        done = subprocess.run(
            [binary, "serve", "--config", lab.config, "--data", lab.data, "--listen",
             f"127.0.0.1:{free_port()}", "--listen-webhooks", f"127.0.0.1:{free_port()}"],
            capture_output=True, text=True, timeout=20)
        assert done.returncode == 75, done
        assert "in use" in done.stderr, done.stderr
        assert lab.api().get("/readyz").status == 200
        done = subprocess.run([binary, "serve", "--config", lab.config, "--data",
                               lab.dir + "/second"], capture_output=True, text=True, timeout=20)
        assert done.returncode == 75 and str(lab.api_port) in done.stderr, done


def disk_full(binary):
    """On a full disk events are answered 5xx, reads go on, and it recovers by itself."""
    if os.geteuid() != 0:
        print("     (skipped: needs root to mount a tmpfs)")
        return
    lab = Lab(binary, with_sandbox=False, settings="[data]\nleast_free_mib = 16")
    os.makedirs(lab.data, mode=0o700)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m,mode=700", "tmpfs", lab.data],
                             capture_output=True)
    if mounted.returncode != 0:
        print("     (skipped: mounting a tmpfs is not permitted here)")
        return
    try:
        with lab:
            client = lab.webhooks()
            acked, refused = [], None
            ballast = os.path.join(lab.data, "ballast-of-the-test")
            with open(ballast, "wb") as f:
                f.write(b"x" * (20 << 20))
            for i in range(20000):
                e = event(f"evt_full_{i}")
                e["data"]["object"].update(id=f"cus_full_{i}", description="x" * 20000)
                answer = deliver(client, lab.WEBHOOK_SECRET, e)
                if answer.status != 200:
                    refused = answer
                    break
                acked.append(f"cus_full_{i}")
            assert refused is not None and refused.status == 503, refused
            assert refused.headers.get("retry-after"), refused.headers
            assert lab.api().get(f"/v1/customers/{acked[-1]}").status == 200
            ready = lab.api().get("/readyz")
            assert ready.status == 503 and ready.json["parts"]["store"] != "ready", ready
            os.unlink(ballast)
            wait_for(lambda: deliver(lab.webhooks(), lab.WEBHOOK_SECRET,
                                     event("evt_after")).status == 200, 30, "it takes events again")
            wait_for(lambda: lab.api().get("/readyz").status == 200, 10, "it is ready again")
            lab.daemon.kill()
            lab.start_daemon()
            api = lab.api()
            lost = [c for c in acked if api.get(f"/v1/customers/{c}").status != 200]
            assert not lost, f"{len(lost)} of {len(acked)} acknowledged are gone"
    finally:
        subprocess.run(["umount", "-l", lab.data], capture_output=True)


def shutdown(binary):
    """SIGTERM: what was taken is finished, the exit code is 0, and nothing acknowledged is lost."""
    with Lab(binary) as lab:
        api = lab.api()
        made = [api.post("/v1/customers", {"email": f"{i}@x.y"}).json["id"] for i in range(20)]
        api.close()
        assert lab.daemon.stop() == 0
        lab.start_daemon()
        assert all(lab.api().get(f"/v1/customers/{c}").headers["tilld-source"] == "mirror"
                   for c in made)


def no_secret_leaks(binary):
    """Keys, webhook secrets and tokens appear in no log, answer or metric."""
    with Lab(binary) as lab:
        api = lab.api()
        answers = [api.post("/v1/customers", {"email": "a@b.c"}), api.get("/v1/nonsense"),
                   api.get("/readyz"), api.get("/metrics"), api.get("/api/gateway"),
                   api.get("/admin/api/tokens"),
                   deliver(lab.webhooks(), "whsec_wrong", event())]
        text = "".join(str(a.headers) + a.body.decode() for a in answers)
        with open(lab.dir + "/daemon.log", errors="replace") as f:
            text += f.read()
        for name, needle in (("key", lab.KEY), ("webhook secret", lab.WEBHOOK_SECRET),
                             ("token", lab.admin)):
            assert needle not in text, f"the {name} leaks"


if __name__ == "__main__":
    harness.main([signatures, bodies, strangers_at_the_api, revoked_tokens, idle_connections,
                  slow_client, wrong_settings, locked_directory, disk_full, shutdown,
                  no_secret_leaks])
