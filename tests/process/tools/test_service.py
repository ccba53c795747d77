"""`overmind service`: files that systemd and launchd accept, and nothing that surprises."""

from __future__ import annotations

import os
import socket
import subprocess

import psutil

from overmind_core.cli.service_unit import units
from overmind_core.system.paths import Home
from tests.kit.raw_socket import address, listens
from tests.tools.test_service import linux


@linux
def test_without_a_user_manager_the_file_is_written_and_the_commands_are_told(om, tmp_path, absent):
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_RUNTIME_DIR": absent}
    said = om.ok("service", "install", env=environment)
    (unit,) = os.listdir(tmp_path / "config" / "systemd" / "user")
    assert f"systemctl --user enable {unit}" in said
    assert "loginctl enable-linger" in said
    assert "Removed" in om.ok("service", "remove", env=environment)
    assert "is not installed" in om.ok("service", "remove", env=environment)


@linux
def test_a_rehearsal_shows_all_and_does_nothing(om, tmp_path):
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    shown = om.ok("service", "install", "--dry-run", env=environment)
    assert "ExecStart=" in shown
    assert "systemctl --user daemon-reload" in shown
    assert "  rm " in om.ok("service", "remove", "--dry-run", env=environment)
    assert not (tmp_path / "config").exists()


@linux
def test_a_folder_that_is_a_file_is_a_clear_error(om, tmp_path):
    (tmp_path / "config").write_text("")
    sentence = om.refused("service", "install", code="forbidden", env={"XDG_CONFIG_HOME": str(tmp_path / "config")})
    assert "overmind" in sentence


@linux
def test_what_the_unit_runs_is_a_daemon_that_term_ends_without_its_missions(om):
    plan = units.systemd_plan(Home(om.home), {"HOME": om.environment["HOME"]})
    (line,) = [line for line in plan.text.splitlines() if line.startswith("ExecStart=")]
    notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notified.bind(om.path("notify"))
    notified.settimeout(60)
    for name, text in (
        ("config.last-good.toml", "[retention]\nfinished = 5\n"),
        ("config.toml", "[retention]\nfinish = 5"),
    ):
        with open(om.path(name), "w") as file:
            file.write(text)
    environment = {**om.environment, "NOTIFY_SOCKET": om.path("notify")}
    daemon = subprocess.Popen(line.removeprefix("ExecStart=").split(" "), env=environment, cwd="/")
    try:
        assert notified.recv(100) == b"READY=1"
        assert listens(address(om.home, "overmind.sock")), "started means that it answers"
        (problem,) = om.json("status", "--json")["problems"]
        assert "unknown key 'finish'. Did you mean finished?" in problem, "nobody was there to mend it"
        assert "NOTIFY_SOCKET" not in psutil.Process(om.keeper_pid()).environ()
        os.unlink(om.path("config.toml"))
        mission = om.mission("sleep 60", "--name", "lasting")
        pid = om.pid(mission)
        assert om.supervisor_pid() == daemon.pid
        daemon.terminate()
        assert daemon.wait(timeout=20) == 0
        om.ok("start")
        assert om.pid(mission) == pid
    finally:
        daemon.kill()
        daemon.wait()
        notified.close()
