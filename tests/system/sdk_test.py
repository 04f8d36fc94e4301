#!/usr/bin/env python3
"""The official libraries, stripe-node and stripe-python, as their users use them.

usage: sdk_test.py BINARY [DIRECTORY]

DIRECTORY takes node's packages (npm ci); without it they lie beside the binary. The suites take a
base URL, so that they run against anything that speaks Stripe's API. A check that met a 501 is
counted as skipped and listed.
"""

import os
import subprocess
import sys

import harness
import node_packages
from harness import Lab

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sdk")
SYSTEM_PYTHON = "/usr/bin/python3"  # Debian's, which has python3-stripe


def run_suite(binary, command, through_tilld):
    """A suite against a fresh sandbox, or a tilld before one; all that it prints is shown."""
    with (Lab if through_tilld else SandboxAlone)(binary) as lab:
        sandbox = f"http://127.0.0.1:{lab.sandbox_port}"
        env = dict(os.environ, SDK_CONTROL=sandbox)
        to = [sandbox, lab.KEY]
        if through_tilld:
            env["SDK_THROUGH"] = "tilld"
            to = [f"http://127.0.0.1:{lab.api_port}", lab.admin]
        done = subprocess.run(command + to, capture_output=True, text=True, timeout=400, env=env)
        print(done.stdout, end="", flush=True)
        if done.stderr:
            print(done.stderr[-4000:], file=sys.stderr)
        assert done.returncode == 0, "the suite failed"


class SandboxAlone(Lab):
    def __enter__(self):
        self.start_sandbox()
        return self


def run_node(binary, through_tilld):
    where = node_packages.install(DIRECTORY)
    if where is None:
        print("skip node: needs node 20, npm and the npm registry")
        return
    run_suite(binary, ["node", os.path.join(HERE, "node", "run.js"), where], through_tilld)


def run_python(binary, through_tilld):
    have = subprocess.run([SYSTEM_PYTHON, "-c", "import stripe"], capture_output=True)
    if have.returncode != 0:
        print("skip python: needs Debian's package python3-stripe")
        return
    run_suite(binary, [SYSTEM_PYTHON, os.path.join(HERE, "python", "run.py")], through_tilld)


def node(binary):
    """stripe-node: every check of its suite"""
    run_node(binary, through_tilld=False)


def python(binary):
    """stripe-python: every check of its suite"""
    run_python(binary, through_tilld=False)


def node_through(binary):
    """stripe-node through tilld: every check of its suite"""
    run_node(binary, through_tilld=True)


def python_through(binary):
    """stripe-python through tilld: every check of its suite"""
    run_python(binary, through_tilld=True)


if __name__ == "__main__":
    DIRECTORY = node_packages.directory_of(sys.argv)
    harness.main([node, python, node_through, python_through])
