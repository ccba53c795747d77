"""What hands trained by docker, kubectl, systemctl and tmux type, from end to end."""

from __future__ import annotations

import json
import os
import subprocess
from functools import partial

import pytest

from tests.kit.killing import without_waiting
from tests.kit.overmind import PROGRAM
from tests.kit.terminal import Terminal
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


def wrote(om, mission, text):
    return text in om.logs(mission)


def test_a_dash_and_a_number_never_acts_by_mistake_and_kill_9_kills(om):
    web = om.mission("sleep 100", "--name", "web")
    for words in (["stop", "-1", "web"], ["restart", "-5", "web"], ["freeze", "-1", "web"], ["rm", "-9", "web"]):
        assert f"Unknown option {words[1]}" in om.refused(*words, code="invalid", exit_code=2)
    om.refused("kill", "-99", "web", code="invalid", exit_code=2)
    assert om.info("web")["status"] == "running"
    assert om.ok("kill", "-9", "web") == f"Killed mission {web}\n"
    om.refused("kill", "-9", "nosuch", code="not_found")


def test_kill_with_a_signal_sends_it_and_the_mission_goes_on(om):
    command = "trap 'echo got it' HUP; echo there; while :; do sleep 0.02; done"
    first, second = om.mission(command, "--name", "first"), om.mission(command, "--name", "second")
    for mission in (first, second):
        eventually(partial(wrote, om, mission, "there"))
    sent = om.json("kill", "-s", "HUP", "first", "second", "--json")
    assert [one["id"] for one in sent] == [first, second]
    assert om.ok("kill", "-HUP", "first") == f"Sent HUP to mission {first}\n"
    for mission in (first, second):
        eventually(partial(wrote, om, mission, "got it"))
        assert om.info(mission)["status"] == "running"


def test_what_was_done_to_missions_has_the_same_shape_as_json_whatever_was_done(om):
    shapes = {}
    for verb in ("stop", "restart", "freeze", "thaw", "kill", "seen", "rm"):
        if verb == "stop":
            om.mission("sleep 100", "--name", "one")
            om.mission("sleep 100", "--name", "two")
        words = ["-y"] if verb == "rm" else []
        shapes[verb] = [sorted({"id", "name"} & set(row)) for row in om.json(verb, *words, "one", "two", "--json")]
    assert set(map(str, shapes.values())) == {str([["id", "name"]] * 2)}


@pytest.mark.own_home
def test_all_live_missions_are_stopped_or_restarted_at_once_with_their_children(om):
    parent = om.mission("sleep 100", "--name", "parent")
    child = om.mission("sleep 100", "--name", "child", "--parent", parent)
    alone = om.mission("sleep 100", "--name", "alone")
    assert om.ok("restart", "--all").splitlines() == [f"Restarted mission {one}" for one in (parent, alone)]
    assert om.info(alone)["runs"][-1]["number"] == 2
    stopped = om.ok("stop", "-a", "-t", "5").splitlines()
    assert sorted(stopped) == sorted(f"Stopped mission {one} and all children" for one in (parent, alone))
    assert {om.info(one)["status"] for one in (parent, child, alone)} == {"stopped"}
    assert om("stop", "--all").stdout == ""
    refused = om("stop", alone).stderr
    assert refused == f"Error: not_running: Mission {alone} (alone) has already ended: stopped.\n"
    assert om.json("stop", "--all", "--json") == []
    om.ok("rm", child)
    assert om.ok("prune", "--dry-run").startswith("Would remove 2 missions (")
    om.ok("rm", parent)
    assert om.ok("prune", "-y").startswith("Removed 1 mission (")
    assert om.ok("ps", "-o", "name") == "", "no names, no line"
    assert om("quest", "list", "--status", "foo").returncode == om("ps", "--status", "foo").returncode == 2
    assert without_waiting(om("delete", "web").stderr).startswith("Error: not_found: No plan named 'web'.")


@pytest.mark.own_home
def test_a_person_is_asked_before_all_are_stopped_killed_or_restarted(om):
    om.mission("sleep 100", "--name", "web")
    for words, question in (
        (["stop", "--all"], "Stop the one live mission?"),
        (["kill", "--all"], "Kill the one live mission?"),
        (["restart", "--all"], "Restart 1 live mission?"),
    ):
        with Terminal(om, *words) as terminal:
            terminal.expect(question.replace("?", r"\?"))
            terminal.type("n\n")
            assert terminal.end() == 1
    with Terminal(om, "stop", "--all") as terminal:
        terminal.expect(r"\[y/N\] ")
        terminal.interrupt()
        terminal.expect("\n")
        assert terminal.end() == 130
    assert om.info("web")["runs"][-1]["number"] == 1


def test_rm_f_kills_what_lives_and_removes_it_with_what_has_ended(om):
    live, done = om.mission("sleep 100", "--name", "live"), om.finished("true", "--name", "done")["id"]
    om.refused("rm", "live", code="not_finished")
    assert om.ok("rm", "-f", "live", "done") == f"Removed mission {live}\nRemoved mission {done}\n"
    om.refused("rm", "-f", "live", code="not_found")
    assert om.ps("--all") == []


def test_a_mission_is_renamed_and_its_child_log_and_id_stay(om):
    mission = om.mission("echo said; sleep 100", "--name", "before")
    child = om.mission("sleep 100", "--name", "child", "--parent", "before")
    eventually(lambda: "said" in om.logs(mission))
    assert om.ok("rename", "before", "after") == f"Renamed mission {mission} to after\n"
    assert om.info("after")["id"] == mission
    assert om.info(child)["parent"] == mission
    assert "said" in om.logs("after")
    om.refused("info", "before", code="not_found")
    om.refused("rename", "after", "child", code="name_taken")
    om.refused("rename", "after", "a/b", code="invalid", exit_code=2)
    done = om.finished("true", "--name", "done")["id"]
    om.ok("rename", "done", "over")
    assert om.info("over")["id"] == done


def test_exec_runs_a_command_in_the_missions_folder_and_environment_and_exits_as_it_does(om, tmp_path):
    (tmp_path / "below").mkdir()
    om.mission("sleep 100", "--name", "api", "--cwd", str(tmp_path), "--env", "COLOUR=red")
    assert om.ok("exec", "api", "pwd") == f"{os.path.realpath(tmp_path)}\n"
    assert om.ok("exec", "-it", "-w", "below", "api", "pwd; echo $COLOUR").split()[-1] == "red"
    assert om.ok("exec", "-e", "COLOUR=blue", "api", "sh", "-c", 'echo "$COLOUR $1"', "x", "a  b") == "blue a  b\n"
    assert om("exec", "api", "exit 7").returncode == 7
    assert "can't be started" in om.refused("exec", "api", "nosuchprogram", "x", code="invalid")
    om.refused("exec", "-w", "nosuch", "api", "pwd", code="cwd_not_found")
    assert len(om.ps()) == 1
    inside = om.finished([*PROGRAM, "exec", "api", "pwd"])
    assert "forbidden" in om.logs(inside["id"])


def test_run_it_joins_the_terminal_and_rm_leaves_nothing(om):
    with Terminal(om, "run", "--rm", "-it", "read -r x; echo got $x; exit 3") as terminal:
        terminal.type("hello\n")
        terminal.expect("got hello")
        assert terminal.end() == 3
    assert om("run", "--rm", "--wait", "echo out; exit 4").returncode == 4
    assert om.ps("--all") == []
    said = om.refused("run", "-it", "true", code="invalid")
    assert "overmind run --wait" in said
    assert om.ps("--all") == []


@pytest.mark.parametrize("seconds", ["0", "0.03", "0.06", "0.1", "0.2"])
def test_a_program_that_ends_before_its_terminal_is_joined_is_seen_and_has_its_exit_code(om, seconds):
    with Terminal(
        om, "run", "--rm", "-it", "--name", "short", f"echo $((6 * 7)) seen; sleep {seconds}; exit 6"
    ) as terminal:
        assert terminal.end() == 6
    assert "42 seen" in terminal.shown
    om.refused("info", "short", code="not_found")


def test_logs_show_the_run_before_and_what_labels_select_and_no_title_without_a_match(om):
    om.mission("echo run $$; sleep 100", "--name", "twice", "--label", "team=web")
    other = om.finished("echo other; echo more", "--name", "other", "--label", "team=web")["id"]
    eventually(lambda: "run" in om.logs("twice"))
    om.refused("logs", "-p", "twice", code="not_found")
    om.ok("restart", "twice")
    eventually(lambda: om.logs("twice").count("\nrun") == 1)
    assert om.ok("logs", "-p", "twice") == om.ok("logs", "--run", "1", "twice")
    assert om.ok("logs", "-l", "team=web", "-n", "1").count("=== ") == 2
    assert om.ok("logs", "--lines", "1", "other") == om.ok("logs", "-1", "other") == "more\n"
    assert om.ok("logs", "-l", "team=none") == ""
    assert om.ok("logs", "--grep", "other") == f"=== other ({other}) ===\nother\n"
    assert om.ok("logs", "--grep", "nowhere") == ""


def test_facts_are_one_line_on_a_pipe_and_several_for_a_person(om):
    om.finished("true", "--name", "done")
    assert om.ok("info", "done").count("\n") == 1
    with Terminal(om, "info", "done") as terminal:
        assert terminal.end() == 0
    assert terminal.shown.count("\n") > 20
    assert json.loads(terminal.shown)["name"] == "done"


def test_status_has_a_line_for_each_fact_of_the_daemon_or_of_a_mission(om):
    mission = om.mission("sleep 100", "--name", "web")
    assert om.ok("status").splitlines()[:2] == ["Daemon:   running", f"PID:      {om.supervisor_pid()}"]
    lines = dict(line.split(":", 1) for line in om.ok("status", "web").splitlines())
    assert lines["Mission"].strip() == f"web ({mission})"
    assert lines["Status"].strip() == "running"
    assert lines["PID"].strip() == str(om.info("web")["os_pid"])
    assert [one["id"] for one in om.json("status", "web", "--json")] == [mission]
    om.refused("status", "nosuch", code="not_found")


def test_top_and_its_alias_show_the_missions_that_are_named(om):
    web = om.mission("sleep 100", "--name", "web")
    om.mission("sleep 100", "--name", "other")
    for words in (["top", "--once"], ["stats", "--no-stream"]):
        assert [row["id"] for row in om.json(*words, "web", "--json")] == [web]
    om.refused("top", "--once", "nosuch", code="not_found")


def test_events_since_a_time_are_those_that_came_later(om):
    om.finished("true")
    every = om.ndjson("events")
    assert om.ndjson("events", "--since", "1h") == every
    after = every[-2]["at"]
    assert om.ndjson("events", "--since", after) == [event for event in every if event["at"] >= after]
    assert om.ndjson("events", "--since", "2099-01-01") == []


@pytest.mark.own_home
def test_a_home_that_is_a_file_and_an_output_that_is_full_are_told_as_what_they_are(om, tmp_path):
    wrong = tmp_path / "file"
    wrong.write_text("")
    for home in (wrong, wrong / "below"):
        said = om.refused("--home", str(home), "start", code="invalid")
        assert f"The home {home} can't be used: Not a directory." in said
    with open("/dev/full", "w", encoding="utf-8") as full:
        for words in (["--help"], ["version"]):
            finished = subprocess.run(
                [*PROGRAM, *words], env=om.environment, stdout=full, stderr=subprocess.PIPE, text=True
            )
            assert finished.returncode == 1
            assert finished.stderr == ("Error: internal: Standard output can't be written: No space left on device.\n")
