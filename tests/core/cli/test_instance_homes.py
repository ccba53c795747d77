"""Homes of instances of pools: what was left by one that was killed is removed by the next, and nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from overmind_core.cli.swarm import serve
from overmind_core.system.lock import try_lock
from overmind_core.system.paths import Home


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two homes, made a while ago."""
    for name in ("hpc-1", "hpc-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pool.json").write_text("{}")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + serve.YOUNG + 1)
    return tmp_path


def left(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_what_an_instance_has_left_is_removed_and_one_that_runs_is_not(folder):
    lock = try_lock(Home(str(folder / "hpc-2")).keeper_lock)
    assert lock is not None
    try:
        serve.remove_left(str(folder))
        assert left(folder) == ["hpc-2"]
    finally:
        lock.release()
    serve.remove_left(str(folder))
    assert left(folder) == []


def test_one_that_is_being_made_is_left_alone(folder, monkeypatch):
    monkeypatch.undo()
    serve.remove_left(str(folder))
    assert left(folder) == ["hpc-1", "hpc-2"]
