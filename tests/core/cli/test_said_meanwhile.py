"""What commands say that wait without a stream: for a first question, or for a request that takes long."""

from __future__ import annotations

from contextlib import suppress
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.cli import caller_environment
from overmind_core.cli import context as contexts
from overmind_core.cli.agents import inbox
from overmind_core.cli.main import run
from overmind_core.errors import OvermindError


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


_FOLDER = "/src/shop"
_LOCK = ", or for a lock that another git holds"
_ENDED = "waiting for git and for containers to end"
_GIT_VERBS = {
    "changes": (["changes", "red"], "Reading the changes of red: waiting for git"),
    "commit": (["commit", "red", "-m", "x"], f"Committing red: waiting for git and its hooks{_LOCK}"),
    "discard": (["discard", "red", "blue"], f"Discarding red, blue: {_ENDED}{_LOCK}"),
    "isolate": (["isolate"], f"Checking the project in {_FOLDER}: waiting for git and the container engine"),
    "prune": (["prune", "-y"], f"Removing missions: waiting for git and the disk{_LOCK}"),
    "push": (
        ["push", "red"],
        "Pushing red: waiting for the remote to answer, or for another push of its branch to end",
    ),
    "rm": (["rm", "-y", "a", "b", "c", "d"], f"Removing a, b, c and others: {_ENDED}{_LOCK}"),
    "worktrees": (["worktrees"], "Listing worktrees: waiting for git"),
    "worktrees_prune": (["worktrees", "prune", "-y", "--all"], f"Pruning worktrees: {_ENDED}{_LOCK}"),
}
"""Request → words of a command that sends it, and what is said once it takes long."""


class _Slow:
    """A client whose requests are answered, with an error, once it was said what is waited for."""

    def __init__(self, told: Event) -> None:
        self._told = told
        self.sent: list[str] = []

    def call(self, command: str, _args: object = None) -> Any:
        self.sent.append(command)
        assert self._told.wait(30), f"nothing was said while {command} took long"
        raise OvermindError("busy", "As the test has it.")

    def call_each(self, command: str, requests: list[object], meanwhile: object = None) -> list[Any]:
        assert meanwhile is None
        try:
            answer = self.call(command)
        except OvermindError as error:
            answer = error
        return [answer for _ in requests]


@pytest.mark.parametrize("request_name", sorted({*contexts.GIT_WAITS, *_GIT_VERBS}))
def test_a_command_whose_git_takes_long_says_what_it_waits_for(monkeypatch, request_name):
    words, line = _GIT_VERBS[request_name]
    monkeypatch.setattr(contexts, "GIT_SECONDS", 0.0)
    monkeypatch.setattr(caller_environment, "working_directory", lambda _folder: _FOLDER)
    said: list[str] = []
    told = Event()

    def note(_context: object, text: str) -> None:
        said.append(text)
        told.set()

    client = _Slow(told)
    monkeypatch.setattr(contexts.Context, "note", note)
    monkeypatch.setattr(contexts.Context, "client", lambda _context, **_start: client)
    with suppress(OvermindError):
        run(words, contexts.Context({"OVERMIND_HOME": "/nowhere"}))
    assert (client.sent, said[0]) == ([request_name], line)


def test_what_a_quick_git_does_is_not_said(monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(contexts.Context, "note", lambda _context, text: said.append(text))
    with contexts.Context({}).waiting_for_git("commit", ["red"]):
        pass
    assert not said
