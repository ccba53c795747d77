"""What a daemon has begun for itself ends with it: a push to a host that does not answer, a probe that takes long."""

from __future__ import annotations

import os
import signal

import pytest

from tests.kit import processes
from tests.kit.killing import kill_supervisor
from tests.kit.overmind import FINAL
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

WORK = "echo a > b; git add b; git commit -qm work"
SLOW = """#!/bin/sh
for other in $(cat '{begun}'); do kill -0 "$other" && echo "$other" >> '{begun}.beside'; done
echo $$ >> '{begun}'
exec sleep 66002
"""


class Remote:
    """A remote by ssh that never answers; it writes down who asks it."""

    def __init__(self, om, code):
        self._begun = om.path("begun")
        program = om.path("slow-ssh")
        with open(program, "w") as file:
            file.write(SLOW.format(begun=self._begun))
        os.chmod(program, 0o755)
        code.git("remote", "add", "origin", "ssh://127.0.0.1/x")
        code.git("config", "core.sshCommand", program)
        code.git("config", "ssh.variant", "ssh")  # else it is asked for that first

    def asked(self):
        """Processes that have asked it so far."""
        try:
            with open(self._begun) as file:
                return [int(line) for line in file.read().split()]
        except FileNotFoundError:
            return []


@pytest.fixture
def remote(om):
    """A mission `red` with a branch of its own, in a repository with that remote."""
    code = Repository(om.path("shop"))
    code.commit("first", {"a": "1\n"})
    om.environment.update({name: value for name, value in code.environ.items() if name.startswith("GIT_")})
    om.ok("start")
    made = om.api("run", name="red", isolate=True, command=["/bin/sh", "-c", WORK], cwd=code.folder, env=om.environment)
    assert om.wait_status(made["id"], *FINAL)["status"] == "stopped"
    return Remote(om, code)


def test_a_shutdown_leaves_nothing_of_a_push_and_tells_who_waits(om, remote):
    pushing = om.popen("push", "red")
    eventually(lambda: len(remote.asked()) == 1, what="the push has begun")
    (ssh,) = remote.asked()
    om.ok("shutdown", "-y")
    assert not processes.alive(ssh)
    assert processes.with_word("66002") == []
    _, said = pushing.communicate(timeout=30)
    assert pushing.returncode == 1
    assert "daemon_lost: Cancelled: the daemon was shut down before git had ended." in said


def test_a_probe_of_a_daemon_that_was_killed_ends_with_the_start_of_the_next(om, tmp_path):
    begun = tmp_path / "begun"
    (tmp_path / "p.toml").write_text(f"""
        [agents.server]
        command = "sleep 66003"
        ready = {{ exec = "echo $$ >> {begun}; sleep 66004; true" }}
    """)

    def probes():
        return [int(line) for line in begun.read_text().split()] if begun.exists() else []

    om.ok("apply", str(tmp_path / "p.toml"))
    eventually(probes, what="the probe has begun")
    (first,) = probes()
    kill_supervisor(om)
    om.ok("start")
    eventually(lambda: len(probes()) == 2, what="the next daemon looks")
    eventually(lambda: not processes.alive(first), what="the probe of the last one has ended")
    assert {os.getsid(pid) for pid in processes.with_word("66004")} == {probes()[1]}
    assert [row["status"] for row in om.ps() if row["name"] == "p/server"] == ["running"]


def test_a_push_that_is_asked_for_again_runs_alone(om, remote):
    """The first is that of a daemon which was killed, the second waits for its end; a third waits for the second."""
    pushing = om.popen("push", "red")
    eventually(lambda: len(remote.asked()) == 1, what="the push has begun")
    kill_supervisor(om)
    eventually(lambda: len(remote.asked()) == 2, what="the client has asked the next daemon")
    first, second = remote.asked()
    assert not processes.alive(first)
    again = om.popen("push", "red")
    om.ok("status")
    os.kill(second, signal.SIGTERM)
    eventually(lambda: len(remote.asked()) == 3, what="the third has begun once the second ended")
    assert not os.path.exists(om.path("begun.beside"))
    pushing.communicate(timeout=30)
    assert pushing.returncode == 1
    om.ok("shutdown", "-y")
    again.communicate(timeout=30)
    assert [pid for pid in remote.asked() if processes.alive(pid)] == []
