"""Where the web server is, and whose word for it counts; a real process holds the lock and is ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest

from overmind_core.system.paths import Home
from overmind_core.system.web_server import (
    WebServer,
    goes_on,
    lock_web_server,
    read_web_server,
    stop_web_server,
    write_web_server,
)
from tests.kit.overmind import REPOSITORY

SERVER = WebServer(os.getpid(), 1_800_000_000.5, "http://127.0.0.1:7600", None, "https://box.example/om")
HOLDER = """
import signal, sys, time
from overmind_core.system.paths import Home
from overmind_core.system.web_server import lock_web_server
if sys.argv[2] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
lock = lock_web_server(Home(sys.argv[1]))
print("locked", flush=True)
signal.pause()
"""


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path))


@contextlib.contextmanager
def holder(home, how):
    """A process that holds the lock, as a server does."""
    argv = [sys.executable, "-c", HOLDER, home.root, how]
    with subprocess.Popen(argv, cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"locked\n"
            yield process
        finally:
            process.kill()


def test_what_the_server_wrote_is_read_by_others_and_is_its_owner_s_alone(home):
    lock = lock_web_server(home)
    assert lock is not None
    write_web_server(home, SERVER)
    assert read_web_server(home) == SERVER
    assert SERVER.address == "https://box.example/om"
    assert os.stat(home.web_server).st_mode & 0o777 == 0o600
    lock.release()


def test_there_is_one_server_and_what_a_dead_one_left_names_nobody(home):
    assert read_web_server(home) is None
    lock = lock_web_server(home)
    assert lock is not None
    write_web_server(home, SERVER)
    assert lock_web_server(home) is None
    lock.release()
    assert read_web_server(home) is None
    again = lock_web_server(home)
    assert again is not None
    again.release()


def test_what_an_earlier_process_wrote_does_not_count_for_the_one_that_holds_the_lock(home):
    write_web_server(home, SERVER._replace(pid=1))
    lock = lock_web_server(home)
    assert lock is not None
    assert read_web_server(home) is None
    lock.release()


def test_whoever_ends_the_daemon_is_told_that_the_server_goes_on_even_one_that_has_not_said_where_it_is(home):
    assert goes_on(home) == []
    lock = lock_web_server(home)
    assert lock is not None
    assert goes_on(home) == [f"The web server (PID {os.getpid()}) goes on. End it with: overmind web stop"]
    lock.release()
    assert goes_on(home) == []


GOOD = SERVER._asdict()
BAD = [
    b"", b"{", b"null", b"[]", b"7", b"\xff\xfe", b"[" * 100_000, b" " * (2 << 20),
    *(json.dumps({**GOOD, name: value}).encode() for name, value in (
        ("pid", str(os.getpid())), ("pid", None), ("url", None), ("url", 7), ("started", "now"), ("socket", 7),
        ("public_url", ["x"]),
    )),
    *(json.dumps({one: GOOD[one] for one in GOOD if one != name}).encode() for name in ("pid", "url", "started")),
]  # fmt: skip


@pytest.mark.parametrize("data", BAD, ids=map(str, range(len(BAD))))
def test_a_damaged_file_is_no_server(home, data):
    lock = lock_web_server(home)
    assert lock is not None
    with open(home.web_server, "wb") as file:
        file.write(data)
    assert read_web_server(home) is None
    lock.release()


def test_a_link_or_a_pipe_in_the_place_of_the_file_is_no_server(home, tmp_path):
    lock = lock_web_server(home)
    assert lock is not None
    (tmp_path / "elsewhere").write_text(json.dumps(GOOD))
    os.symlink(tmp_path / "elsewhere", home.web_server)
    assert read_web_server(home) is None
    os.unlink(home.web_server)
    os.mkfifo(home.web_server)
    assert read_web_server(home) is None
    lock.release()


def test_a_server_is_asked_to_end(home):
    with holder(home, "hears") as process:
        assert stop_web_server(home) == process.pid
        assert process.wait() == -signal.SIGTERM
    assert stop_web_server(home) is None


def test_one_that_does_not_hear_is_killed(home):
    with holder(home, "deaf") as process:
        assert stop_web_server(home, patience=0.05) == process.pid
        assert process.wait() == -signal.SIGKILL


def test_a_pid_in_a_lock_that_nobody_holds_is_left_alone(home):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        with open(home.web_lock, "w") as file:
            file.write(f"{stranger.pid}\n")
        write_web_server(home, SERVER._replace(pid=stranger.pid))
        assert (read_web_server(home), stop_web_server(home)) == (None, None)
        assert stranger.poll() is None
