"""The blueprints that we hand out do what their comments say. They share one daemon, and run at the same time."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from tests.kit.blueprints import EXAMPLES

pytestmark = pytest.mark.shared_home

SAID = {
    "linear": {"publish": "published\n"},
    "diamond": {"left": "left\n", "right": "right\n", "join": "whole\n"},
    "service": {"migrate": "tables created\n", "test": "12 passed\n"},
    "data": {
        "report": "O'Hara has 6 letters\nit's \"quoted\" and has $(no) surprises\n",
        "stamp": "done in 20",
    },
    "failure": {"docs": "docs built\n", "alarm": "flaky failed with 3\n", "clean": "cleaned up\n"},
    "ci": {
        "report": "lint: exit code 0, 6 files, 0 problems\n"
        "test-words: exit code 0\ntest-command: exit code 0\nbuild: exit code 0, "
    },
}
"""Plan → agents → how the output of each begins."""
ENDS = {
    "linear": "3 succeeded in",
    "diamond": "4 succeeded in",
    "service": "2 succeeded, 1 stopped in",
    "data": "4 succeeded in",
    "failure": "3 succeeded, 1 failed, 1 skipped in",
    "ci": "5 succeeded in",
}
VARIABLES = {"data": ("--var", "name=O'Hara")}


def test_every_example_does_what_it_says(om, cases, tmp_path):
    folder = shutil.copytree(EXAMPLES, tmp_path / "examples")
    plans = {name: om.json("apply", "--json", folder / f"{name}.toml", *VARIABLES.get(name, ()))["id"] for name in SAID}

    waited = om("wait", *plans.values())

    assert waited.returncode == 1, "failure.toml fails, and nothing else does"
    logs = sections(om.ok("logs", *plans, *(f"{plan}/{agent}" for plan, agents in SAID.items() for agent in agents)))
    for plan, agents in SAID.items():
        with cases(plan):
            assert logs[plan].splitlines()[-1].startswith(f"--- {plan}: {ENDS[plan]} "), logs[plan]
            for agent, text in agents.items():
                assert logs[f"{plan}/{agent}"].startswith(text), agent
    assert os.path.exists(folder / "ci-project" / "build" / "tally.pyz")


def sections(text):
    """Name → log, of logs under their headings."""
    parts = re.split(r"^=== (\S+) \([0-9a-f]{8}\) ===\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
