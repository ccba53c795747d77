"""`overmind doctor` in real homes, sound and broken."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess

import pytest

from overmind_core.cli.doctor.command import CHECKS
from tests.kit.processes import of_home
from tests.kit.terminal import Terminal


def examined(om, *, exit_code=0, **how):
    """Check → what was found, as `doctor --json` prints it."""
    finished = om("doctor", "--json", timeout=40, **how)
    assert finished.returncode == exit_code, finished
    return {one["check"]: one for one in json.loads(finished.stdout)}


def test_in_an_empty_home_all_is_well_and_nothing_is_started(om):
    found = examined(om)
    assert {found[name]["status"] for name in ("python", "home", "file system", "config.toml", "terminals")} == {"ok"}
    assert found["daemon"]["found"] == "not running"
    assert not of_home(om.home)
    assert os.listdir(om.home) == []


def test_every_check_is_named_and_says_what_it_found(om):
    found = examined(om)
    assert set(found) <= {check.name for check in CHECKS}
    assert all(one["status"] in {"ok", "warn", "fail"} and one["found"] for one in found.values())
    assert all((one["mend"] is None) == (one["status"] == "ok") for one in found.values())


def test_the_table_has_a_line_for_each(om):
    lines = om.ok("doctor", timeout=40, env={"COLUMNS": "70"}).splitlines()
    assert lines[0].split() == ["CHECK", "STATUS", "FOUND"]
    assert [line for line in lines if line.startswith("home ")]
    assert [line for line in lines if len(line) > 70 and " " in line.strip()] == []


def test_a_running_daemon_and_its_keeper_are_named(om):
    om.ok("start")
    found = examined(om)
    assert found["daemon"]["found"].startswith(f"PID {om.supervisor_pid()}, version")
    assert found["keeper"]["found"] == f"PID {om.keeper_pid()}"


def test_a_daemon_that_does_not_answer_fails(om):
    om.ok("start")
    pid = om.supervisor_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        found = examined(om, exit_code=1)
        assert found["daemon"]["status"] == "fail"
        assert f"kill {pid}" in found["daemon"]["mend"]
    finally:
        os.kill(pid, signal.SIGCONT)


def test_missions_without_a_daemon_are_noticed_and_not_adopted(om):
    om.mission("sleep 60")
    om.ok("shutdown", "--keep")
    found = examined(om)
    assert (found["daemon"]["status"], found["daemon"]["mend"]) == ("warn", "overmind start")
    assert om.locked_by("supervisor.lock") is None


def test_a_stale_socket_is_noticed(om):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(om.path("overmind.sock"))
    found = examined(om)
    assert found["daemon"]["status"] == "warn"
    assert "stale" in found["daemon"]["found"]


BROKEN = [
    ("[logs]\ntotal = 'much'\n", "logs.total"),
    ("[logs\n", "config.toml"),
    ("logs = 3\n", ":1:8: logs: write a table"),
]


@pytest.mark.parametrize(("text", "named"), BROKEN)
def test_a_mistake_in_the_configuration_fails_and_is_named(om, text, named):
    with open(om.path("config.toml"), "w") as file:
        file.write(text)
    found = examined(om, exit_code=1)
    assert found["config.toml"]["status"] == "fail"
    assert named in found["config.toml"]["found"]


def test_an_unknown_key_of_the_full_screen_program_is_a_warning(om):
    with open(om.path("config.toml"), "w") as file:
        file.write("[tui]\nthem = 'dark'\n")
    found = examined(om)["config.toml"]
    assert (found["status"], found["mend"]) == ("warn", "fix that line; the full-screen program ignores it")
    assert found["found"].endswith("config.toml:2:1: tui: unknown key 'them'. Did you mean theme?")


def test_a_home_that_others_may_enter_is_a_warning(om):
    os.chmod(om.home, 0o755)
    found = examined(om)
    assert (found["home"]["status"], found["home"]["mend"]) == ("warn", f"chmod 700 {om.home}")


def test_a_home_that_is_a_file_fails(om, tmp_path):
    (tmp_path / "file").write_text("")
    found = examined(om, exit_code=1, env={"OVERMIND_HOME": str(tmp_path / "file")})
    assert found["home"]["status"] == "fail"
    assert "is not a folder" in found["home"]["found"]


def test_a_home_that_is_not_there_is_not_made(om, tmp_path):
    home = tmp_path / "later"
    found = examined(om, env={"OVERMIND_HOME": str(home)})
    assert found["home"]["status"] == "ok"
    assert not home.exists()


def test_a_long_path_moves_the_socket_and_the_check_says_where(om):
    environment = {"OVERMIND_HOME": om.path(*["a-folder-with-a-long-name"] * 5)}
    assert "elsewhere" in examined(om, env=environment)["socket"]["found"]
    try:
        om.ok("start", env=environment)
        assert "moved to" in examined(om, env=environment)["socket"]["found"]
    finally:
        om.ok("shutdown", env=environment)


def test_a_program_that_hangs_holds_up_nobody(om, tmp_path):
    program = tmp_path / "claude"
    program.write_text("#!/bin/sh\nsleep 300 & wait\n")
    program.chmod(0o755)
    found = examined(om, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert found["claude"]["status"] == "warn"
    assert "no answer within" in found["claude"]["found"]


def test_an_agent_that_is_there_is_shown_with_its_version(om, tmp_path):
    program = tmp_path / "codex"
    program.write_text("#!/bin/sh\necho codex-cli 1.2.3\n")
    program.chmod(0o755)
    found = examined(om, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    said = f"codex-cli 1.2.3 ({program}), tried with 0.171.0, logged in"
    assert found["codex"] == {"check": "codex", "status": "ok", "found": said, "mend": None}


def test_on_a_terminal_the_words_are_coloured(om):
    with Terminal(om, "doctor") as terminal:
        terminal.expect("\x1b\\[32mok")
        terminal.end()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here")
def test_inside_tmux_its_settings_are_read(om, tmp_path):
    server = ["tmux", "-S", str(tmp_path / "tmux"), "-f", os.devnull]
    try:
        subprocess.run([*server, "new-session", "-d", "sleep 60"], env=om.environment, check=True)
        subprocess.run([*server, "set", "-s", "set-clipboard", "off"], check=True)
        subprocess.run([*server, "set", "-s", "escape-time", "10"], check=True)
        found = examined(om, env={"TMUX": f"{tmp_path}/tmux,1,0"})
        assert (found["tmux escape-time"]["status"], found["tmux escape-time"]["found"]) == ("ok", "10 ms")
        assert found["tmux set-clipboard"]["status"] == "warn"
        assert "tmux allow-passthrough" in found
        assert "tmux default-terminal" in found
    finally:
        subprocess.run([*server, "kill-server"], check=False)
