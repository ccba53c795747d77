"""What commands say that wait without a stream: for a first question, or for a request that takes long."""

from __future__ import annotations

from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.cli import context as contexts
from overmind_core.cli.agents import inbox


@pytest.mark.parametrize(("open_at_once", "lines"), [
    (False, ["waits for the first question; none is open: overmind ps"]),
    (True, []),
])  # fmt: skip
def test_who_waits_for_the_first_question_is_told_that_none_is_open(monkeypatch, open_at_once, lines):
    monkeypatch.setattr(inbox, "LOOK_SECONDS", 0.0)
    answers = iter([*([] if open_at_once else [[], []]), [1], [1], [1]])
    noted: list[str] = []
    printed: list[str] = []
    client = SimpleNamespace(call=lambda _command: next(answers))
    context: Any = SimpleNamespace(client=lambda: client, note=noted.append, print=printed.append)
    args: Any = SimpleNamespace(json=True, watch=False, wait=True)
    assert inbox.inbox(args, context) == 0
    assert (noted, printed) == (lines, ["[1]"])


def test_a_request_that_takes_long_is_said_where_a_program_reads_too_if_it_may_take_for_ever(monkeypatch):
    monkeypatch.setattr(contexts, "UNEXPLAINED_SECONDS", 0.0)
    monkeypatch.setattr("sys.stderr", SimpleNamespace(isatty=lambda: False))
    said: list[str] = []
    told = Event()

    def note(text: str) -> None:
        said.append(text)
        told.set()

    context: Any = SimpleNamespace(note=note)
    with contexts.Waiting(context, "for a person", to_pipe=False), contexts.Waiting(context, "for all", to_pipe=True):
        assert told.wait(30)
    assert said == ["for all"]
