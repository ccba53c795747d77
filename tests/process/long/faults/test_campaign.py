"""A campaign: supervisor, keeper and both are killed at random moments while work of every kind goes on.

Runs, restarts, ends, messages, plans and landings, each asked for again where no answer came. Afterwards the books are
compared with the files: no run is missing, no message is lost or doubled, no byte is counted wrong.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

from tests.kit import torture
from tests.kit.campaign import ACTORS, PATIENCE, books_are_true, end
from tests.kit.killing import kill_both
from tests.kit.overmind import FINAL
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.torture, pytest.mark.linux, pytest.mark.timeout(900 if torture.WHOLE else 120)]
KILLS = 60 if torture.WHOLE else 4
PARTS = 4 if torture.WHOLE else 1
EACH = 2 if torture.WHOLE else 1
"""Actors of each kind."""
PAUSES = (0.3, 2.0) if torture.WHOLE else (0.3, 0.9)
"""Seconds between two kills, at most: some hit who has just begun, others who is at work."""


@pytest.mark.parametrize("part", range(PARTS))
def test_the_books_are_true_whoever_was_killed_whenever(om, moments, part):
    om.ok("start")
    actors = [
        kind(om, moments.randrange(1 << 30), f"{name}{number}")
        for number in range(EACH)
        for name, kind in ACTORS.items()
    ]
    for actor in actors:
        actor.start()
    try:
        for _ in range(KILLS):
            time.sleep(moments.random() * moments.choice(PAUSES))  # the moment itself is the experiment
            whom = moments.choices([kill_the_supervisor, kill_the_keeper, kill_the_two, replace], [4, 2, 1, 1])[0]
            with contextlib.suppress(ProcessLookupError, AssertionError):  # there is none just now
                whom(om)
    finally:
        end(actors)
    om.ok("start")
    rest(om)
    print({actor.name: actor.count for actor in actors})  # noqa: T201  (shown with a failure)
    for actor in actors:
        actor.check()
    eventually(lambda: books_are_true(om), what="the books are true")


def kill_the_supervisor(om):
    os.kill(om.supervisor_pid(), signal.SIGKILL)


def kill_the_keeper(om):
    os.kill(om.keeper_pid(), signal.SIGKILL)


def kill_the_two(om):
    """Nobody starts the next one until somebody asks for something."""
    kill_both(om)


def replace(om):
    """Nobody dies: another daemon takes over, or says why not."""
    om("start", "--replace")


def rest(om):
    """End what runs for ever, and wait until everything is over."""
    eventually(lambda: om.api("status")["keeper"], timeout=PATIENCE, what="the keeper is held")
    for row in om.api("ps", all=True):
        if row["status"] not in FINAL:
            with contextlib.suppress(AssertionError):  # it has ended meanwhile
                om.api("stop", id=row["id"])
    eventually(
        lambda: all(row["status"] in FINAL for row in om.api("ps", all=True)), timeout=PATIENCE, what="all is over"
    )
