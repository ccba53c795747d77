"""A program asks its terminal: one answer comes, of the person's terminal or of the one in memory, whatever dies."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

import pytest

from overmind_core.terminal.state import Colours
from tests.kit.killing import await_another, kill
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

BASH = """printf ab; IFS='[;' read -s -d R -p $'\\e[6n' _ row column; echo row=$row column=$column"""
"""As installers and prompts ask."""
ASKS = r"""
import os, select, sys, time, tty
tty.setraw(0)
os.write(1, b"ready")
for number in range(100):
    early = b""
    while not os.path.exists(f"ask{number}"):
        if select.select([0], [], [], 0.02)[0]:
            early += os.read(0, 256)
            open(f"early{number}", "wb").write(early)
    os.write(1, b"\x1b]11;?\x07\x1b[6n\x1b[c")
    got = b""
    while not got.endswith(b"c"):
        got += os.read(0, 256)
    open(f"part{number}", "wb").write(early + b"|" + got)
    os.rename(f"part{number}", f"got{number}")
"""
"""Asks when it is told to, and keeps what it reads before, and until the answer to its last query."""
MEMORY, PERSON = b"0000/0000/0000", b"0909/0909/0909"
"""Backgrounds."""


class Asker:
    """A mission that asks its terminal."""

    def __init__(self, om, folder: Path) -> None:
        self.folder, self.number = folder, -1
        script = f"import os; os.chdir({str(folder)!r})\n{ASKS}"
        self.mission = om.mission([sys.executable, "-c", script], "--type", "session")
        eventually(lambda: "ready" in om.ok("screen", self.mission), what="it has begun")

    def ask(self) -> None:
        self.number += 1
        (self.folder / f"ask{self.number}").touch()

    def answer(self, typed: bytes = b"") -> bytes:
        """The background that the program was told; it got one answer to each query, and `typed` before."""
        found = self.folder / f"got{self.number}"
        eventually(found.exists, what="its last query is answered")
        early, _, got = found.read_bytes().partition(b"|")
        assert early == typed
        assert (got.count(b"rgb:"), got.count(b"R"), got.count(b"\x1b[?")) == (1, 1, 1), got
        return got.partition(b"rgb:")[2][: len(MEMORY)]

    def asked(self, typed: bytes = b"") -> bytes:
        self.ask()
        return self.answer(typed)

    def has_read(self, typed: bytes) -> None:
        early = self.folder / f"early{self.number + 1}"
        eventually(lambda: early.exists() and early.read_bytes() == typed, what=f"{typed!r} is read")


@pytest.fixture
def asker(om, tmp_path):
    return Asker(om, tmp_path)


@pytest.fixture
def sit_down(attach, asker):
    def sit_down():
        person = attach(asker.mission)
        person.screen.colours = Colours((9, 9, 9), (9, 9, 9), (9, 9, 9))
        return person

    return sit_down


def test_a_program_that_nobody_watches_is_answered(om):
    mission = om.mission(["bash", "-c", BASH], "--type", "session")
    om.wait_status(mission, "stopped")
    assert om.ok("logs", mission).splitlines()[-1] == "abrow=1 column=3"


def test_with_a_person_typing_only_that_terminal_answers(asker, sit_down):
    assert asker.asked() == MEMORY
    person, other = sit_down(), sit_down()
    assert asker.asked() == MEMORY  # both see it, and neither has typed
    person.type(b"x")
    asker.has_read(b"x")
    asker.ask()
    for one in (other, person):
        one.until(lambda one=one: one.seen.count(b"\x1b[c") == 2, "it is asked")
    assert asker.answer(b"x") == PERSON
    person.kill()
    eventually(lambda: asker.asked() == MEMORY, what="its viewer is gone")
    assert asker.asked() == MEMORY


def test_a_terminal_that_is_not_there_is_not_waited_for(asker, sit_down):
    person = sit_down()
    person.type(b"x")
    asker.has_read(b"x")
    person.signal(signal.SIGSTOP)
    assert asker.asked(b"x") == MEMORY
    person.signal(signal.SIGCONT)
    person.until(lambda: person.seen.count(b"\x1b[c") == 1, "it is asked all the same")
    person.type(b"y")
    asker.has_read(b"y")
    asker.ask()
    person.until(lambda: person.seen.count(b"\x1b[c") == 2, "it is asked again")
    assert asker.answer(b"y") == PERSON


@pytest.mark.own_home
def test_a_query_while_nobody_supervises_is_answered_once_by_the_next_supervisor(om, asker, sit_down):
    assert asker.asked() == MEMORY
    for how in (signal.SIGSTOP, signal.SIGKILL):
        old = om.supervisor_pid()
        os.kill(old, how)
        asker.ask()
        with contextlib.suppress(ProcessLookupError):  # the second time it is killed already
            kill(old)
        await_another(om, old)
        assert asker.answer() == MEMORY
    person = sit_down()
    person.type(b"x")
    asker.has_read(b"x")
    old = om.supervisor_pid()
    kill(old)
    asker.ask()
    person.until(lambda: person.seen.count(b"\x1b[c") == 1, "it is asked")
    assert asker.answer(b"x") == PERSON
    await_another(om, old)
    asker.ask()
    person.until(lambda: person.seen.count(b"\x1b[c") == 2, "it is asked")
    assert asker.answer() == PERSON
