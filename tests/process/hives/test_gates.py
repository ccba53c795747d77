"""Named hives by a gate's command: the same command line, over there."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

import pytest

from tests.kit.killing import kill_supervisor, without_waiting
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually
from tests.process.hives.conftest import gate_command, gate_words


def test_a_hive_is_added_once_it_has_answered_and_listed_with_what_it_says(hives):
    first = hives("hive", "add", "eu1", "--gate", gate_command(hives.home("eu1")))
    assert first.startswith("Added hive eu1 (overmind ")
    assert " cpu, " in first
    lines = hives("hive", "list").splitlines()
    assert lines[0].split() == ["NAME", "VIA", "LINK", "VERSION", "LIVE", "SLOTS", "CPU", "MEM", "LABELS", "SEEN"]
    assert lines[1].split()[:3] == ["eu1", "gate", "open"]
    facts = hives.om.json("hive", "info", "eu1")
    assert facts["home"] == os.path.realpath(hives.home("eu1").home)


def test_what_does_not_answer_is_not_added(hives):
    said = hives.om.refused("hive", "add", "eu1", "--gate", "false", code="hive_silent")
    assert said == "eu1 can't be asked: false ended with exit status 1 and without a word. Nothing was added.\n"
    said = hives.om.refused("hive", "add", "eu1", "--gate", "echo hi", code="hive_silent")
    assert said == "eu1 can't be asked: echo ended with exit status 0 and had printed hi. Nothing was added.\n"
    assert not Path(hives.om.home, "config.toml").exists()


@pytest.mark.parametrize("name", ["all", "local", "swarm", "EU", "1a", "a" * 33, "a b", "é", "a/b", ""])
def test_a_name_that_means_something_else_or_is_none_is_refused(hives, name):
    hives.om.refused("hive", "add", name, "host", code="invalid")


def test_the_same_home_has_one_name(hives):
    hives("hive", "add", "eu1", "--gate", gate_command(hives.home("eu1")))
    again = hives.om.refused("hive", "add", "eu2", "--gate", gate_command(hives.home("eu1")), code="invalid")
    assert "called eu1 already" in again
    itself = hives.om.refused("hive", "add", "eu3", "--gate", gate_command(hives.om), code="invalid")
    assert "-H local" in itself


def test_a_configuration_keeps_what_a_person_wrote(hives):
    config = Path(hives.om.home, "config.toml")
    config.write_text("# mine\n[queue]\nslots = 2 # few\n")
    hives("hive", "add", "eu1", "--gate", gate_command(hives.home("eu1")))
    assert config.read_text().startswith("# mine\n[queue]\nslots = 2 # few\n")
    assert hives("hive", "rm", "eu1") == "Removed hive eu1\n"
    assert config.read_text().strip() == "# mine\n[queue]\nslots = 2 # few"


def test_a_command_stands_before_and_after_the_hive(hives):
    hives.add("eu1")
    started = hives("-H", "eu1", "run", "--name", "api", "sleep 100")
    assert "(api)" in started
    for words in (["-H", "eu1", "ps", "-q"], ["ps", "-q", "-H", "eu1"], ["ps", "--hive=eu1", "-q"]):
        assert hives(*words).split() == [row["id"] for row in hives.home("eu1").ps()]
    assert without_waiting(hives.om("ps").stderr).startswith("Error: daemon_not_running")
    assert hives("kill", "eu1/api").startswith("Killed mission")


def test_what_is_run_there_keeps_its_own_h(hives):
    hives.add("eu1")
    mission = hives.om.json("run", "--json", "-H", "eu1", "--", "echo", "-H", "all")["id"]
    eventually(lambda: hives("logs", f"eu1/{mission}") == "-H all\n", what="it has printed its own words")


def test_the_callers_environment_and_folder_stay_here(hives, tmp_path):
    hives.add("eu1")
    mission = hives.om.json(
        "run", "--json", "-H", "eu1", "-e", "GIVEN=1", "env; pwd", cwd=str(tmp_path), env={"SECRET_HERE": "x"}
    )["id"]
    hives("wait", f"eu1/{mission}")
    log = hives("logs", f"eu1/{mission}")
    assert "GIVEN=1" in log
    assert "SECRET_HERE" not in log
    assert log.splitlines()[-1] == hives.home("eu1").environment["HOME"]


def test_a_list_of_all_is_the_sum(hives):
    hives.add("eu1", "eu2")
    mine = hives.om.mission("sleep 100", "--name", "mine")
    theirs = {name: hives.home(name).mission("sleep 100", "--name", f"on-{name}") for name in ("eu1", "eu2")}
    rows = hives.om.json("ps", "-H", "all", "--json")
    assert [(row["hive"], row["id"]) for row in rows] == [("local", mine), *theirs.items()]
    assert hives("-H", "all", "ps").splitlines()[0].split()[:2] == ["HIVE", "ID"]
    assert hives("ps", "-o", "name", "-H", "all").split() == ["mine", "eu1/on-eu1", "eu2/on-eu2"]
    assert hives("ps", "-q", "-H", "eu2,eu1").split() == [f"eu2/{theirs['eu2']}", f"eu1/{theirs['eu1']}"]
    assert len(hives("top", "-H", "all").splitlines()) == 4
    started = {event["hive"] for event in hives.om.ndjson("events", "-H", "all", "--type", "started")}
    assert started == {"local", "eu1", "eu2"}


def test_one_that_does_not_answer_hides_no_other(hives):
    hives.add("eu1")
    with Path(hives.om.home, "config.toml").open("a") as file:
        file.write('[hives.dead]\ngate = ["sleep", "60"]\n')
    mission = hives.home("eu1").mission("sleep 100")
    done = hives.om("ps", "-H", "all", "--json")
    assert [row["id"] for row in json.loads(done.stdout)] == [mission]
    assert done.returncode == 1
    assert done.stderr == "Error: hive_silent: dead has been silent for 1 s. See: overmind hive list\n"
    lines = hives("hive", "list").splitlines()
    assert [line.split()[2] for line in lines[1:]] == ["open", "silent"]


def test_the_daemon_that_is_shut_down_is_the_one_that_was_named(hives):
    hives.add("eu1")
    there = hives.home("eu1")
    assert hives("shutdown", "-y", "-H", "eu1") == "Daemon is not running on eu1\n"
    mine, theirs = hives.om.mission("sleep 100"), there.mission("sleep 100", "--name", "api")
    kept = hives.om("shutdown", "--keep", "-H", "eu1")
    assert (kept.stdout, kept.stderr) == (
        "Daemon stopped on eu1\n", "1 mission keeps running on eu1. See them with: overmind -H eu1 ps\n"
    )  # fmt: skip
    assert hives("ps", "-q", "-H", "eu1").split() == [theirs]
    assert hives("shutdown", "-y", "-H", "eu1") == "Daemon stopped on eu1\n"
    said = hives.om.refused("ps", "-H", "eu1", code="daemon_not_running")
    assert said == "No daemon runs on eu1. It starts with the first mission there: overmind -H eu1 run 'make test'\n"
    assert hives.om.info(mine)["status"] == "running"


def test_a_list_of_hives_says_of_each_why_it_is_not_open(hives):
    hives.add("eu1", "eu2")
    with Path(hives.om.home, "config.toml").open("a") as file:
        file.write('[hives.dead]\ngate = ["false"]\n')
    hives.home("eu1").mission("sleep 100")
    assert hives("hive", "drain", "eu1") == "Hive eu1 takes nothing new (1 run on)\n"
    done = hives.om("hive", "list")
    assert [line.split()[:3] for line in done.stdout.splitlines()[1:]] == [
        ["eu1", "gate", "draining"], ["eu2", "gate", "closed"], ["dead", "gate", "silent"]
    ]  # fmt: skip
    assert done.stderr.splitlines() == [
        "No daemon runs on eu2. It starts with the first mission there: overmind -H eu2 run 'make test'",
        "dead can't be asked: false ended with exit status 1 and without a word.",
    ]
    hives("hive", "drain", "eu1", "--undo")
    assert hives.om.json("hive", "info", "eu1")["link"] == "open"


def test_an_error_says_where_it_was_and_how_to_go_on_from_here(hives):
    hives.add("eu1")
    hives.home("eu1").ok("start")
    said = hives.om.refused("info", "eu1/api", code="not_found")
    assert said == "eu1: No mission named 'api'. See them with: overmind -H eu1 ps --all\n"
    said = hives.om.refused("run", "-H", "eu1", "--cwd", "/nowhere", "true", code="cwd_not_found")
    assert said.startswith("eu1: The working directory /nowhere")


def test_logs_of_several_missions_say_whose_they_are(hives):
    hives.add("eu1")
    mine, theirs = hives.om.mission("sleep 100", "--name", "a"), hives.home("eu1").mission("sleep 100", "--name", "a")
    assert hives("logs", "-H", "all") == f"=== a ({mine}) ===\n=== eu1/a ({theirs}) ===\n"


def test_folders_of_quests_in_a_file_are_there(hives, tmp_path):
    hives.add("eu1")
    home = Path(hives.home("eu1").environment["HOME"])
    (home / "sub").mkdir(exist_ok=True)
    file = tmp_path / "quests.jsonl"
    rows = [{"title": "Here", "command": ["pwd"]}, {"title": "Below", "command": ["pwd"], "cwd": "sub"}]
    file.write_text("\n".join(map(json.dumps, rows)))
    hives("quest", "add", "-H", "eu1", "--wait", "-f", str(file), cwd=str(tmp_path))
    assert hives("quest", "logs", "eu1/here") == f"{home}\n"
    assert hives("quest", "logs", "eu1/below") == f"{home}/sub\n"


def test_a_project_of_another_machine_is_trusted_on_that_machine(hives, tmp_path):
    hives.add("eu1")
    project = Repository(str(tmp_path / "shop"))
    project.commit("first", {".overmind.yml": "isolation: {setup: [make]}\n"})
    said = hives.om.refused("run", "-H", "eu1", "--isolate", "--cwd", project.folder, "true", code="untrusted_project")
    assert "is not trusted on eu1" in said
    assert f"On that machine, review it: overmind isolate --check {project.folder}." in said


def test_a_log_is_read_there_as_here(hives):
    hives.add("eu1")
    there = hives.home("eu1")
    mission = there.mission("seq 200000; printf '\\033[31mred\\033[0m end'")
    there.wait_status(mission, "stopped")
    for options in ([], ["-n", "3"], ["--timestamps"], ["--raw"], ["--grep", "^1234"], ["--cast"]):
        assert hives("logs", *options, f"eu1/{mission}") == there.ok("logs", *options, mission), options
    assert hives("screen", f"eu1/{mission}") == there.ok("screen", mission)


def test_a_log_comes_by_the_gate_that_was_asked_for_it_and_the_next_commands_by_the_same(hives, tmp_path):
    there = hives.home("eu1")
    words = ["sh", "-c", f'echo >>{tmp_path}/gates; exec "$@"', "sh", *gate_words(there)]
    Path(hives.om.home, "config.toml").write_text(f"[hives.eu1]\ngate = {json.dumps(words)}\n")
    for command in ("seq 3", "true"):
        mission = there.mission(command)
        there.wait_status(mission, "stopped")
        assert hives("logs", "--raw", f"eu1/{mission}") == there.ok("logs", "--raw", mission)
    assert (tmp_path / "gates").read_text() == "\n"


def test_a_gate_that_can_t_serve_a_log_behind_requests_costs_one_more(hives, tmp_path):
    there = hives.home("eu1")
    mission = there.mission("seq 3")
    there.wait_status(mission, "stopped")
    refuses = f"{sys.executable} -uc {shlex.quote(_WITHOUT_TURN)}"
    words = ["sh", "-c", f'echo >>{tmp_path}/gates; {refuses} | "$@"', "sh", *gate_words(there)]
    Path(hives.om.home, "config.toml").write_text(f"[hives.eu1]\ngate = {json.dumps(words)}\n")
    assert hives("logs", "--raw", f"eu1/{mission}") == there.ok("logs", "--raw", mission)
    assert (tmp_path / "gates").read_text() == "\n\n"


_WITHOUT_TURN = """
import sys
for number, line in enumerate(sys.stdin.buffer):
    sys.stdout.buffer.write(line if number == 0 or b'"channel"' not in line else b'{"cmd":"no such request"}\\n')
    sys.stdout.buffer.flush()
"""
"""Passes on what a gate is sent, but of a channel's second purpose only what an older gate makes of it."""


def test_a_log_is_followed_over_a_killed_supervisor(hives, tmp_path):
    hives.add("eu1")
    there = hives.home("eu1")
    gate = tmp_path / "go"
    mission = there.mission(f"seq 1000; while [ ! -e {gate} ]; do sleep .05; done; seq 1001 2000")
    follower = hives.om.popen("logs", "-f", f"eu1/{mission}")
    first = [follower.stdout.readline() for _ in range(1000)]
    kill_supervisor(there)
    gate.touch()
    rest, said = follower.communicate(timeout=60)
    assert [int(line) for line in [*first, *rest.split()]] == list(range(1, 2001)), said


def test_a_question_of_another_hive_is_answered_by_its_name(hives):
    hives.add("eu1")
    hives.home("eu1").ok("start")
    hives.om.refused("answer", "eu1/7", "allow", code="not_found")
    assert hives.om.json("inbox", "-H", "all", "--json") == []


@pytest.mark.parametrize("words", [["shell", "x"], ["apply", "f.toml"], ["tui"], ["doctor"], ["web"], ["hive", "list"]])
def test_a_command_about_this_machine_is_not_for_another(hives, words):
    hives.add("eu1")
    assert "can't be used with -H" in hives.om.refused(*words, "-H", "eu1", code="invalid", exit_code=2)


def test_mistakes_name_the_thing(hives):
    hives.add("eu1")
    assert "Did you mean eu1?" in hives.om.refused("ps", "-H", "eu", code="hive_unknown")
    assert "Did you mean eu1?" in hives.om.refused("ps", "-H", "all,eu", code="hive_unknown")
    assert "-H swarm stands alone" in hives.om.refused("ps", "-H", "eu1,swarm", code="invalid", exit_code=2)
    assert "-H swarm stands alone" in hives.om.refused("ps", "-H", "all", "-H", "swarm", code="invalid", exit_code=2)
    hives.om.ok("start")
    said = hives.om.refused("stop", "eu9/api", code="not_found")
    assert said == "No mission named 'eu9/api'. Did you mean eu1/api? See them with: overmind ps --all\n"
    assert "Did you" not in hives.om.refused("stop", "release/api", code="not_found")
    hives.om.refused("ps", "-H", code="invalid", exit_code=2)
    assert "before the command" in hives.om.refused("-H", "ps", code="invalid", exit_code=2)
    assert "eu1/x" in hives.om.refused("attach", "eu1/x", code="invalid")
    hives.om.refused("-H", "eu1", "--version", code="invalid", exit_code=2)
    hives.om.refused("kill", "x", "-H", "all", code="invalid", exit_code=2)
    hives.om.refused("ps", "-H", "swarm", code="no_swarm")
    hives.om.refused("kill", "eu1/a", "b", code="invalid", exit_code=2)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("hives = 3", "write tables"),
        ("[hives.eu1]\nssh = 3", "write a host"),
        ('[hives.eu1]\nssh = "-oProxyCommand=x"', "write a host"),
        ("[hives.eu1]", "give either ssh"),
        ('[hives.eu1]\nssh = "a"\ngate = ["b"]', "give either ssh"),
        ('[hives.all]\nssh = "a"', "can't be called"),
        ("[hives.eu1]\nport = 22", "unknown key"),
    ],
)
def test_a_mistake_in_the_configuration_is_named(hives, table, words):
    Path(hives.om.home, "config.toml").write_text(table + "\n")
    assert words in hives.om.refused("ps", "-H", "eu1", code="invalid_config")


def test_noise_before_the_gate_is_skipped_and_endless_noise_is_not(hives):
    loud = gate_words(hives.home("eu1"))
    config = Path(hives.om.home, "config.toml")
    words = ["sh", "-c", 'echo Welcome; echo {; exec "$@"', "sh", *loud]
    config.write_text(f"[hives.eu1]\ngate = {json.dumps(words)}\n")
    mission = hives.home("eu1").mission("sleep 100")
    assert hives("ps", "-H", "eu1", "-q").split() == [mission]
    config.write_text('[hives.eu1]\ngate = ["yes"]\n')
    assert "64 KiB" in hives.om.refused("ps", "-H", "eu1", code="hive_silent")


def test_another_version_of_the_gate_is_named(hives):
    words = ["sh", "-c", 'echo \'{"gate":2,"version":"9.9"}\'; echo \'{"ok":{}}\'; sleep 5']
    Path(hives.om.home, "config.toml").write_text(f"[hives.eu1]\ngate = {json.dumps(words)}\n")
    assert "(9.9 there)" in hives.om.refused("ps", "-H", "eu1", code="hive_silent")
