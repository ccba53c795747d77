"""`overmind replay`: a run as it happened, and what it showed at a moment."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from overmind_core.domain.text.moment import format_time
from tests.kit.attached import Attached
from tests.kit.overmind import PROGRAM
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

SESSION = ("--type", "session")
FRAMES = r"""
stty -echo
i=0
while read -r line; do
    i=$((i + 1))
    printf '\033[2J\033[H\033[1;3%dmframe %d\033[0m\n%s' $i $i "$line"
done
"""
needs_bash = pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed: nothing controls jobs here")


@contextmanager
def replayed(om, *words, size=(100, 8)):
    with Attached(om, *words, size=size, program=(*PROGRAM, "replay")) as person:
        yield person


def left_well(person, status=0):
    """It has ended with this status, and the terminal is as it was."""
    assert person.end() == status, person.text()
    assert person.settings() == person.before
    assert not person.screen.modes.alternate
    return person.screen.modes.private == {7, 25}


@pytest.fixture
def film(om):
    """A mission that has shown three pictures and ended, and what `screen` printed at each: (moment, text)."""
    mission = om.mission(FRAMES, *SESSION)
    seen = [(format_time(time.time()), "")]
    for number, word in enumerate(("one", "two", "three"), 1):
        om.ok("send", mission, word)
        eventually(lambda: om.ok("screen", mission) == f"frame {number}\n{word}\n", what="it shows it")  # noqa: B023
        seen.append((format_time(time.time()), om.ok("screen", mission)))
    om.ok("kill", mission)
    return mission, seen


def test_it_prints_what_screen_showed_then(om, film):
    mission, seen = film
    for moment, text in seen[1:]:
        assert om.ok("replay", mission, "--at", moment) == text
    assert om.ok("replay", mission, "--at", "+0s") == "\n"


def test_a_person_plays_it_pauses_goes_to_and_fro_and_leaves(om, film):
    mission, _ = film
    with replayed(om, mission, "--idle", "100d") as person:
        person.shows(" · 1x")
        person.type(b" ")
        person.shows("paused")
        person.type(b"\x1b[F")
        person.shows("frame 3\nthree")
        person.shows("end")
        person.type(b"\x1b[H..")
        person.until(lambda: "frame 3" not in person.text(), "an earlier picture")
        person.type(b"g+100d\r")
        person.shows("frame 3")
        person.type(b"gnever\r")
        person.shows("'never' is not a time")
        person.type(b">>>")
        person.shows("8x")
        person.type(b"\x1b")
        assert left_well(person)


def test_a_pause_is_cut_and_the_line_says_so(om, film):
    mission, _ = film
    with replayed(om, mission, "--idle", "5ms", "--speed", "0.0625") as person:
        person.shows("cut to 5ms")
        person.shows("frame 3")
        person.shows(" · end")


def test_what_a_program_wrote_never_reaches_the_terminal(om):
    mission = om.finished(r"printf '\033]52;c;aGFjaw==\007\033]0;evil\007\033]8;;http://evil\007safe\033[?1003h'")["id"]
    with replayed(om, mission) as person:
        person.shows("safe")
        person.shows("end")
        person.type(b"q")
        assert left_well(person)
        assert b"\x1b]52" not in person.seen
        assert b"evil" not in person.seen
        assert b"1003h" not in person.seen


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_in_order(om, number):
    mission = om.finished("echo there")["id"]
    with replayed(om, mission) as person:
        person.shows("there")
        person.signal(number)
        assert left_well(person, 128 + number)


def test_a_smaller_window_cuts_and_another_size_is_drawn_anew(om):
    mission = om.finished("echo top; echo; echo ....:....1....:....2; echo the end", "--size", "60x6")["id"]
    with replayed(om, mission, size=(30, 6)) as person:
        person.shows("....:....1....:....2\nthe end")
        person.resize(10, 4)
        person.signal(signal.SIGWINCH)
        person.until(lambda: person.screen.lines()[:2] == ["....:....1", "the end"], "it is cut at the cursor's row")
        person.resize(110, 10)
        person.signal(signal.SIGWINCH)
        person.shows("top\n\n....:....1....:....2\nthe end")


def test_one_that_runs_is_played_as_far_as_it_is_and_on(om):
    mission = om.mission("stty -echo; echo first; read -r x; echo then; read -r x", *SESSION)
    eventually(lambda: "first" in om.ok("screen", mission), what="it has written")
    with replayed(om, mission) as person:
        person.shows("first")
        person.shows("still running")
        om.ok("send", mission, "x")
        person.shows("then")
        om.ok("kill", mission)
        person.until(lambda: "still running" not in person.text(), "it has ended")
        person.shows(" · end")


def test_a_run_on_pipes_is_played_as_its_lines(om):
    mission = om.finished("echo out; echo err >&2; printf unfinished", "--no-tty")["id"]
    assert om.ok("replay", mission, "--at", format_time(time.time())).splitlines() == ["out", "err", "unfinished"]
    with replayed(om, mission) as person:
        person.shows("out\nerr\nunfinished")
        person.shows("end")
        person.type(b"q")
        assert left_well(person)


def test_the_run_of_a_time_and_a_run_by_its_number(om):
    command = "stty -echo; test -e again && echo second || echo first; touch again; read -r x"
    mission = om.mission(command, *SESSION)
    eventually(lambda: om.ok("screen", mission) == "first\n", what="it has written")
    then = format_time(time.time())
    om.ok("restart", mission)
    eventually(lambda: om.ok("screen", mission) == "second\n", what="it has written")
    now = format_time(time.time())
    assert om.ok("replay", mission, "--at", then) == "first\n"
    assert om.ok("replay", mission, "--at", now) == "second\n"
    assert om.ok("replay", mission, "--at", now, "--run", "1") == "first\n"


def test_what_can_not_be_replayed_is_told_so(om):
    silent = om.finished("true")["id"]
    done = om("replay", silent, "--at", format_time(time.time()))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith("has written nothing.\n")
    loud = om.finished("echo there", "--name", "loud")["id"]
    for words, error in (
        ((), "replay needs a terminal"),
        (("--at", "2001-01-01"), "began at"),
        (("--at", "2999-01-01"), "still to come"),
        (("--at", "never"), "is not a time"),
        (("--run", "7", "--at", "+0s"), "has no run 7"),
        (("--speed", "0", "--at", "+0s"), "is not a speed"),
        (("--idle", "0", "--at", "+0s"), "can't be cut to nothing"),
    ):
        done = om("replay", loud, *words)
        assert done.returncode, words
        assert error in done.stderr, words


def test_output_that_was_removed_is_told(om):
    mission = om.finished("echo there", "--name", "gone")["id"]
    shutil.rmtree(f"{om.home}/logs/{mission}")
    done = om("replay", mission, "--at", format_time(time.time()))
    assert done.returncode
    assert "All 7 B of run 1 of gone were removed" in done.stderr


def test_a_run_whose_index_is_lost_is_shown_and_its_times_are_said_to_be_wrong(om):
    mission = om.finished("echo there")["id"]
    for path in Path(om.home, "logs", mission, "000001").glob("index.*"):
        path.unlink()
    done = om("replay", mission, "--at", format_time(time.time()))
    assert (done.returncode, done.stdout) == (0, "there\n")
    assert "its time index is damaged" in done.stderr


@needs_bash
def test_a_shell_stops_it_and_brings_it_back(om):
    mission = om.finished("echo there")["id"]
    with Attached(om, program=("bash", "--norc", "--noprofile", "-i")) as person:
        person.type(b"set -b; PS1='bash> '\r")
        person.shows("\nbash>")
        settings = person.settings()
        person.type(shlex.join([*PROGRAM, "replay", mission]).encode() + b"\r")
        for stop in (lambda: person.type(b"\x1a"), lambda: os.kill(_child(person), signal.SIGTSTP)):
            person.shows("there\n")
            stop()
            person.until(lambda: "Stopped" in person.text() and person.text().endswith("bash>"), "it is stopped")
            assert not person.screen.modes.alternate
            assert person.settings() == settings
            person.type(b"clear; fg\r")
        person.shows("there\n")
        person.type(b"q")
        person.until(lambda: person.text().endswith("bash>"), "it has ended")


def _child(person):
    with open(f"/proc/{person.process.pid}/task/{person.process.pid}/children", encoding="ascii") as file:
        return int(file.read().split()[0])
