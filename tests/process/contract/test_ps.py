"""`ps` and `info`: which missions are shown, in which order, and how."""

from __future__ import annotations

import json
import os
import re
import sys

import pytest
import yaml

from overmind_core.domain.text.cells import width
from tests.kit.overmind import PROGRAM
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

COLUMNS = ["ID", "NAME", "TYPE", "STATUS", "RESTARTS", "PARENT", "CHILDREN", "UPTIME", "EXIT", "COMMAND"]
WIDE = ["CPU%", "MEM", "ACTIVITY", "COST", "CHANGED", "SOURCE", "NOW"]
KEYS = [
    "id", "name", "type", "status", "reason", "restart_count", "parent", "children", "exit_code", "started_at",
    "ended_at", "uptime_seconds", "command", "cwd", "labels", "provider", "activity", "outcome", "changed_lines",
]  # fmt: skip
INFO = [
    "status", "reason", "os_pid", "type", "provider", "argv", "cwd", "model", "restart_policy", "restart_count",
    "next_restart_at", "parent", "children", "labels", "session_id", "attached", "activity", "now", "exit_code",
    "started_at", "ended_at", "last_activity_at", "survivors", "background", "runs",
]  # fmt: skip
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
HOSTILE = {
    "wide characters": "echo 日本語 🙂",
    "an escape sequence": "echo \x1b[31mred\x1b[0m",
    "a newline and a tab": "echo a\n\techo b",
    "a bidirectional override": "echo \u202egnorw",
    "a combining mark": "echo e\u0301e\u0301",
    "a very long command": "echo " + "x" * 5000,
    "nul's neighbours": "echo \x01\x7f\x9b",
}


def lines(om, *options):
    return om.ok("ps", *options).splitlines()


def ids(om, *options):
    return [row["id"] for row in om.ps(*options)]


def test_the_columns(om):
    mission = om.finished("echo hi", "--name", "short")["id"]
    title, row = lines(om)
    assert title.split() == COLUMNS
    assert row.split(None, 9) == [mission, "short", "task", "stopped", "0", "-", "0", "0s", "0", "echo hi"]
    assert lines(om, "--wide")[0].split() == [*COLUMNS, *WIDE]


def test_an_empty_list_is_the_title_alone_and_as_json_an_empty_array(om):
    om.ok("start")
    finished = om("ps")
    assert (finished.stdout.split(), finished.stderr) == (COLUMNS, "")
    assert om.ok("ps", "--json") == "[]\n"
    assert om.ok("ps", "-q") == ""


def test_json_has_exactly_these_keys_on_one_compact_line(om):
    om.finished("false", "--label", "a=b")
    printed = om.ok("ps", "--json")
    assert printed.count("\n") == 1
    rows = json.loads(printed)
    assert printed == json.dumps(rows, separators=(",", ":")) + "\n"
    (row,) = rows
    assert list(row) == KEYS
    times = {"started_at", "ended_at", "uptime_seconds", "id", "name"}
    assert {key: row[key] for key in KEYS if key not in times} == {
        "type": "task",
        "status": "crashed",
        "reason": None,
        "restart_count": 0,
        "parent": None,
        "children": [],
        "exit_code": 1,
        "outcome": "failed",
        "changed_lines": None,
        "command": "false",
        "cwd": om.home,
        "labels": {"a": "b"},
        "provider": "raw",
        "activity": None,
    }
    assert re.fullmatch(TIME, row["started_at"])
    assert re.fullmatch(TIME, row["ended_at"])
    assert row["started_at"] <= row["ended_at"]


def test_a_live_mission_has_no_end_and_no_exit_code(om):
    om.mission("sleep 100")
    (row,) = om.ps()
    assert (row["status"], row["ended_at"], row["exit_code"]) == ("running", None, None)
    assert row["uptime_seconds"] >= 0


def test_info_knows_everything(om):
    mission = om.mission(["sleep", "100"], "--name", "whole")
    printed = om.ok("info", mission)
    info = json.loads(printed)
    assert [key for key in (*KEYS, *INFO) if key not in info] == []
    assert info["argv"] == ["sleep", "100"]
    assert os.readlink(f"/proc/{info['os_pid']}/exe").endswith(("sleep", "busybox", "coreutils"))
    assert (info["restart_policy"], info["next_restart_at"], info["survivors"]) == ("never", None, [])
    (run,) = info["runs"]
    assert (run["number"], run["os_pid"], run["exit_code"], run["ended_at"]) == (1, info["os_pid"], None, None)
    assert om.ok("info", mission, "--json").count("\n") == 1


def test_info_of_a_killed_mission_has_no_exit_code_but_its_run_has_the_true_one(om):
    mission = om.mission("sleep 100")
    om.ok("kill", mission)
    info = om.info(mission)
    assert (info["status"], info["exit_code"], info["os_pid"]) == ("killed", None, None)
    assert info["runs"][0]["exit_code"] == 137


def test_quiet_alone_lists_live_missions_so_that_they_can_be_ended(om):
    live, done = om.mission("sleep 100", "--label", "a=b"), om.finished("true", "--label", "a=b")["id"]
    assert om.ok("ps", "-q") == om.ok("ps", "-q", "-l", "a=b") == f"{live}\n"
    assert om.ok("ps", "-qa") == f"{live}\n{done}\n"
    assert om.ok("ps", "-q", "--status", "stopped") == f"{done}\n"
    assert om.ok("kill", *om.ok("ps", "-q").split()) == f"Killed mission {live}\n"


def test_formats_say_the_same(om):
    om.finished("true", "--name", "done", "--label", "of=müller")
    om.mission("sleep 100", "--name", "live")
    for command in (["ps", "--status", "stopped"], ["info", "done"], ["top", "--once"], ["status", "done"]):
        rows = om.json(*command, "--json")
        shown = om.ok(*command, "-o", "yaml")
        assert shown.startswith(("- ", "id: "))
        assert command[0] == "top" or "müller" in shown
        again = yaml.safe_load(shown)
        if command[0] != "top":
            assert again == rows == om.json(*command, "-o", "json") == om.json(*command, "--format", "json")
    assert om.ok("ps", "-o", "name") == om.ok("ls", "--output=name") == "done\nlive\n"
    assert om.ok("info", "done", "-o", "name") == "done\n"
    assert om.ok("ps", "-o", "wide").splitlines()[0].split() == [*COLUMNS, *WIDE]
    since = ("--since", str(om.since))  # else all that the tests before have done is read, too
    events = list(yaml.safe_load_all(om.ok("events", *since, "-o", "yaml")))
    assert events == om.ndjson("events", *since)
    assert {event["mission"] for event in events if "mission" in event} == {row["id"] for row in om.ps("--all")}
    om.refused("status", "-o", "name", code="invalid", exit_code=2)


def test_yaml_of_an_agents_words_is_harmless_on_a_terminal(om):
    wild = "\x1b[31mred\x07\u202e\u0085: - {a}"
    om.finished(["true", wild], "--name", "wild")
    shown = om.ok("info", "wild", "-o", "yaml")
    assert yaml.safe_load(shown)["argv"] == ["true", wild]
    assert not {"\x1b", "\x07", "\u202e", "\u0085"} & set(shown)


def test_killed_missions_are_hidden_until_asked_for(om):
    gone, there = om.mission("sleep 100"), om.mission("sleep 100")
    om.ok("kill", gone)
    assert ids(om) == [there]
    assert sorted(ids(om, "--all")) == sorted([gone, there])
    assert ids(om, "--status", "killed") == [gone]


def test_who_kills_what_was_killed_reads_that(om):
    mission = om.mission("sleep 100")
    assert om.ok("kill", mission) == f"Killed mission {mission}\n"
    assert om.ok("kill", mission) == f"Mission {mission} was killed before\n"
    assert [one["id"] for one in om.json("kill", mission, "--json")] == [mission]


def test_killing_a_finished_mission_only_hides_it(om):
    mission = om.finished("echo kept; exit 3")["id"]
    assert om.ok("kill", mission) == f"Mission {mission} had already ended: ps no longer lists it\n"
    assert ids(om) == []
    info = om.info(mission)
    assert (info["status"], info["outcome"], info["exit_code"], info["hidden"]) == ("crashed", "failed", 3, True)
    assert ids(om, "--all", "--failed") == ids(om, "--all", "--status", "crashed") == [mission]
    assert (ids(om, "--status", "killed"), ids(om, "--status", "crashed")) == ([], [])
    waited = om("wait", mission)
    assert (waited.returncode, waited.stdout.split(": ")[1]) == (3, "crashed (exit code 3)")
    assert om.logs(mission) == "kept\n"


@pytest.mark.own_home
def test_missions_are_listed_by_their_start_and_the_order_is_stable(om):
    started = [om.mission(command) for command in ("sleep 100", "true", "sleep 100", "false", "sleep 100")]
    om("wait", started[1], started[3])
    assert ids(om) == started
    om.ok("stop", started[2])
    assert ids(om) == started
    assert [line.split()[0] for line in lines(om)[1:]] == started
    om.ok("shutdown")
    om.ok("start")
    assert ids(om) == started


def test_filters_by_status_label_and_children(om):
    parent = om.mission("sleep 100", "--label", "team=web")
    child = om.mission("sleep 100", "--parent", parent, "--label", "team=db")
    done = om.finished("true", "--label", "team=web", "--label", "size=2")["id"]
    assert ids(om, "--status", "running") == [parent, child]
    assert ids(om, "--status", "running", "--status", "stopped") == [parent, child, done]
    assert ids(om, "--label", "team=web") == [parent, done]
    assert ids(om, "--label", "team=web", "--label", "size=2") == [done]
    assert ids(om, "--label", "team=web", "--status", "running") == [parent]
    assert ids(om, "--children", parent) == [child]
    assert ids(om, "--children", child) == []


def test_uptime_of_a_finished_mission_is_its_duration(om):
    mission = om.finished("sleep 0.3")["id"]
    first = om.ps()[0]["uptime_seconds"]
    assert 0.25 < first < 5
    other = om.finished("sleep 0.5")["id"]
    assert {row["id"]: row["uptime_seconds"] for row in om.ps()}[mission] == first
    assert om.info(other)["uptime_seconds"] > 0.45


@pytest.mark.parametrize("options", [(), ("--wide",), ("--tree",)], ids=["plain", "wide", "tree"])
def test_no_command_breaks_the_table(om, options):
    for command in HOSTILE.values():
        om.mission(["sh", "-c", "sleep 100", command])
    printed = om.ok("ps", *options)
    assert {character for character in printed if not character.isprintable()} == {"\n"}
    title, *rows = printed.splitlines()
    assert len(rows) == len(HOSTILE)
    at, end = title.index("COMMAND"), title.find("EXIT")
    for row in rows:
        assert _cells(row, at, at + 2) == "sh"
        assert _cells(row, at - 2, at) == "  "
        assert width(_cells(row, at, at + 200 if end < 0 else end).rstrip()) <= 40
        assert end < 0 or _cells(row, end, end + 1) == "-"


def test_a_long_command_is_cut_to_40_cells(om):
    om.mission("sleep 100 # " + "日本" * 50)
    om.mission("sleep 100 # " + "x" * 28)
    om.mission("sleep 100 # " + "x" * 29)
    wide, exact, longer = [row.split(None, 9)[9] for row in lines(om)[1:]]
    assert wide.endswith("...")
    assert 38 <= width(wide) <= 40
    assert exact == "sleep 100 # " + "x" * 28
    assert longer == "sleep 100 # " + "x" * 25 + "..."
    assert [len(row["command"]) for row in om.ps()] == [112, 40, 41], "as JSON it is whole"


def test_the_tree_draws_branches_and_orphans_are_roots(om):
    root = om.mission("sleep 100", "--name", "root")
    om.mission("sleep 100", "--name", "first", "--parent", root)
    om.mission("sleep 100", "--name", "grandchild", "--parent", "first")
    om.mission("sleep 100", "--name", "second", "--parent", root)
    gone = om.mission("sleep 100", "--name", "gone")
    om.mission("sleep 100", "--name", "orphan", "--parent", gone)
    om.ok("kill", gone)
    drawn = ["root", "├─ first", "│  └─ grandchild", "└─ second", "orphan"]
    assert _names(om.ok("ps", "--tree")) == drawn
    assert "It descends from gone. Stop it first" in om.refused("rm", gone, code="not_finished")


def test_wide_shows_exit_cpu_and_memory(om):
    om.finished("exit 7", "--name", "over")
    live = om.mission([sys.executable, "-c", "x = bytearray(50_000_000)\nwhile True: pass"], "--name", "live")
    row = eventually(lambda: [row for row in om.ps("--wide") if (row["memory_bytes"] or 0) > 50_000_000])[0]
    assert row["id"] == live
    eventually(lambda: [row for row in om.ps("--wide") if row["id"] == live and row["cpu_percent"] > 5])
    table = [re.split(r"\s{2,}", line) for line in lines(om, "--wide")]
    over, busy = (dict(zip(table[0], row, strict=True)) for row in table[1:])
    assert (over["EXIT"], over["CPU%"], over["MEM"]) == ("7", "-", "-")
    assert busy["EXIT"] == "-"
    assert re.fullmatch(r"\d+\.\d", busy["CPU%"])
    assert re.fullmatch(r"[\d.]+ MB", busy["MEM"])


def test_quiet_prints_ids_that_other_commands_take(om):
    started = [om.mission("sleep 100") for _ in range(3)]
    assert ids(om) == started
    om.ok("stop", *ids(om))
    assert ids(om, "--status", "stopped") == started


def test_a_mission_may_list_and_read_missions(om):
    mission = om.finished([*PROGRAM, "ps", "-q"])["id"]
    assert om.logs(mission) == f"{mission}\n"


def _names(table):
    title, *rows = table.splitlines()
    start, end = title.index("NAME"), title.index("TYPE")
    return [row[start:end].rstrip() for row in rows]


def _cells(text, start, end):
    """The part of `text` between two columns of the terminal."""
    found, column = "", 0
    for character in text:
        if start <= column < end:
            found += character
        column += width(character)
    return found


def test_who_knows_ids_is_told_of_those_that_are_there_and_which_is_missing_is_gone(om):
    first, second, third = (om.finished("true", "--name", name)["id"] for name in ("first", "second", "third"))
    om.ok("kill", third)
    om.api("rm", id=second)
    asked = [third, second, "first", "", first, "deadbeef", first[:4]]
    assert [row["id"] for row in om.api("ps", ids=asked, known=True)] == [first, third]
    assert [row["id"] for row in om.api("ps", ids=[second], known=True, wide=True)] == []
    assert om.api("ps", ids=[], known=True) == []
    with RawSocket.connect(om.home) as api:
        assert api.request("ps", ids=[first, second])["error"] == "not_found"


def test_the_children_of_a_mission_are_the_same_however_it_is_asked_for(om):
    parent = om.mission(["sleep", "9081"])
    over, live = om.finished("true", "--parent", parent)["id"], om.mission(["sleep", "9082"], "--parent", parent)
    below = om.mission(["sleep", "9083"], "--parent", live)
    found = {row["id"]: row["children"] for row in om.api("ps", all=True)}
    assert found == {parent: [over, live], over: [], live: [below], below: []}
    for mission, children in found.items():
        assert om.api("ps", ids=[mission])[0]["children"] == children
        assert om.info(mission)["children"] == children
