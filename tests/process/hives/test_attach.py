"""`overmind attach` of a shell on another hive, over a real sshd: it types as ssh does."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.kit.attached import Attached
from tests.kit.killing import kill_supervisor
from tests.kit.waiting import eventually
from tests.process.hives.test_ssh import serve

LEAVE = b"\x1c"


@pytest.fixture
def shell(far, sshd) -> str:
    """A shell on the hive eu1; it has no prompt, which would stand before the output of what is typed ahead of it."""
    serve(far, sshd, "eu1")
    words = ["sh", "-c", "echo ready; PS1= exec sh"]
    return str(far.home("eu1").mission(words, "--type", "session", "--name", "shell"))


@pytest.fixture
def person(far, shell) -> Iterator[Attached]:
    """Somebody here who is attached to it."""
    with Attached(far.om, "eu1/shell", size=(91, 31)) as there:
        there.joined()
        there.shows("ready")
        yield there


def test_what_is_typed_is_echoed_and_done_there(far, person):
    person.type(b"echo $((6 * 7)) at $OVERMIND_MISSION_NAME\r")
    person.shows("\n42 at shell")
    assert "echo $((6 * 7))" in person.text()
    person.type("printf '%s\\n' 'ü €'\r".encode())
    person.shows("\nü €")


def test_the_size_is_that_of_the_terminal_here_and_follows_it(person):
    person.type(b"stty size\r")
    person.shows("\n31 91")
    person.resize(80, 24)
    person.signal(signal.SIGWINCH)
    person.type(b"until stty size | grep '24 80'; do sleep .05; done\r")
    person.shows("\n24 80")


def test_detached_it_runs_on_and_is_found_again_as_it_was(far, shell, person):
    person.type(b"x=41; echo s''et\r")
    person.shows("\nset")
    person.type(LEAVE)
    assert person.end() == 0, person.text()
    assert person.settings() == person.before
    assert "[detached from shell]" in person.text()
    assert far.home("eu1").info(shell)["status"] == "running"
    with Attached(far.om, "-H", "eu1", "shell") as again:
        again.joined()
        again.type(b"echo $((x + 1))\r")
        again.shows("\n42")


def test_a_cut_link_comes_back_and_no_byte_is_lost(far, sshd, shell, person, tmp_path):
    go = tmp_path / "go"
    person.type(f"until [ -e {go} ]; do sleep .05; done; seq 1 9; echo e''nd\r".encode())
    person.shows("done; seq 1 9")
    sshd.cut()
    go.touch()
    person.shows("\nend")
    assert "\n".join(map(str, range(1, 10))) in person.text()
    person.type(b"echo ag''ain\r")
    person.shows("\nagain")
    assert far.home("eu1").info(shell)["restart_count"] == 0


def test_a_supervisor_that_is_killed_there_is_not_noticed_here(far, shell, person):
    there = far.home("eu1")
    kill_supervisor(there)
    person.type(b"echo st''ill\r")
    person.shows("\nstill")
    eventually(lambda: there.info(shell)["attached"] == 1, what="the next supervisor knows of it")


def test_its_end_is_that_of_the_shell_there(person):
    person.type(b"exit 5\r")
    assert person.end() == 5, person.text()
    assert person.settings() == person.before
    assert "[shell ended: exited 5]" in person.text()


@pytest.mark.parametrize(("role", "enters"), [("viewer", False), ("operator", True)])
def test_a_role_that_only_looks_has_no_terminal(far, sshd, role, enters):
    there = far.home("eu1")
    there.mission(["sh", "-c", "echo ready; exec sh"], "--type", "session", "--name", "shell")
    serve(far, sshd, "eu1", arguments=f"--as alice --role {role}")
    with Attached(far.om, "eu1/shell") as person:
        if enters:
            person.joined()
            person.type(LEAVE)
        assert person.end() == (0 if enters else 1)
        assert ("forbidden" in person.text()) is not enters
