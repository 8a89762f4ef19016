"""`run_node`: runs the page's modules under Node; missing, it is a skip, but a failure in CI."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from importlib.resources import files
from typing import Any

import pytest

ASSETS = files("convcheck.visualizer").joinpath("assets")


def run_node(script: str, given: Any = None) -> Any:
    """What `script` passes to `answer(value)`; it sees `given`, and the modules by `use(name)`."""
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("node is missing, and CI must not leave out the page's arithmetic")
        pytest.skip("node is missing: the page's arithmetic is not compared with Python's")
    program = f"""
      import {{ readFileSync }} from "node:fs";
      const given = JSON.parse(readFileSync(0, "utf8"));
      const use = (name) => import({json.dumps("file://" + str(ASSETS))} + "/" + name + ".mjs");
      const answer = (value) => process.stdout.write(JSON.stringify(value));
      {script}
    """
    done = subprocess.run(
        [node, "--input-type=module", "--eval", program],
        input=json.dumps(given), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(name="run_node", scope="session")
def run_node_fixture() -> Any:
    """`run_node(script, given=None)`."""
    return run_node
