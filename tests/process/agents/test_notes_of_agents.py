"""What agents are given where nothing fits, and how questions are answered by meaning: one home, with its settings."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import struct
import termios
from pathlib import Path

import pytest

from overmind_core.domain.memory.block import ASK
from tests.kit.noted_shop import in_time
from tests.kit.processes import alive, with_word
from tests.kit.tiny_model import make_model
from tests.kit.waiting import eventually

NOTE = "The database listens on 5433"


def task(agents, prompt):
    """A task that has ended, and was not begun without notes as the machine was too busy; its id."""
    return in_time(agents.om, lambda: agents.task(prompt)["id"])


def used(om, mission):
    return json.loads(om.ok("memory", "used", mission, "--json"))


def configured(om, settings):
    """The daemon with these settings."""
    om.ok("shutdown", "-y")
    Path(om.path("config.toml")).write_text(f"[memory]\n{settings}\n", encoding="utf-8")
    om.ok("start")


def test_an_agent_for_which_nothing_fits_is_given_one_line_or_with_ask_off_nothing(agents):
    om = agents.om
    om.ok("remember", NOTE, cwd=om.home)
    for prompt in ("Write a poem about the sea", "Look at the database"):
        mission = task(agents, prompt)
        given = used(om, mission)
        assert (given["text"], given["notes"], given["left_out"]) == (ASK, [], 0)
        assert Path(om.path("files", mission, "notes.md")).read_text(encoding="utf-8") == ASK
    configured(om, "ask = false")
    mission = task(agents, "Write a poem about the sea")
    assert (used(om, mission)["text"], os.path.exists(om.path("files", mission))) == ("", False)
    mission = task(agents, "Where does the database listen, is it 5433?")
    assert [one["why"] for one in used(om, mission)["notes"]] == ["words"]


@pytest.mark.linux
def test_a_model_that_is_killed_in_a_question_leaves_words_and_the_next_answer_has_meaning_without_a_socket(
    om, tmp_path
):
    om.ok("start")
    configured(om, f'model = "{make_model(str(tmp_path / "model"))}"')
    om.ok("remember", NOTE)

    def recalled():
        (found,) = json.loads(om.ok("recall", "the database of postgres", "--json"))
        return found["why"]

    def worker():
        return next(iter(with_word(om.path("memory.db"))), None)

    eventually(lambda: "meaning" in recalled(), what="the model answers")
    killed = worker()
    os.kill(killed, signal.SIGSTOP)
    asking = om.popen("recall", "the database of postgres", "--json")
    eventually(lambda: unread(killed), what="it is asked")
    os.kill(killed, signal.SIGKILL)
    answer, said = asking.communicate(timeout=20)
    assert [one["why"] for one in json.loads(answer)] == [["words"]]
    assert said.startswith("words only: the ")
    assert not alive(killed)
    eventually(lambda: set(recalled()) == {"words", "meaning"}, what="another one answers")
    assert worker() != killed
    for pid in (worker(), om.supervisor_pid()):
        assert not sockets_of(pid) & sockets_of_a_network(pid)
    assert not sockets_of(worker())


def unread(pid):
    """How many bytes a process has not read of its standard input."""
    pipe = os.open(f"/proc/{pid}/fd/0", os.O_RDONLY | os.O_NONBLOCK)
    try:
        return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]
    finally:
        os.close(pipe)


def sockets_of(pid):
    """The inodes of a process's sockets."""
    found = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            kind, _, inode = os.readlink(f"/proc/{pid}/fd/{name}").partition(":")
            found |= {inode.strip("[]")} if kind == "socket" else set()
    return found


def sockets_of_a_network(pid):
    """The inodes of all sockets that reach beyond this machine."""
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "packet"):
        path = Path(f"/proc/{pid}/net/{table}")
        if path.exists():
            place = -1 if table == "packet" else 9
            found |= {line.split()[place] for line in path.read_text(encoding="ascii").splitlines()[1:]}
    return found
