"""Gates between commands: one is left to the next command, which asks it as it would a new one, whatever came of it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import uuid
from pathlib import Path

import pytest

from overmind_core.client.hives import kept_gates
from tests.hives.test_kept_gates import PATIENCE
from tests.kit import processes
from tests.kit.waiting import eventually
from tests.process.hives.conftest import gate_words


class Counted:
    """A hive of which each new gate leaves a line in a file."""

    def __init__(self, hives, folder: Path) -> None:
        self.om = hives.om
        self.there = hives.home("eu1")
        self._starts = folder / "starts"
        self._starts.touch()
        script = f'echo >>{self._starts}; exec "$@"'
        self._words = ["sh", "-c", script, uuid.uuid4().hex, *gate_words(self.there)]
        Path(self.om.home, "config.toml").write_text(f"[hives.eu1]\ngate = {json.dumps(self._words)}\n")
        self.there.ok("start")

    @property
    def started(self) -> int:
        """How many gates were started."""
        return len(self._starts.read_text())

    @property
    def gate(self) -> int:
        """The process of the command that runs the gate."""
        there = processes.with_variable("OVERMIND_HOME", self.there.home)
        (pid,) = [one for one in there if Path(f"/proc/{one}/cmdline").read_bytes().endswith(b"\0gate\0")]
        return pid

    @property
    def holder(self) -> int:
        """The process that keeps it open."""
        config = os.path.join(self.om.home, "config.toml")
        path = kept_gates.account_path("gate", config, self._words)
        assert path is not None
        (pid,) = eventually(lambda: processes.with_word(path), what="its words are its own")
        return pid

    def ps(self) -> str:
        """Return what `ps` of the hive prints."""
        return str(self.om.ok("ps", "-H", "eu1", "--json"))


@pytest.fixture
def counted(hives, tmp_path):
    """A hive that nobody has asked yet."""
    return Counted(hives, tmp_path)


def test_commands_use_one_gate_one_after_the_other(counted):
    mission = counted.om.ok("run", "-H", "eu1", "--name", "api", "echo hello; sleep 100").split()[2]
    for _ in range(3):
        assert [row["name"] for row in json.loads(counted.ps())] == ["api"]
    eventually(lambda: counted.om.ok("logs", "--raw", f"eu1/{mission}") == "hello\n", timeout=PATIENCE)
    assert "api" in counted.om.ok("info", "eu1/api")
    counted.om.refused("info", "eu1/nobody", code="not_found")
    counted.om.ok("kill", "eu1/api")
    assert counted.started == 1


def test_it_ends_with_the_daemon_that_it_serves_and_the_next_command_begins_another_one(counted):
    counted.ps()
    gate = counted.gate
    counted.there.ok("shutdown")
    eventually(lambda: not processes.alive(gate), timeout=PATIENCE)
    counted.om.refused("ps", "-H", "eu1", code="daemon_not_running")
    counted.om.ok("run", "-H", "eu1", "true")
    assert len(json.loads(counted.om.ok("ps", "-H", "eu1", "--all", "--json"))) == 1


def test_none_is_left_of_a_hive_that_was_removed(counted):
    counted.ps()
    gate, holder = counted.gate, counted.holder
    counted.om.ok("hive", "rm", "eu1", "--yes")
    eventually(lambda: not processes.alive(gate) and not processes.alive(holder), timeout=PATIENCE)


def test_one_that_a_command_has_when_its_hive_is_removed_ends_with_that_command(counted):
    counted.ps()
    gate, holder = counted.gate, counted.holder
    follower = counted.om.popen("events", "-f", "-H", "eu1")
    counted.there.ok("run", "--name", "first", "sleep 100")
    assert any("first" in line for line in iter(follower.stdout.readline, ""))
    counted.om.ok("hive", "rm", "eu1", "--yes")
    assert processes.alive(gate)
    follower.send_signal(signal.SIGINT)
    follower.wait(PATIENCE)
    eventually(lambda: not processes.alive(gate) and not processes.alive(holder), timeout=PATIENCE)


@pytest.mark.parametrize("victim", ["gate", "holder"])
def test_one_that_was_killed_is_not_missed(counted, victim):
    counted.ps()
    gate = counted.gate
    holder = counted.holder
    os.kill(gate if victim == "gate" else holder, signal.SIGKILL)
    assert json.loads(counted.ps()) == []
    assert json.loads(counted.ps()) == []
    assert counted.started == 2
    eventually(lambda: not processes.alive(gate) and not processes.alive(holder), timeout=PATIENCE)


def test_one_that_does_not_answer_is_a_silent_hive_and_is_not_asked_again(counted):
    counted.ps()
    gate = counted.gate
    os.kill(gate, signal.SIGSTOP)
    said = counted.om.popen("ps", "-H", "local,eu1").communicate(timeout=PATIENCE)[1]
    assert "Error: hive_silent: eu1" in said
    eventually(lambda: not processes.alive(gate), timeout=PATIENCE)
    assert json.loads(counted.ps()) == []


def test_two_commands_at_once_have_a_gate_each(counted):
    counted.ps()
    follower = counted.om.popen("events", "-f", "-H", "eu1")
    counted.om.ok("run", "-H", "eu1", "--name", "api", "sleep 100")
    assert any("api" in line for line in iter(follower.stdout.readline, ""))
    assert [row["name"] for row in json.loads(counted.ps())] == ["api"]
    assert counted.started == 2
    follower.kill()
    follower.wait()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_was_on_its_way_to_one_command_does_not_come_to_the_next(counted, how):
    counted.ps()
    follower = counted.om.popen("events", "-f", "-H", "eu1")
    counted.there.ok("run", "--name", "first", "sleep 100")
    assert any("first" in line for line in iter(follower.stdout.readline, ""))
    follower.send_signal(how)
    follower.wait(PATIENCE)
    counted.there.ok("run", "--name", "second", "sleep 100")
    assert sorted(row["name"] for row in json.loads(counted.ps())) == ["first", "second"]


def test_a_gate_that_knows_of_no_turns_serves_one_command(hives, tmp_path):
    older = (
        "import sys\nfor line in sys.stdin.buffer: print(line.decode().replace('turns', 'other'), end='', flush=True)"
    )
    hive = Counted(hives, tmp_path)
    words = ["sh", "-c", f'echo >>{tmp_path}/starts; "$@" | {sys.executable} -uc {shlex.quote(older)}', "sh"]
    config = f"[hives.eu1]\ngate = {json.dumps([*words, *gate_words(hive.there)])}\n"
    Path(hives.om.home, "config.toml").write_text(config)
    for _ in range(2):
        assert json.loads(hive.ps()) == []
    assert hive.started == 2


def test_an_instruction_that_changes_has_a_gate_of_its_own(counted):
    counted.ps()
    config = Path(counted.om.home, "config.toml")
    config.write_text(config.read_text().replace('"sh", "-c"', '"/bin/sh", "-c"'))
    counted.ps()
    assert counted.started == 2
