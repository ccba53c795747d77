"""`overmind provider test` with programs that do as they should, and with some that do not."""

from __future__ import annotations

import json
import os
import signal
import sys

import pytest

from tests.kit.processes import with_variable
from tests.kit.rpc import HERE
from tests.kit.waiting import eventually

ALL = {"task", "session", "deny", "allow", "memory", "interrupt", "resume", "usage", "stop"}
CONFIG = """
[providers.mine]
program = "{python}"
protocol = "acp"
args = ["{script}"]
[providers.ask]
program = "sh"
protocol = "once"
args = ["-c", 'echo "${{1##*: }}"', "sh", "{{prompt}}"]
[providers.full]
program = "{full}"
protocol = "terminal"
[providers.full.terminal]
rules = [{{ on = "screen", last = 1, any = ['^>> *$'], state = "idle" }}]
[providers.lost]
program = "/nowhere/lost"
protocol = "acp"
install = "pipx install lost"
"""
FULL = """#!/bin/sh
printf '\\033[?2004h>> '
while read -r line; do
  set -- $line
  shift $(($# - 2))
  printf '%s%s\\r\\n>> ' "$1" "${2%?????}"
done
"""


@pytest.fixture
def tested(om, tmp_path):
    """Agents of a person's own, and a folder for temporary files."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "temporary").mkdir()
    (tmp_path / "full").write_text(FULL, encoding="utf-8")
    (tmp_path / "full").chmod(0o755)
    config = CONFIG.format(python=sys.executable, script=HERE / "obedient_agent.py", full=tmp_path / "full")
    with open(om.path("config.toml"), "w", encoding="utf-8") as file:
        file.write(config)
    om.environment |= {"RPC_KEPT": str(tmp_path / "kept"), "TMPDIR": str(tmp_path / "temporary")}
    return om


def tried(om, name, *options, **environment):
    """Test it; return what came of each check, and the exit code. Nothing is left."""
    done = om("provider", "test", name, "--yes", "--json", *options, env=environment, timeout=180)
    assert done.stdout, done.stderr
    assert_nothing_left(om)
    told = json.loads(done.stdout)
    assert told["ok"] is (done.returncode == 0)
    return {one["check"]: (one["result"], one["why"] or "") for one in told["checks"]}, done


def assert_nothing_left(om):
    assert om.ps("--all") == []
    assert os.listdir(om.environment["TMPDIR"]) == []
    assert om.json("inbox", "--json") == []


def failed(checks):
    return {name for name, (result, _) in checks.items() if result == "failed"}


def test_an_agent_that_does_as_it_should_passes_each_check(tested):
    checks, done = tried(tested, "mine")
    assert {name for name, (result, _) in checks.items() if result == "ok"} == ALL, checks
    assert done.stderr.splitlines()[-1] == "acp:mine: 9 ok, 0 failed, 0 not possible"


WRONG = [
    ("never-asks", {"deny": "it ran a command without asking", "allow": "it ran a command without asking"}),
    ("ignores-deny", {"deny": "the command ran though it was denied"}),
    ("forgets", {"memory": "it was to remember heron", "resume": "it was to remember heron"}),
    ("chatters", {"task": "Sure! heron", "session": "Sure! heron", "interrupt": "Sure! heron"}),
]


@pytest.mark.parametrize(("way", "wrong"), WRONG, ids=[way for way, _ in WRONG])
def test_what_an_agent_does_wrong_is_named(tested, way, wrong):
    checks, done = tried(tested, "acp:mine", OBEDIENT_WAY=way)
    assert failed(checks) == set(wrong), checks
    for name, why in wrong.items():
        assert why in checks[name][1]
    assert done.returncode == 1
    assert "\nfailed  " in done.stderr


def test_nothing_is_allowed_but_the_commands_of_the_test(tested, tmp_path):
    checks, _ = tried(tested, "mine", OBEDIENT_WAY="wants-more")
    assert not failed(checks), checks
    assert not (tmp_path / "kept" / "more").exists()


def test_what_a_program_can_not_do_is_no_failure(tested):
    checks, done = tried(tested, "mine", ACP_WAY="begins")
    assert (checks["resume"], done.returncode) == (("-", "it does not announce that it can"), 0)
    checks, done = tried(tested, "ask")
    assert (checks.pop("task")[0], done.returncode) == ("ok", 0)
    assert {result for result, _ in checks.values()} == {"-"}


def test_a_program_on_a_terminal_is_tested_by_its_screen(tested):
    checks, _ = tried(tested, "full")
    assert {name: result for name, (result, _) in checks.items()} == dict.fromkeys(("screen", "message", "stop"), "ok")


def test_one_without_a_login_says_how_to_log_in_and_is_asked_no_more(tested):
    checks, done = tried(tested, "mine", ACP_WAY="no-login")
    assert checks["task"] == ("failed", checks["task"][1])
    assert "it is not logged in; log in first" in checks["task"][1]
    assert {why for result, why in checks.values() if result == "-"} == {"not tried without a login"}
    assert done.returncode == 1


def test_nothing_is_started_that_nobody_has_agreed_to(tested):
    said = tested.refused("provider", "test", "mine", code="invalid")
    assert "Nobody can be asked here: repeat it with -y" in said
    assert "pipx install lost" in tested.refused("provider", "test", "lost", "-y", code="provider_missing")
    assert "Did you mean" in tested.refused("provider", "test", "clade", "-y", code="unknown_provider", exit_code=2)
    inside = {"OVERMIND_MISSION_ID": "1234"}
    tested.refused("provider", "test", "mine", "-y", code="forbidden", env=inside)
    assert os.listdir(tested.environment["TMPDIR"]) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_of_a_test_that_is_broken_off(tested, number):
    tested.ok("start")
    command = tested.popen("provider", "test", "mine", "--yes")
    (mission,) = eventually(tested.ps, what="its first mission runs")
    command.send_signal(number)
    assert command.wait(30) == 130
    assert not with_variable("OVERMIND_MISSION_ID", mission["id"])
    assert_nothing_left(tested)
