"""The npm packages of the SDK suite (sdk/package-lock.json), where tests find them."""

import os
import shutil
import subprocess
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdk")
NODE_NEEDED = 20  # stripe-node's own need


def directory_of(arguments):
    """Takes DIRECTORY out of `program BINARY [DIRECTORY]`; without it: beside the binary."""
    beside = os.path.join(os.path.dirname(os.path.abspath(arguments[1])), "sdk")
    return os.path.abspath(arguments.pop(2)) if len(arguments) > 2 else beside


def install(to):
    """npm ci, unless it was done for this very lock file. None: no node, or no way to get them."""
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    if int(version.lstrip("v").split(".")[0]) < NODE_NEEDED:
        return None
    os.makedirs(to, exist_ok=True)
    with open(os.path.join(HERE, "package-lock.json"), "rb") as f:
        lock = f.read()
    stamp = os.path.join(to, "installed-lock.json")
    if os.path.exists(stamp):
        with open(stamp, "rb") as f:
            if f.read() == lock:
                return to
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(HERE, name), to)
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=to,
                          capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stderr[-2000:], file=sys.stderr)
        return None
    with open(stamp, "wb") as f:
        f.write(lock)
    return to
