#!/usr/bin/env python3
"""The OpenAPI document, read by tools of others: a validator, and a generator of typed clients.

usage: openapi_test.py BINARY [DIRECTORY]

DIRECTORY takes node's packages (npm ci); without it they lie beside the binary.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import harness
import node_packages
from harness import Lab

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "openapi")


def packages():
    where = node_packages.install(DIRECTORY)
    if where is None:
        print("skip: needs node 20, npm and the npm registry")
    return where


def run(*command, cwd=None):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=cwd)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


def valid(binary):
    """The document is valid OpenAPI 3.1, can be had without a token, and docs/api.md has all"""
    where = packages()
    with Lab(binary) as lab, tempfile.TemporaryDirectory() as scratch:
        answer = harness.Client(lab.api_port).get("/openapi.json")
        assert answer.status == 200 and answer.json["openapi"] == "3.1.0", answer
        names = [o["operationId"] for p in answer.json["paths"].values() for o in p.values()]
        assert len(names) == len(set(names)), names
        with open(os.path.join(HERE, "../../../docs/api.md")) as f:
            page = f.read()
        missing = [f"{verb.upper()} {path}" for path, verbs in answer.json["paths"].items()
                   for verb in verbs if f"`{verb.upper()} {path}`" not in page]
        assert not missing, f"not in docs/api.md: {missing}"
        document = os.path.join(scratch, "openapi.json")
        with open(document, "wb") as f:
            f.write(answer.body)
        if where:
            run("node", os.path.join(HERE, "validate.mjs"), where, document)


def typed(binary):
    """A client typed from the document compiles, strictly, and goes through a tour"""
    where = packages()
    if not where:
        return
    with Lab(binary) as lab, tempfile.TemporaryDirectory() as scratch:
        document = os.path.join(scratch, "openapi.json")
        with open(document, "wb") as f:
            f.write(harness.Client(lab.api_port).get("/openapi.json").body)
        os.symlink(os.path.join(where, "node_modules"), os.path.join(scratch, "node_modules"))
        shutil.copy(os.path.join(HERE, "tour.ts"), scratch)
        with open(os.path.join(scratch, "package.json"), "w") as f:
            json.dump({"type": "module"}, f)
        tools = os.path.join(where, "node_modules", ".bin")
        run(os.path.join(tools, "openapi-typescript"), document, "-o", "tilld.d.ts", cwd=scratch)
        run(os.path.join(tools, "tsc"), "--strict", "--noUncheckedIndexedAccess", "--target",
            "es2022", "--module", "esnext", "--moduleResolution", "bundler", "--types", "node",
            "--skipLibCheck", "tour.ts", cwd=scratch)
        said = run("node", "tour.js", f"http://127.0.0.1:{lab.api_port}", lab.admin, cwd=scratch)
        assert said.strip() == "the tour is done", said


if __name__ == "__main__":
    DIRECTORY = node_packages.directory_of(sys.argv)
    harness.main([valid, typed])
