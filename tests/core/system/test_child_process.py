"""A program beside this one: what it is given, how its end is told, and that nothing is left once it is killed."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from overmind_core.system.child_process import ChildProcess
from tests.kit.processes import alive
from tests.kit.waiting import eventually

LIMIT = 60.0


@pytest.fixture
def started(tmp_path):
    """Start a program that reads nothing and writes to the file `out`; it is killed at the end."""
    found = []

    def start(*argv: str, **environment: str) -> ChildProcess:
        with (tmp_path / "out").open("wb") as out, open(os.devnull, "rb") as nothing:
            files = nothing.fileno(), out.fileno(), out.fileno()
            found.append(ChildProcess(argv, environment={"PATH": os.environ["PATH"], **environment}, files=files))
        return found[-1]

    yield start
    for one in found:
        one.kill()


@pytest.mark.parametrize(("end", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", -signal.SIGTERM)])
def test_how_it_ended_is_told_to_everybody_who_asks(started, end, code):
    child = started("sh", "-c", end)
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(child.wait, [LIMIT] * 8)) == {code}
    assert (child.poll(), child.returncode) == (code, code)


def test_it_has_what_it_was_given_and_does_not_inherit_what_python_ignores(started, tmp_path):
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
    child = started("sh", "-c", "echo $A $B; kill -PIPE $$", A="1")
    assert child.wait(LIMIT) == -signal.SIGPIPE
    assert (tmp_path / "out").read_text() == "1\n"


def test_it_is_killed_with_what_it_has_started(started, tmp_path):
    child = started("sh", "-c", f"sleep 1000 & echo $! >{tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; wait")
    eventually((tmp_path / "pid").exists)
    assert os.getsid(child.pid) == child.pid != os.getsid(0)
    assert (child.poll(), child.wait(0.0)) == (None, None)
    child.kill()
    child.kill()
    assert child.returncode == -signal.SIGKILL
    eventually(lambda: not alive(int((tmp_path / "pid").read_text())))


def test_a_program_that_is_not_there_is_an_error(started):
    with pytest.raises(FileNotFoundError):
        started("no-such-program")
