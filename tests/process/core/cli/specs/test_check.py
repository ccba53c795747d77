"""`spec check` judges documents as a run would: by name, folder or file, for people and for programs."""

from __future__ import annotations

import os
import subprocess

import pytest

from overmind_core.domain.specs.spec import PHASES
from tests.core.cli.specs.test_check import ALL_PASSED, FOLDER, write
from tests.kit.spec_documents import FILES, WHOLE


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A repository with a spec to which nothing can be added, and we are in it."""
    top = tmp_path / "shop"
    for name in FILES:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text("")
    subprocess.run(["git", "init", "-q"], cwd=top, check=True)
    (top / FOLDER).mkdir(parents=True)
    monkeypatch.chdir(top)
    for phase in PHASES:
        write(phase, WHOLE[phase])
    return top


def test_no_daemon_is_started_and_nothing_is_written(shop, om):
    before = sorted(os.listdir(shop / FOLDER))
    assert om.ok("spec", "check", "carts", cwd=str(shop)).splitlines() == ALL_PASSED
    assert "not running" in om.refused("status", code="daemon_not_running")
    assert sorted(os.listdir(shop / FOLDER)) == before
