"""Completion, driven by real shells."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

import pytest

from overmind_core.cli.command import COMMANDS
from tests.kit.asking_daemon import AskingDaemon
from tests.kit.blueprints import written
from tests.kit.overmind import PROGRAM
from tests.kit.processes import of_home
from tests.kit.terminal import Terminal

BASH = """
source "$SCRIPT"
COMP_WORDS=("$@")
COMP_CWORD=$(( $# - 1 ))
_shtab_overmind
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def world(om, tmp_path):
    """An environment in which `overmind` is on PATH, and the folder of scripts."""
    program = tmp_path / "bin" / "overmind"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n')
    program.chmod(0o755)
    return {**om.environment, "PATH": f"{program.parent}:{os.environ['PATH']}"}


@pytest.fixture
def complete(om, world, tmp_path):
    """What bash offers for the last of these words."""
    script = tmp_path / "overmind.bash"
    script.write_text(om.ok("completion", "bash"))

    def offered(*words: str) -> list[str]:
        finished = subprocess.run(
            ["bash", "--norc", "-c", BASH, "bash", "overmind", *words],
            env={**world, "SCRIPT": str(script)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert finished.stderr == ""
        return [line for line in finished.stdout.splitlines() if line]

    return offered


WITHOUT_A_DAEMON = [
    (["ver"], ["version"]),
    (["st"], ["start", "status", "stop", "state"]),
    (["ps", "--wi"], ["--wide"]),
    (["ps", "--status", "r"], ["running", "restarting"]),
    (["signal", "x", "USR"], ["USR1", "USR2"]),
    (["run", "--stop-signal", "HU"], ["HUP"]),
    (["run", "--restart", ""], ["never", "on-failure", "always"]),
    (["run", "--cwd", "/us"], ["/usr"]),
    (["run", "--env-file", "some"], ["some.env"]),
    (["agents", "some"], ["some.env"]),
    (["delete", "some"], ["some.env"]),
    (["completion", ""], ["bash", "zsh", "fish"]),
    (["service", "in"], ["install"]),
    (["claude", ""], ["run"]),
    (["demo", ""], ["start", "stop", "spec"]),
    (["demo", "--no"], ["--no-tui"]),
    (["run", "--provider", ""], ["raw", "claude", "codex", "gemini", "opencode", "qwen", "copilot"]),
    (["claude", "run", "--max-c"], ["--max-children", "--max-cost"]),
    (["answer", "x", "al"], ["allow", "always"]),
    (["--headless", "ru"], ["run"]),
    (["--headless", ""], ["run", "apply"]),
    (["--headless", "ap"], ["apply"]),
    (["--headless", "run", "--jun"], ["--junit"]),
    (["--home", "/us"], ["/usr"]),
    (["--home", "/usr", "ver"], ["version"]),
    (["queue", ""], ["pause", "resume", "slots"]),
    (["quest", "add", "--prio"], ["--priority"]),
    (["quest", "add", "--priority", ""], ["critical", "high", "medium", "low"]),
    (["quest", "edit", "x", "--review", "p"], ["person"]),
    (["quest", "add", "-f", "some"], ["some.env"]),
    (["events", "--type", "pau"], ["paused"]),
    (["board", "--by", ""], ["spec", "group", "priority"]),
    (["run", "make", "some"], ["some.env"]),
    (["run", "--name", "x", "make", "some"], ["some.env"]),
    (["run", "_overmind_prog"], []),
    (["kill", "-s", "USR"], ["USR1", "USR2"]),
    (["ps", "-o", ""], ["json", "yaml", "name", "wide"]),
    (["ps", "--form"], ["--format"]),
    (["apply", "-f", "some"], ["some.env"]),
    (["stop", ""], []),
    (["nosuch", "x"], []),
]


@pytest.mark.parametrize(("words", "offered"), WITHOUT_A_DAEMON)
def test_bash_knows_the_table(complete, tmp_path, words, offered):
    (tmp_path / "some.env").write_text("")
    assert complete(*words) == offered


def test_bash_offers_every_command(complete):
    assert set(complete("")) == {*(name.partition(" ")[0] for name in COMMANDS), "--headless"}


def test_completing_starts_no_daemon(om, complete):
    assert complete("logs", "") == []
    assert not of_home(om.home)
    assert os.listdir(om.home) == []


def test_bash_offers_the_programs_that_may_be_run(complete):
    assert "env" in complete("run", "en")


def test_missions_are_offered_where_they_may_stand(om, complete, tmp_path):
    live = om.mission("sleep 60", "--name", "api-server")
    done = om.finished("true", "--name", "api-test")["id"]
    killed = om.mission("sleep 60", "--name", "api-old")
    om.ok("kill", killed)
    assert complete("stop", "api") == ["api-server"]
    assert complete("stop", live[:6]) == [live]
    assert sorted(complete("rm", "api")) == ["api-old", "api-test"]
    assert sorted(complete("logs", "-f", "api")) == ["api-old", "api-server", "api-test"]
    assert complete("logs", "x", "api-t") == ["api-test"]
    assert complete("run", "--parent", done[:7]) == [done]
    om.ok("apply", written(tmp_path, '[agents.a]\ncommand = "true"\n', "release"))
    assert complete("delete", "rel") == ["release", "release.toml"]


def test_quests_are_offered_where_they_may_stand(om, complete):
    om.ok("queue", "pause")
    for name in ("docs-build", "docs-ship"):
        om.ok("quest", "add", "x", "--name", name, "--", "true")
    assert sorted(complete("quest", "why", "do")) == ["docs-build", "docs-ship"]
    assert complete("quest", "retry", "docs-build", "docs-s") == ["docs-ship"]
    assert complete("quest", "edit", "docs-b") == ["docs-build"]
    assert complete("quest", "add", "--needs", "docs-b") == ["docs-build"]


def test_hives_are_offered_where_they_may_stand(om, complete):
    with open(f"{om.home}/config.toml", "w", encoding="utf-8") as file:
        file.write('[hives.eu1]\nssh = "eu1.example.com"\n[hives.eu2]\ngate = ["false"]\n')
    assert complete("-H", "") == complete("ps", "--hive", "") == ["eu1", "eu2", "all"]
    assert complete("hive", "info", "") == ["eu1", "eu2"]
    assert complete("hive", "rm", "eu2") == ["eu2"]
    assert complete("-H", "eu1", "ver") == ["version"]
    assert "--hive" not in complete("doctor", "--h")


def test_a_key_pressed_in_a_real_bash_completes(om, world):
    om.mission("sleep 60", "--name", "unmistakable")
    env = {"PATH": world["PATH"], "PS1": "ready> ", "INPUTRC": os.devnull}
    with Terminal(om, "--norc", "--noprofile", "-i", program=["bash"], env=env) as terminal:
        terminal.type('eval "$(overmind completion bash)" && echo load""ed\n')
        terminal.expect("loaded")
        terminal.type("overmind info unm\t")
        terminal.expect("overmind info unmistakable")


SYNTAX = [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])]


@pytest.mark.parametrize(("shell", "check"), SYNTAX)
def test_the_script_has_no_syntax_error(om, tmp_path, shell, check):
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    script = tmp_path / "script"
    script.write_text(om.ok("completion", shell))
    subprocess.run([*check, str(script)], check=True, timeout=30)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_names_every_command_and_asks_for_missions(om, shell):
    script = om.ok("completion", shell)
    assert [name for name in COMMANDS if name.replace(" ", "_") not in script.replace(" ", "_")] == []
    assert "overmind completion --list live" in script


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish here")
def test_fish_offers_missions(om, world, tmp_path):
    om.mission("sleep 60", "--name", "api-server")
    script = tmp_path / "overmind.fish"
    script.write_text(om.ok("completion", "fish"))
    finished = subprocess.run(
        ["fish", "--no-config", "-c", f"source {script}; complete -C 'overmind stop api'"],
        env=world,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert finished.stdout.split()[0] == "api-server"


def test_the_answers_are_names_then_ids(om):
    mission = om.mission("sleep 60", "--name", "alpha")
    done = om.finished("true", "--name", "beta")["id"]
    assert om.ok("completion", "--list", "live").split() == ["alpha", mission]
    assert om.ok("completion", "--list", "finished").split() == ["beta", done]
    assert om.ok("completion", "--list", "all").split() == ["alpha", "beta", mission, done]


def test_an_answer_is_offered_the_numbers_of_what_is_asked_and_the_names_that_ask(om, complete):
    with AskingDaemon(om) as daemon:
        for need in ("phase", "merge"):
            daemon.ask(need, "spec", "5b00c0de", "login")
        daemon.ask("stuck", "quest", "0a0b0c0d", "login/TSK-004")
        assert om.ok("completion", "--list", "questions").split() == ["1", "2", "3", "login", "login/TSK-004"]
        assert complete("answer", "lo") == ["login", "login/TSK-004"]


def test_mistakes_are_usage_errors(om):
    om.refused("completion", code="invalid", exit_code=2)
    om.refused("completion", "tcsh", code="invalid", exit_code=2)
