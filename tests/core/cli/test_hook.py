"""The hook that agents' programs call: it hands on one event, and is never in the way."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.core.cli.test_main import FORBIDDEN, LOOK

EVENT = {"hook_event_name": "Stop", "session_id": "s"}
PROOF = ["--mission", "a1b2c3d4", "--token", "secret"]


def test_it_imports_nothing_heavy(tmp_path):
    looked = subprocess.run(
        [sys.executable, "-c", LOOK, "hook", *PROOF],
        env={"OVERMIND_HOME": str(tmp_path / "home"), "PYTHONPATH": ":".join(sys.path)},
        input=json.dumps(EVENT),
        capture_output=True,
        text=True,
    )

    imported = looked.stderr.splitlines()[-1].split()
    assert imported[0] == "0"
    assert not set(FORBIDDEN) & set(imported[1:])
