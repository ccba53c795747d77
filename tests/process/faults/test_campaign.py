"""A campaign: supervisor, keeper and both are killed at random moments while work of every kind goes on.

Runs, restarts, ends, messages, plans and landings, each asked for again where no answer came. Afterwards the books are
compared with the files: no run is missing, no message is lost or doubled, no byte is counted wrong.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
import uuid
from functools import partial

import pytest

from tests.kit import torture
from tests.kit.campaign import ACTORS, PATIENCE, READER, books_are_true, end, lines
from tests.kit.killing import ask_until_answered, kill_both
from tests.kit.overmind import FINAL
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.torture, pytest.mark.linux, pytest.mark.timeout(900 if torture.WHOLE else 120)]
KILLS = 60 if torture.WHOLE else 4
PARTS = 4 if torture.WHOLE else 1
MESSAGES = 80 if torture.WHOLE else 4
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


def test_a_message_whose_supervisor_dies_within_milliseconds_of_it_is_typed_once(om, moments):
    """The request is repeated, as the command line does; one that was never saved is a new one then."""
    heard = om.path("heard")
    session = om.mission(READER.format(heard=heard), "--type", "session")
    om.wait_status(session, "running")
    texts = [f"m{number}" for number in range(MESSAGES)]
    for text in texts:
        asked = {"id": session, "text": text, "request": uuid.uuid4().hex}
        with RawSocket.connect(om.home) as api:
            api.send("send", **asked)
            time.sleep(moments.uniform(0.0, 0.006))
            os.kill(om.supervisor_pid(), signal.SIGKILL)
        om.ok("start")
        ask_until_answered(om, partial(send, asked))
    eventually(lambda: lines(heard) == texts, what="each is typed once, in their order")
    assert [(one["text"], one["state"]) for one in om.api("messages", id=session)] == [
        (text, "delivered") for text in texts
    ]


def send(asked, api):
    api.ok("send", **asked)


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
