"""`overmind service`: files that systemd and launchd accept, and nothing that surprises."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys

import pytest

from overmind_core.cli import daemon as daemon_commands
from overmind_core.cli.context import Context
from overmind_core.cli.external import ProgramResult
from overmind_core.cli.service_unit import command, units
from overmind_core.cli.service_unit.units import unit_quoted
from overmind_core.client.daemon import LaunchedDaemon
from overmind_core.daemon import main
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from tests.kit.cases import tabled

UNITS = ".config/systemd/user"
linux = pytest.mark.skipif(sys.platform != "linux", reason="systemd is on Linux")


@pytest.fixture
def person(tmp_path):
    """The environment of somebody whose home is the default one."""
    return {"HOME": str(tmp_path)}


class Said(list[str]):
    """What a person was told."""


class InitSystem:
    """Remembers what it is told; does not answer when `there` is false, and refuses what `refuses` names."""

    def __init__(self, *, there=True, refuses=""):
        self.there = there
        self.refuses = refuses
        self.told = []

    def __call__(self, *argv, timeout=5.0):
        assert timeout
        self.told.append(argv)
        if self.refuses and self.refuses in argv:
            return ProgramResult(1, "no such thing")
        return ProgramResult(0 if self.there else 1, "")


def orders(init):
    return [argv[2] for argv in init.told if argv[:2] == ("systemctl", "--user")]


def test_install_writes_the_file_and_tells_the_init_system(person):
    home, said = Home.resolve(person), Said()
    plan, init = units.systemd_plan(home, person), InitSystem()
    command.install(plan, home, init, said.append)
    with open(os.path.join(person["HOME"], UNITS, "overmind.service")) as file:
        assert file.read() == plan.text
    assert orders(init) == ["show", "daemon-reload", "enable", "restart"]
    assert said == [f"Wrote {plan.path}", "Service overmind.service is enabled and running"]


def test_a_second_install_changes_no_file(person):
    home = Home.resolve(person)
    plan, said = units.systemd_plan(home, person), Said()
    command.install(plan, home, InitSystem(), said.append)
    before = os.stat(plan.path)
    command.install(plan, home, InitSystem(), said.append)
    assert os.stat(plan.path).st_ino == before.st_ino
    assert said[2] == f"{plan.path} is up to date"


def test_a_refusal_is_an_error_that_names_the_order(person):
    home = Home.resolve(person)
    plan = units.systemd_plan(home, person)
    with pytest.raises(OvermindError, match=r"systemctl --user enable overmind\.service failed: no such thing"):
        command.install(plan, home, InitSystem(refuses="enable"), lambda _: None)


def test_somebody_elses_file_is_left_alone(person):
    home = Home.resolve(person)
    plan = units.systemd_plan(home, person)
    os.makedirs(os.path.dirname(plan.path))
    with open(plan.path, "w") as file:
        file.write("[Unit]\n")
    for act in (
        lambda: command.install(plan, home, InitSystem(), lambda _: None),
        lambda: command.remove(plan, InitSystem(), lambda _: None),
    ):
        with pytest.raises(OvermindError, match="was not written by Overmind"):
            act()
    with open(plan.path) as file:
        assert file.read() == "[Unit]\n"


def test_remove_takes_the_file_away_and_does_not_stop_the_daemon(person):
    home = Home.resolve(person)
    plan, init, said = units.systemd_plan(home, person), InitSystem(), Said()
    command.install(plan, home, InitSystem(), lambda _: None)
    command.remove(plan, init, said.append)
    assert not os.path.exists(plan.path)
    assert orders(init) == ["show", "disable", "daemon-reload"]
    command.remove(plan, init, said.append)
    assert said[-1] == "Service overmind.service is not installed"


def test_stopping_the_unit_ends_the_daemon_alone(person):
    lines = units.systemd_plan(Home.resolve(person), person).text.splitlines()
    assert "KillMode=process" in lines
    assert not [line for line in lines if line.startswith("ExecStop")]


def test_the_unit_is_started_once_it_answers_and_again_for_as_long_as_it_takes_when_it_was_killed(person):
    lines = units.systemd_plan(Home.resolve(person), person).text.splitlines()
    assert {"Type=notify", "Restart=on-failure", "RestartSec=2", "StartLimitIntervalSec=0"} <= set(lines)


def test_the_web_server_is_a_unit_beside_the_daemon_s_and_goes_with_it(person):
    home, context, init = Home.resolve(person), Context(person), InitSystem()
    daemon, server = command.plans_for(context, web=True, removal=False)
    assert (daemon.name, server.name) == ("overmind.service", "overmind-web.service")
    assert {"After=overmind.service", "Wants=overmind.service"} <= set(server.text.splitlines())
    for plan in (daemon, server):
        command.install(plan, home, init, lambda _: None)
    assert command.plans_for(context, web=False, removal=False) == [daemon]
    assert command.plans_for(context, web=True, removal=True) == [server]
    assert command.plans_for(context, web=False, removal=True) == [server, daemon]
    command.remove(server, init, lambda _: None)
    assert ("systemctl", "--user", "disable", "--now", "overmind-web.service") in init.told
    assert command.plans_for(context, web=False, removal=True) == [daemon]


def test_on_a_mac_the_web_server_is_a_launch_agent_of_its_own(person):
    daemon, server = command.plans_for(Context(person), web=True, removal=False, platform="darwin")
    agent = plistlib.loads(server.text.encode())
    assert (agent["Label"], server.name != daemon.name) == (server.name, True)
    assert agent["ProgramArguments"][-2:] == ["web", "--no-link"]


def test_the_default_home_needs_no_variable_and_another_one_gets_a_name_of_its_own(person):
    default = units.systemd_plan(Home.resolve(person), person)
    other = units.systemd_plan(Home("/srv/100% mine"), person)
    assert "Environment" not in default.text
    assert 'Environment="OVERMIND_HOME=/srv/100%% mine"' in other.text.splitlines()
    assert other.name != default.name
    assert other.name.startswith("overmind-")


WORDS = [
    ("/usr/bin/python3.11", "/usr/bin/python3.11"),
    ("a b", '"a b"'),
    ("100%", '"100%%"'),
    ('say "x"', '"say \\"x\\""'),
    ("back\\slash", '"back\\\\slash"'),
    ("two\nlines", '"two\\nlines"'),
    ("", '""'),
]


@tabled(("word", "written"), WORDS)
def test_a_word_means_itself_in_a_unit_file(word, written):
    assert unit_quoted(word) == written


@linux
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
@pytest.mark.parametrize("folder", ["plain", "with a blank", "100% $HOME"])
@pytest.mark.parametrize("plan_of", [units.systemd_plan, units.systemd_web_plan])
def test_systemd_accepts_the_unit(folder, plan_of, tmp_path, person, monkeypatch):
    interpreter = tmp_path / folder / "python"
    interpreter.parent.mkdir()
    interpreter.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    plan = plan_of(Home(str(tmp_path / folder / "home")), person)
    (tmp_path / plan.name).write_text(plan.text)
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    finished = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(tmp_path / plan.name)],
        env={"PATH": os.environ["PATH"], "HOME": person["HOME"], "XDG_RUNTIME_DIR": str(runtime)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert plan.name not in finished.stdout + finished.stderr
    assert finished.returncode == 0, finished.stderr


def test_launchd_gets_a_property_list(person, tmp_path):
    home = Home("/Volumes/x & y/om")
    plan = units.launchd_plan(home, person)
    agent = plistlib.loads(plan.text.encode())
    assert plan.path == str(tmp_path / "Library" / "LaunchAgents" / f"{plan.name}.plist")
    assert agent["Label"] == plan.name
    assert os.path.isabs(agent["ProgramArguments"][0])
    assert agent["ProgramArguments"][-2:] == ["start", "--foreground"]
    assert agent["EnvironmentVariables"] == {"OVERMIND_HOME": home.root, "OVERMIND_SERVICE": "1"}
    assert agent["AbandonProcessGroup"] is True
    if shutil.which("plutil"):
        subprocess.run(["plutil", "-lint", "-"], input=plan.text, text=True, check=True)


def test_a_daemon_of_either_init_system_knows_that_no_person_waits_and_hands_that_to_nobody(person):
    home = Home.resolve(person)
    launched = plistlib.loads(units.launchd_plan(home, person).text.encode())["EnvironmentVariables"]
    for given in (launched, {"NOTIFY_SOCKET": "/run/notify"}):
        environ = {**given, "LANG": "C"}
        assert main._Ready(-1, environ).is_service
        assert environ == {"LANG": "C"}
    assert not main._Ready(-1, {"LANG": "C"}).is_service
    assert "EnvironmentVariables" not in plistlib.loads(units.launchd_web_plan(home, person).text.encode())


@pytest.mark.parametrize(
    ("platform", "said", "name"),
    [
        ("linux", "4711", "overmind.service"),
        ("linux", "0", ""),
        ("darwin", "state = running\n\tpid = 4711", "overmind.daemon"),
        ("darwin", "Could not find service", ""),
    ],
)
def test_whose_daemon_it_is_says_the_init_system(person, monkeypatch, platform, said, name):
    monkeypatch.setattr(command, "run_program", lambda *_: ProgramResult(0, said))
    assert command.service_of(Context(person), 4711, platform) == "", "none is installed"
    plan_of = units.launchd_plan if platform == "darwin" else units.systemd_plan
    command.install(plan_of(Home.resolve(person), person), Home.resolve(person), InitSystem(), lambda _: None)
    assert command.service_of(Context(person), 4711, platform) == name


@pytest.mark.parametrize("service", ["", "overmind.service"])
def test_a_daemon_that_leaves_its_service_when_it_is_replaced_says_so(person, monkeypatch, capsys, service):
    launched = LaunchedDaemon(Home.resolve(person), 4712, "", ready=True)
    monkeypatch.setattr(daemon_commands, "holder_pid", lambda _: 4711)
    monkeypatch.setattr(daemon_commands, "_launch_after", lambda *_: launched)
    monkeypatch.setattr(daemon_commands, "_service_of", lambda *_: service)
    assert daemon_commands._replace(Context(person)) == 0
    printed = capsys.readouterr()
    assert printed.out == "Daemon replaced (PID 4712)\n"
    line = "It no longer runs as the service overmind.service. Let that take over with: overmind service install\n"
    assert printed.err == (line if service else "")


def test_an_agent_that_was_not_loaded_is_no_obstacle(person):
    home = Home.resolve(person)
    init, said = InitSystem(refuses="bootout"), Said()
    command.install(units.launchd_plan(home, person), home, init, said.append)
    assert init.told[-1][:2] == ("launchctl", "bootstrap")
    assert said[-1] == "Service overmind.daemon is enabled and running"
