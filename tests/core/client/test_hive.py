"""A named hive as it is asked whether it runs: the question starts nothing there."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.client.hives import channel
from overmind_core.client.hives.hive import Hive
from overmind_core.errors import OvermindError


class Asked(Hive):
    """Notes how it is connected to, and answers with an error if there is one."""

    def __init__(self, folder: str, error: OvermindError | None) -> None:
        super().__init__("eu1", ["true"], config=f"{folder}/config.toml")
        self.error = error
        self.starts: list[bool] = []
        self.closed = 0

    def connect(self, *, start: bool, searching: Any = None, limit: float = 0.0) -> Any:
        del searching, limit
        self.starts.append(start)
        if self.error is not None:
            raise self.error
        return SimpleNamespace(close=self.close_one), None

    def close_one(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("code", [None, "daemon_not_running"])
def test_whether_a_daemon_runs_there_is_asked_without_starting_one(tmp_path, code):
    hive = Asked(str(tmp_path), None if code is None else OvermindError(code, "It does not run."))
    assert hive.has_daemon() is (code is None)
    assert (hive.starts, hive.closed) == ([False], int(code is None))


def test_who_can_not_be_asked_is_no_answer(tmp_path):
    with pytest.raises(OvermindError, match="silent"):
        Asked(str(tmp_path), OvermindError("hive_silent", "It is silent.")).has_daemon()


def test_who_asks_one_that_does_not_answer_yet_hears_of_it_meanwhile(tmp_path, monkeypatch):
    monkeypatch.setattr(channel, "_BEAT", 0.01)
    hive = Hive("eu1", [sys.executable, "-c", "input(); input()"], config=f"{tmp_path}/config.toml")
    said: list[str] = []
    with pytest.raises(OvermindError, match="eu1 can't be asked"):
        hive.connect(start=False, searching=said.append, limit=0.2)
    assert set(said) == {"waits for eu1 to answer"}
