"""The check of named hives."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from overmind_core.cli.doctor import hives
from overmind_core.cli.doctor.finding import CheckContext
from overmind_core.cli.external import run_program
from overmind_core.system.paths import Home

BY_SSH = '[hives.eu1]\nssh = "eu1.example.com"\n'
BY_GATE = '[hives.box]\ngate = ["docker", "exec", "-i", "box", "overmind", "gate"]\n'


@pytest.mark.parametrize(
    ("text", "ssh", "status", "words"),
    [
        (None, True, None, ""),
        ("[queue]\nslots = 2\n", False, None, ""),
        (BY_SSH + BY_GATE, True, "ok", "eu1, box; whether they answer: overmind hive list"),
        (BY_GATE, False, "ok", "box; "),
        (BY_SSH + BY_GATE, False, "fail", "no ssh on the PATH, which eu1 is reached by"),
        ("[hives.eu1]\nport = 22\n", True, "fail", "unknown key 'port'"),
        ('[hives.all]\nssh = "a"\n', True, "fail", "can't be called"),
        ("[hives\n", True, "fail", "config.toml"),
    ],
)
def test_it_finds(tmp_path, text, ssh, status, words):
    home = Home(str(tmp_path))
    if text is not None:
        Path(home.config).write_text(text)
    context = CheckContext({}, home, run_program, lambda name: f"/bin/{name}" if ssh else None, sys.platform)
    found = hives.named(context)
    assert (None if found is None else found.status) == status
    assert words in ("" if found is None else found.found)
