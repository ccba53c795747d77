"""Several hives are asked at once: what came of each, in the order in which they were asked, and who was silent."""

from __future__ import annotations

import threading
from queue import Empty
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.cli.hives import gather as gathering
from overmind_core.cli.hives.gather import CONNECT, SILENCE, gather
from overmind_core.errors import OvermindError


@pytest.fixture
def ask(monkeypatch):
    """Ask this machine and hives by name, each of which answers by a function; what came, and what was said."""

    def run(*, told=True, **answers):
        closed = []

        class Client:
            def __init__(self, place):
                self.name = getattr(place, "name", "local")

            def close(self):
                closed.append(self.name)

        monkeypatch.setattr(gathering, "Client", Client)
        hives: list[Any] = [
            None if name == "local" else SimpleNamespace(name=name, is_connecting=lambda: False) for name in answers
        ]
        notes: list[str] = []
        context: Any = SimpleNamespace(home="/h", note=notes.append)

        def answer(client: Any) -> Any:
            return answers[client.name]()

        found = gather(hives, context, answer, told=told)
        return found, notes, closed

    return run


def raises(error):
    def answer():
        raise error

    return answer


def test_answers_come_in_the_order_in_which_they_were_asked(ask):
    found, notes, closed = ask(local=lambda: 1, eu1=lambda: 2, gpu=lambda: 3)
    assert list(found.answers.items()) == [("local", 1), ("eu1", 2), ("gpu", 3)]
    assert (found.failures, notes, sorted(closed)) == ({}, [], ["eu1", "gpu", "local"])


NOT_RUNNING = OvermindError("daemon_not_running", "It does not run.")


def test_a_machine_without_a_daemon_has_nothing_and_a_hive_without_one_has_failed(ask):
    found, _, _ = ask(local=raises(NOT_RUNNING), eu1=raises(NOT_RUNNING), gpu=lambda: 3)
    assert found.answers == {"gpu": 3}
    assert found.failures == {"eu1": NOT_RUNNING}


def test_any_other_error_of_this_machine_is_told(ask):
    refused = OvermindError("forbidden", "No.")
    assert ask(local=raises(refused), eu1=lambda: 2)[0].failures == {"local": refused}


FAULTS = {
    "an answer that makes no sense": (KeyError("id"), "internal", "eu1"),
    "anything else": (OSError("no route"), "internal", "eu1: no route"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_a_hive_does_wrong_is_told_in_its_name_and_hides_no_other(ask, name):
    error, code, words = FAULTS[name]
    found, _, closed = ask(local=lambda: 1, eu1=raises(error))
    assert (found.answers, found.failures["eu1"].code) == ({"local": 1}, code)
    assert words in found.failures["eu1"].message
    assert sorted(closed) == ["eu1", "local"]


class Clock:
    """A clock that a queue moves: what has not come by then has not come in time."""

    def __init__(self, arrivals):
        self.now, self.arrivals = 100.0, arrivals

    def get(self, *, timeout):
        if self.arrivals and self.arrivals[0][0] <= self.now + timeout:
            self.now, name, answer = self.arrivals.pop(0)
            return name, answer
        self.now += timeout
        raise Empty


@pytest.fixture
def collect(monkeypatch):
    """What is collected of hives whose answers arrive at moments; and when it was given up."""

    def run(arrivals, opened, names=("eu1", "gpu")):
        clock = Clock(list(arrivals))
        monkeypatch.setattr(gathering, "time", SimpleNamespace(monotonic=lambda: clock.now))
        hives: list[Any] = [
            SimpleNamespace(name=name, is_connecting=lambda name=name: clock.now < opened[name]) for name in names
        ]
        notes: list[str] = []
        queue: Any = clock
        found = gathering._collect(queue, gathering._Waiting(hives, 100.0), notes.append)
        return found, notes, clock.now - 100.0

    return run


def test_who_is_silent_after_another_one_has_answered_is_given_up_soon(collect):
    found, notes, took = collect([(100.5, "eu1", 1)], {"eu1": 0.0, "gpu": 0.0})
    assert (found, notes) == ({"eu1": 1}, [])
    assert took == pytest.approx(0.5 + SILENCE)


def test_who_is_being_connected_is_named_once_and_given_up_later(collect):
    found, notes, took = collect([(100.5, "eu1", 1)], {"eu1": 0.0, "gpu": 1e9})
    assert (found["eu1"], found["gpu"].code) == (1, "hive_silent")
    assert found["gpu"].message.startswith(f"gpu can't be asked: ssh has not connected within {CONNECT:.0f} s.")
    assert notes == ["Waiting for gpu: ssh connects."]
    assert CONNECT <= took <= CONNECT + 0.2


def test_an_answer_that_comes_in_time_over_a_slow_link_counts(collect):
    found, notes, _ = collect([(100.5, "eu1", 1), (104.5, "gpu", 2)], {"eu1": 0.0, "gpu": 104.0})
    assert (found, notes) == ({"eu1": 1, "gpu": 2}, ["Waiting for gpu: ssh connects."])


def test_a_hive_that_never_answers_is_called_silent(ask, monkeypatch):
    monkeypatch.setattr(gathering, "SILENCE", 0.05)
    over = threading.Event()
    try:
        found, _, _ = ask(eu1=lambda: 1, gpu=over.wait)
    finally:
        over.set()
    assert (found.answers, found.failures["gpu"].code) == ({"eu1": 1}, "hive_silent")
    assert found.failures["gpu"].message.startswith("gpu has been silent for ")
