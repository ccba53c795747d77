"""A test of a provider without a supervisor that answers."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.cli.agents.provider_test import _results
from overmind_core.errors import OvermindError


@pytest.fixture
def notes(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return []


def lost(command, _args=None):
    if command != "ps" or _args is not None:
        raise OvermindError("daemon_lost", "The daemon is gone.")


def test_no_folder_is_left_and_it_is_said_what_may_be(notes, tmp_path):
    client = SimpleNamespace(call=lost)
    context: Any = SimpleNamespace(client=lambda **_: client, starting_place=lambda *_, **__: {}, note=notes.append)
    args: Any = SimpleNamespace(model=None, permission_mode=None, timeout="1s")
    before = signal.getsignal(signal.SIGTERM)
    row = {"task": "acp", "session": "acp", "provider": "gemini", "program": "gemini"}
    found = {one["check"]: one["result"] for one in _results(args, context, row)}
    assert found["task"] == found["session"] == "failed"
    assert os.listdir(tmp_path) == []
    assert signal.getsignal(signal.SIGTERM) is before
    assert len(notes) == 1
    assert notes[0].startswith("Missions may be left, see: overmind ps --all --label provider-test=")
