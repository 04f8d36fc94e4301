"""Real processes, real sockets: what the system tests share. Standard library only."""

import hashlib
import hmac
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse


API_VERSION = ""  # of the sandbox, once it was asked


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(condition, seconds, what):
    """Calls condition() until it is truthy; returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def form(params, prefix=""):
    """Nested parameters as Stripe's SDKs write them."""
    pairs = []
    items = params.items() if isinstance(params, dict) else enumerate(params)
    for key, value in items:
        name = f"{prefix}[{key}]" if prefix else str(key)
        if isinstance(value, (dict, list)):
            pairs += form(value, name)
        else:
            text = "true" if value is True else "false" if value is False else str(value)
            pairs.append((name, text))
    return pairs


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Client:
    """One keep-alive connection; not for several threads."""

    def __init__(self, port, token=None, timeout=60):
        self.port, self.token, self.timeout, self.conn = port, token, timeout, None

    def request(self, verb, target, body=None, headers=None):
        headers = dict(headers or {})
        if self.token and "Authorization" not in headers:
            headers["Authorization"] = "Bearer " + self.token
        if self.conn is None:
            self.conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            self.conn.request(verb, target, body=body, headers=headers)
            response = self.conn.getresponse()
            data = response.read()
        except Exception:
            self.close()
            raise
        if response.getheader("Connection", "").lower() == "close":
            self.close()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, data)

    def close(self):
        if self.conn is not None:
            self.conn.close()
            self.conn = None

    def get(self, target, **kw):
        return self.request("GET", target, **kw)

    def delete(self, target, **kw):
        return self.request("DELETE", target, **kw)

    def post(self, target, params=None, key=None, headers=None):
        headers = dict(headers or {})
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        if key:
            headers["Idempotency-Key"] = key
        return self.request("POST", target, urllib.parse.urlencode(form(params or {})), headers)


def sign(secret, body, when=None):
    when = int(time.time()) if when is None else when
    mac = hmac.new(secret.encode(), f"{when}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={when},v1={mac}"


def deliver(client, secret, event, endpoint="main", when=None):
    body = event if isinstance(event, bytes) else json.dumps(event, indent=2).encode()
    return client.request(
        "POST", f"/webhooks/stripe/{endpoint}", body,
        {"Content-Type": "application/json", "Stripe-Signature": sign(secret, body, when)})


class Process:
    """A program under test; its output goes to a file that is shown when a test fails."""

    def __init__(self, args, log, env=None):
        self.log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(args, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                            env=env or os.environ.copy())

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
        return self.process.wait()

    def stop(self, seconds=30):
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the process did not stop on SIGTERM")


class Lab:
    """A directory, a sandbox in a process of its own, and a tilld before it."""

    WEBHOOK_SECRET = "whsec_test_of_the_system_tests_0001"
    KEY = "sk_test_systemtests0000000001"

    def __init__(self, binary, with_sandbox=True, settings="", sandbox_options=()):
        self.binary, self.sandbox_options = binary, sandbox_options
        self.dir = tempfile.mkdtemp(prefix="tilld-test-")
        self.api_port, self.webhook_port, self.sandbox_port = free_port(), free_port(), free_port()
        self.data = os.path.join(self.dir, "data")
        self.daemon = self.sandbox = None
        self.with_sandbox = with_sandbox
        self.write("whsec", self.WEBHOOK_SECRET)
        self.write("key", self.KEY)
        self.config = self.write("tilld.toml", f"""
[api]
listen = "127.0.0.1:{self.api_port}"
[webhooks]
listen = "127.0.0.1:{self.webhook_port}"
[account.main]
api_url = "http://127.0.0.1:{self.sandbox_port}"
secret_key_file = "{self.dir}/key"
webhook_secret_files = ["{self.dir}/whsec"]
read_rate = 1000
write_rate = 1000
{settings}""")

    def write(self, name, content):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(content)
        os.chmod(path, 0o600)
        return path

    def start_sandbox(self):
        self.sandbox = Process(
            [self.binary, "sandbox", "--listen", f"127.0.0.1:{self.sandbox_port}", "--key",
             self.KEY, "--webhook-url",
             f"http://127.0.0.1:{self.webhook_port}/webhooks/stripe/main",
             "--webhook-secret-file", f"{self.dir}/whsec", *self.sandbox_options],
            f"{self.dir}/sandbox.log")
        wait_for(lambda: self.listening(self.sandbox_port, self.sandbox), 20, "the sandbox listens")

    def start_daemon(self, *args, env=None):
        self.daemon = Process([self.binary, "serve", "--config", self.config, "--data", self.data,
                               *args], f"{self.dir}/daemon.log", env)
        wait_for(lambda: self.listening(self.webhook_port, self.daemon), 30, "tilld listens")

    @staticmethod
    def listening(port, process):
        if not process.alive():
            raise AssertionError(f"ended with {process.process.returncode} before it listened")
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    def run(self, *args, check=True):
        done = subprocess.run([self.binary, *args, "--config", self.config, "--data", self.data],
                              capture_output=True, text=True, timeout=60)
        if check and done.returncode != 0:
            raise AssertionError(f"tilld {' '.join(args)}: {done.returncode} {done.stderr}")
        return done

    def token(self, scope="admin", name="test"):
        return self.run("token", "create", "--name", name, "--scope", scope).stdout.strip()

    def api(self, token=None):
        return Client(self.api_port, token or getattr(self, "admin", None))

    def webhooks(self):
        return Client(self.webhook_port)

    def stripe(self):
        return Client(self.sandbox_port, self.KEY, timeout=300)  # a year may be walked through

    def dump(self):
        return self.stripe().get("/_sandbox/dump").json

    def deliveries_done(self):
        return self.stripe().get("/_sandbox/deliveries").json["waiting"] == 0

    def __enter__(self):
        try:
            if self.with_sandbox:
                self.start_sandbox()
            self.admin = self.token()
            self.start_daemon()
        except BaseException:
            self.show_logs()
            self.__exit__(None, None, None)
            raise
        return self

    def show_logs(self):
        for name in ("sandbox.log", "daemon.log"):
            path = os.path.join(self.dir, name)
            if os.path.exists(path):
                with open(path, errors="replace") as f:
                    print(f"--- {name}\n{f.read()[-6000:]}", file=sys.stderr)

    def __exit__(self, kind, *rest):
        if kind is not None:
            self.show_logs()
        for process in (self.daemon, self.sandbox):
            if process is not None:
                process.kill()
        if not os.environ.get("TILLD_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def mirror_differences(lab, kinds, ignore=()):
    """Every object of the sandbox, as tilld's mirror has it. Returns what differs."""
    api = lab.api()
    paths = {
        "customer": "customers", "product": "products", "price": "prices",
        "subscription": "subscriptions", "invoice": "invoices", "charge": "charges",
        "payment_intent": "payment_intents", "payment_method": "payment_methods",
        "setup_intent": "setup_intents", "refund": "refunds", "coupon": "coupons",
        "promotion_code": "promotion_codes", "invoiceitem": "invoiceitems",
        "invoice_payment": "invoice_payments",
    }
    differences, compared = [], 0
    for kind, objects in lab.dump().items():
        if kind not in kinds:
            continue
        for object_id, truth in objects.items():
            answer = api.get(f"/v1/{paths[kind]}/{urllib.parse.quote(object_id)}")
            compared += 1
            if truth.get("deleted"):
                fits = answer.status == 404 or answer.json.get("deleted") is True
            else:
                fits = answer.status == 200 and canonical(answer.json) == canonical(truth)
            if answer.headers.get("tilld-source") != "mirror":
                differences.append((kind, object_id, "not in the mirror", truth))
            elif not fits:
                differences.append((kind, object_id, answer.body.decode(), truth))
    return differences, compared


def main(tests, needs_binary=True):
    """Runs the functions in turn: `program BINARY [name…]`."""
    binary = os.path.abspath(sys.argv[1])
    wanted = sys.argv[2:]
    failed = passed = 0
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        began = time.monotonic()
        try:
            test(binary)
            passed += 1
            print(f"ok   {test.__doc__.strip().splitlines()[0]} ({time.monotonic() - began:.1f} s)",
                  flush=True)
        except Exception as error:  # noqa: BLE001 - the runner reports whatever went wrong
            import traceback
            traceback.print_exc()
            failed += 1
            print(f"FAIL {test.__doc__.strip().splitlines()[0]}: {error}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)
