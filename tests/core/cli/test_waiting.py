"""A person who waits at a terminal is told for what; a program is not."""

from __future__ import annotations

import threading

import pytest

from overmind_core.cli import context as context_module
from overmind_core.cli.context import Context


@pytest.fixture
def told(monkeypatch):
    """Notes of the context, which comes first; as if a second had gone by at once."""
    context, notes, came = Context({}), [], threading.Event()
    monkeypatch.setattr(context_module, "UNEXPLAINED_SECONDS", 0.0)

    def note(text):
        notes.append(text)
        came.set()

    monkeypatch.setattr(context, "note", note)
    return context, notes, came


def test_a_person_is_told_for_what_they_wait(told, monkeypatch):
    context, notes, came = told
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with context.waiting("Waiting for it."):
        assert came.wait(20)
    assert notes == ["Waiting for it."]


def test_nobody_is_told_where_no_person_looks(told, monkeypatch):
    context, notes, _ = told
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    before = threading.active_count()
    with context.waiting("Waiting for it."):
        assert threading.active_count() == before
    assert notes == []


def test_nothing_is_told_of_what_did_not_take_long(told, monkeypatch):
    context, notes, _ = told
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(context_module, "UNEXPLAINED_SECONDS", 3600.0)
    with context.waiting("Waiting for it."):
        (timer,) = [one for one in threading.enumerate() if isinstance(one, threading.Timer)]
    timer.join(20)
    assert notes == []
