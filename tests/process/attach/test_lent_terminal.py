"""Attached while the keeper has the person's terminal: what they type and see is the same, and it is theirs at once."""

from __future__ import annotations

import os
import random
import shlex
import shutil
import signal
import sys

import pytest

from tests.kit.attached import DRAWN, Attached
from tests.kit.killing import await_another, kill, kill_keeper
from tests.kit.overmind import PROGRAM
from tests.kit.waiting import eventually

pytestmark = [
    pytest.mark.shared_home,
    pytest.mark.skipif(sys.platform != "linux", reason="only on Linux a terminal is lent"),
]

LEAVE = b"\x1c"
FRAME_ENDS = b"\x1b[?2026l"
ECHO = "stty raw -echo; echo ready; exec cat"
SHOWING = "stty raw -echo; echo ready; exec cat -v"
needs_jobs = pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed: nothing controls jobs here")


@pytest.fixture
def lend(om, attach):
    """Attach, and wait until the terminal is lent; or wait until that of somebody is lent again."""

    def lend(mission_or_person, **how):
        person = attach(mission_or_person, **how) if isinstance(mission_or_person, str) else mission_or_person
        person.until(lambda: person.is_lent(om.keeper_pid()), "its terminal is lent")
        return person

    return lend


def session(om, command, name):
    return om.mission(command, "--type", "session", "--name", name)


def returned(om, person):
    return not person.is_lent(om.keeper_pid())


def left_well(om, person, status=0):
    assert person.end() == status, person.text()
    assert person.settings() == person.before
    assert not person.screen.modes.alternate
    assert person.screen.modes.private == {7, 25}
    return returned(om, person)


def test_plain_keys_come_back_and_the_terminal_stays_lent(om, lend):
    person = lend(session(om, ECHO, "plain"))
    begin = len(person.seen)
    for count, letter in enumerate("αβγδεζηθ" * 10, 1):
        person.type(letter.encode())
        person.until(lambda count=count: len(person.seen) - begin >= 2 * count, "it came back")
    assert person.seen[begin:].decode() == "αβγδεζηθ" * 10
    assert person.is_lent(om.keeper_pid())
    person.type(LEAVE)
    assert left_well(om, person)


KEYS = {"among others": b"ab\x1ccd", "kitty": b"\x1b[92;5u", "modifyOtherKeys": b"\x1b[27;5;92~"}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_the_key_leaves(om, lend, shell, key):
    person = lend(shell)
    person.type(key)
    assert left_well(om, person)
    assert "[detached from shell]" in person.text()


def test_the_key_leaves_though_it_comes_in_pieces_and_the_rest_of_them_is_no_key(om, lend):
    person = lend(session(om, SHOWING, "pieces"))
    for pieces, shown in (
        ((b"\x1b[", b"A"), "^[[A"),
        ((b"\x1b",), "^["),
        ((b"\x1b[200~a", b"\x1c", b"\x1b[92;5u", b"\x1b[20", b"1~end"), "^[[200~a^\\^[[92;5u^[[201~end"),
    ):
        person.type_pieces(b"<", *pieces)
        person.shows("<" + shown)
        person.type(b">")
        person.shows(f"<{shown}>")
        lend(person)
    person.type_pieces(*(bytes([byte]) for byte in b"\x1b[92;5u"))
    assert left_well(om, person)


def test_what_a_program_sets_while_it_is_lent_is_undone(om, lend):
    command = "stty raw -echo; echo ready; head -c 1; printf 'x\\033[?10'; sleep 0.1; printf '49h\\033[?1000hfull'; cat"
    person = lend(session(om, command, "modes"))
    person.type(b".")
    person.shows("full")
    assert person.screen.modes.alternate
    person.type(LEAVE)
    assert left_well(om, person)


def test_a_killed_client_leaves_its_keys_to_the_shell(om, lend, shell):
    person = lend(shell)
    person.type(b"echo be''fore\r")
    person.shows("before")
    person.kill()
    person.type(b"echo se''cret\r")
    person.until(lambda: returned(om, person), "the keeper has let go of it")
    assert person.unread() == b"echo se''cret\r"
    assert "secret" not in om.ok("screen", shell)


def test_a_stopped_client_leaves_its_keys_to_the_shell_and_goes_on_later(om, lend, shell):
    person = lend(shell)
    person.signal(signal.SIGSTOP)
    person.until(lambda: _state(person.process.pid) == "T", "it is stopped")
    person.type(b"echo se''cret\r")
    person.until(lambda: returned(om, person), "the keeper has let go of it")
    assert person.unread() == b"echo se''cret\r"
    person.signal(signal.SIGCONT)
    person.type(b"echo on''ward\r")
    person.shows("onward")
    assert "secret" not in person.text()
    lend(person)


@needs_jobs
def test_a_job_in_the_background_gets_no_keys_and_shows_nothing(om, shell):
    """A shell stops attach and takes its terminal; the mission goes on writing."""
    go = om.path("go")
    with Attached(om, program=("bash", "--norc", "--noprofile", "-i")) as person:
        person.type(b"PS1='bash> '\r")
        person.shows("bash>")
        person.type(shlex.join([*PROGRAM, "attach", shell]).encode() + b"\r")
        person.until(lambda: person.is_lent(om.keeper_pid()), "its terminal is lent")
        client = next(iter(_children(person.process.pid)))
        person.type(f"(until [ -e {go} ]; do sleep 0.05; done; echo wri''tten) &\r".encode())
        person.shows("wri''tten) &")
        os.kill(client, signal.SIGTSTP)
        person.shows("Stopped")
        person.type(b"echo $0 ha''s it\r")
        person.shows("bash has it")
        with open(go, "w"):
            pass
        eventually(lambda: "written" in om.ok("screen", shell), what="the mission has written")
        assert "written" not in person.text()
        assert "has it" not in om.ok("screen", shell)
        person.until(lambda: returned(om, person), "the keeper has let go of it")
        person.type(b"fg\r")
        person.shows("written")
        person.until(lambda: person.is_lent(om.keeper_pid()), "its terminal is lent again")
        person.type(b"echo on''ward\r")
        person.shows("onward")


@pytest.fixture
def job(om, shell):
    """Attached as a job of bash, which has just stopped it: the person at bash, and the job's process."""
    with Attached(om, program=("bash", "--norc", "--noprofile", "-i")) as person:
        person.type(b"set -b; PS1='bash> '\r")
        person.shows("\nbash>")
        person.type(shlex.join([*PROGRAM, "attach", shell]).encode() + b"\r")
        person.until(lambda: person.is_lent(om.keeper_pid()), "its terminal is lent")
        client = next(iter(_children(person.process.pid)))
        os.kill(client, signal.SIGSTOP)
        at_prompt(person, "Stopped")
        yield person, client


def at_prompt(person, text):
    person.until(lambda: text in person.text() and person.text().endswith("bash>"), f"{text!r}, and a prompt")


@needs_jobs
def test_a_job_that_is_sent_to_the_background_stops_and_leaves_the_terminal_as_the_shell_has_it(job):
    person, _ = job
    settings = person.settings()
    person.type(b"bg\r")
    person.until(lambda: person.text().count("Stopped") == 2, "it is stopped again")
    person.until(lambda: person.settings() == settings, "the terminal is the shell's")  # which says first that it stops
    person.type(b"fg\r")
    person.until(lambda: person.settings() != settings, "every key is let through")
    person.type(b"echo on''ward\r")
    person.shows("onward")


@needs_jobs
def test_a_job_that_ends_in_the_background_leaves_the_terminal_as_the_shell_has_it(job):
    person, client = job
    settings = person.settings()
    os.kill(client, signal.SIGTERM)
    os.kill(client, signal.SIGCONT)
    person.shows("[detached from shell]")
    assert person.settings() == settings


def test_a_signal_ends_it_in_order(om, lend, shell):
    person = lend(shell)
    person.signal(signal.SIGTERM)
    assert left_well(om, person, 128 + signal.SIGTERM)


def test_the_terminals_end_is_a_leave(om, lend, shell):
    person = lend(shell)
    person.hang_up()
    assert person.process.wait(20) == 129
    eventually(lambda: om.info(shell)["attached"] == 0, what="nobody is attached")


def test_the_end_of_the_mission_ends_it(om, lend):
    person = lend(session(om, "stty raw -echo; echo ready; head -c 1; echo the last words; exit 3", "over"))
    person.type(b".")
    assert left_well(om, person, 3)
    assert "the last words" in person.text()


def test_the_size_follows_the_window(om, lend):
    command = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.01; done"
    person = lend(session(om, command, "size"), size=(91, 31))
    person.resize(92, 32)
    person.shows("32 92")


def test_the_next_run_is_joined(om, lend):
    restarts = ("--restart", "always", "--backoff", "1ms", "--max-seconds", "1ms")
    command = "stty raw -echo; echo run $$; head -c 1; exit 3"
    mission = om.mission(command, "--type", "session", "--name", "again", *restarts)
    person = lend(mission)
    for _ in range(3):
        before = om.pid(mission)
        person.shows(f"run {before}")
        person.type(b"x")
        person.until(lambda before=before: f"run {before}" not in person.text() and "run" in person.text(), "the next")
        lend(person)
    person.type(LEAVE)
    assert left_well(om, person)


def test_two_lend_theirs_and_see_the_same(om, lend):
    mission = session(om, ECHO, "two")
    people = [lend(mission), lend(mission)]
    typed = ""
    for letter in "abcdef":
        people[len(typed) % 2].type(letter.encode())
        typed += letter
        for person in people:
            person.shows(typed)
    assert all(person.is_lent(om.keeper_pid()) for person in people)


def test_a_terminal_that_is_not_read_for_a_while_misses_nothing(om, lend):
    command = "stty raw -echo; echo ready; head -c 1 >/dev/null; seq 1 60000; printf done; exec cat"
    mission = session(om, command, "slow")
    sleepy, awake = lend(mission), lend(mission)
    begin = len(sleepy.seen)
    awake.type(b"!")
    awake.shows("done")
    sleepy.shows("done")
    assert sleepy.seen[begin:].split() == [b"%d" % number for number in range(1, 60001)] + [b"done"]
    for person in (sleepy, awake):
        lend(person)
    sleepy.type(b"?")
    awake.shows("done?")


def test_any_keys_at_any_pace_arrive_once_and_in_order(om, lend):
    """The program gets what was typed, and the terminal shows what the program wrote."""
    dice = random.Random(13)
    got = om.path("got")
    person = lend(session(om, f"stty raw -echo; echo ready; exec tee {got}", "any"))
    begin, typed = len(person.seen), b""
    pieces = [
        b"plain",
        "λ".encode(),
        b"\x1b[A",
        b"\x1b",
        b"[B",
        b"\x1bx",
        b"\x1b[200~\x1c\x1b[201~",
        b"\x1b]11;r",
        b"\x07",
    ]
    for turn in range(60):
        keys = dice.choice(pieces) if turn % 3 else b"abc"
        typed += keys
        person.type(keys)
        if turn % 10 == 9:  # long enough to be lent again, unless a sequence is begun
            person.until(lambda typed=typed: len(person.seen) - begin >= len(typed), "all came back")
            typed += b"z\x07z"
            person.type(b"z\x07z")
            lend(person)
    person.until(lambda: len(person.seen) - begin >= len(typed), "all came back")
    assert bytes(person.seen[begin:]) == typed
    with open(got, "rb") as file:
        assert file.read() == typed


@pytest.mark.own_home
def test_a_killed_supervisor_is_not_noticed_and_a_killed_keeper_ends_it(om, lend, shell):
    person = lend(shell)
    supervisor = om.supervisor_pid()
    kill(supervisor)
    person.type(b"echo with''out\r")
    person.shows("without")
    await_another(om, supervisor)
    person.type(b"echo af''ter\r")
    person.shows("after")
    lend(person)
    kill_keeper(om)
    person.end()
    assert person.settings() == person.before
    assert person.screen.modes.private == {7, 25}


@pytest.mark.own_home
def test_a_keeper_that_hangs_holds_nobody(om, lend, shell):
    leaver, stayer = lend(shell), lend(shell)
    keeper = om.keeper_pid()
    os.kill(keeper, signal.SIGSTOP)
    try:
        leaver.type(LEAVE)
        assert leaver.end() == 0
        assert leaver.settings() == leaver.before
        leaver.type(b"echo se''cret\r")
        stayer.type(b"echo mean''while\r")
        stayer.until(lambda: not stayer.has_unread(), "its client reads the keys itself")
        drawn = stayer.seen.count(FRAME_ENDS)
    finally:
        os.kill(keeper, signal.SIGCONT)
    stayer.until(lambda: stayer.seen.count(FRAME_ENDS) >= drawn + DRAWN, "it is attached again")
    stayer.shows("meanwhile")
    lend(stayer)
    stayer.type(b"echo on''ward\r")
    stayer.shows("onward")
    assert "secret" not in stayer.text()
    assert returned(om, leaver)
    assert leaver.unread() == b"echo se''cret\n"


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def _state(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(") ")[2][0]
