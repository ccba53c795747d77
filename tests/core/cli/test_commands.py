"""What commands print and exit with, against a scripted daemon."""

from __future__ import annotations

import json

import pytest

ROW = {
    "id": "a1b2c3d4",
    "name": "api",
    "type": "task",
    "status": "running",
    "restart_count": 2,
    "parent": None,
    "children": ["b1b2c3d4"],
    "uptime_seconds": 321.0,
    "exit_code": None,
    "command": "./server",
}
CHILD = {**ROW, "id": "b1b2c3d4", "name": "w\x1b[2J", "parent": "a1b2c3d4", "children": [], "command": "漢" * 30}


def test_ps_has_exactly_its_columns(overmind):
    status, out, err, _ = overmind({"ps": [{"ok": [ROW, CHILD]}]}, "ps")

    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[0].split() == [
        "ID",
        "NAME",
        "TYPE",
        "STATUS",
        "RESTARTS",
        "PARENT",
        "CHILDREN",
        "UPTIME",
        "EXIT",
        "COMMAND",
    ]
    assert lines[1].split() == ["a1b2c3d4", "api", "task", "running", "2", "-", "1", "5m", "-", "./server"]
    assert "\x1b" not in out


def test_a_wide_ps_on_a_terminal_of_120_columns_says_what_a_mission_is_doing(overmind, monkeypatch):
    monkeypatch.setattr("overmind_core.cli.output._terminal_room", lambda: 120)
    row = ROW | {"now": "Bash: rm -rf build", "cpu_percent": 0.0, "memory_bytes": 15_000_000, "activity": "working"}
    lines = overmind({"ps": [{"ok": [row]}]}, "ps", "--wide")[1].splitlines()
    left = "ID NAME TYPE STATUS RESTARTS PARENT CHILDREN UPTIME EXIT COMMAND CPU% MEM ACTIVITY COST NOW"
    assert lines[0].split() == left.split()
    assert lines[1].endswith(" Bash: rm -rf build")


def test_a_plan_is_called_so_in_the_table_and_blueprint_in_its_json(overmind):
    answer = {"ps": [{"ok": [ROW | {"type": "blueprint"}]}]}
    assert overmind(answer, "ps")[1].splitlines()[1].split()[2] == "plan"
    assert overmind(answer, "ps", "--tree")[1].splitlines()[1].split()[2] == "plan"
    assert json.loads(overmind(answer, "ps", "--json")[1])[0]["type"] == "blueprint"


def test_an_empty_list_is_a_header_and_no_hint_in_a_pipe(overmind):
    assert overmind({"ps": [{"ok": []}]}, "ps")[1:3] == (
        "ID  NAME  TYPE  STATUS  RESTARTS  PARENT  CHILDREN  UPTIME  EXIT  COMMAND\n",
        "",
    )
    assert overmind({"ps": [{"ok": []}]}, "ps", "--json")[1] == "[]\n"
    assert overmind({"ps": [{"ok": []}]}, "ps", "-q")[1] == ""


def test_filters_travel_to_the_daemon(overmind):
    *_, requests = overmind(
        {"ps": [{"ok": []}]}, "ps", "--all", "--status", "crashed", "--label", "a=b", "--children", "api", "-q"
    )

    assert requests == [
        ("ps", {"all": True, "status": ["crashed"], "label": ["a=b"], "wide": False, "children": "api"})
    ]


NOTHING_LIVE = {
    "stop": {"status": [{"ok": {"missions": {"running": 0}}}], "ps": [{"ok": []}]},
    "kill": {"status": [{"ok": {"missions": {"running": 0}}}], "kill": [{"ok": {"killed": [], "hidden": []}}]},
    "restart": {"ps": [{"ok": []}]},
}


@pytest.mark.parametrize(("command", "answers"), NOTHING_LIVE.items(), ids=NOTHING_LIVE)
def test_all_of_nothing_says_so_in_a_pipe_too_and_in_json_is_an_empty_list(overmind, command, answers):
    assert overmind(answers, command, "--all")[:3] == (0, "", "No live missions.\n")
    assert overmind(answers, command, "--all", "--json")[:3] == (0, "[]\n", "")


def test_all_are_tried_and_the_failing_ones_told(overmind):
    def stop(args):
        return [{"error": "not_found", "message": "no x"}] if args["id"] == "x" else [{"ok": {"id": args["id"]}}]

    status, out, err, _ = overmind({"stop": stop}, "stop", "a", "x", "b", "--cascade")

    assert status == 1
    assert out == "Stopped mission a and all children\nStopped mission b and all children\n"
    assert err == "Error: not_found: no x\n"


def waiting(*ends):
    """A daemon on which the missions end in this order: (id, status, exit code)."""

    def wait(args):
        yield {"ok": {"missions": [{"id": name.removeprefix("name-")} for name in args["ids"]]}}
        for mission, status, code in ends:
            yield {"item": {"id": mission, "name": f"name-{mission}", "status": status, "exit_code": code}}
        yield {"end": {}}

    return {"wait": wait}


WAITS = [
    ([("b", "crashed", 3), ("a", "crashed", 2)], ["a", "b"], 2),
    ([("b", "crashed", 3), ("a", "stopped", 0)], ["name-a", "name-b"], 3),
    ([("a", "killed", None)], ["a"], 137),
    ([("a", "stopped", 0)], ["a", "a"], 0),
    ([("b", "crashed", 3)], ["a", "b", "--any"], 3),
]


@pytest.mark.parametrize(("ends", "words", "expected"), WAITS)
def test_wait_exits_with_the_first_code_that_is_not_0_in_argument_order(overmind, ends, words, expected):
    status, out, _, _ = overmind(waiting(*ends), "wait", *words)

    codes = ["(no exit code)" if code is None else f"(exit code {code})" for *_, code in ends]
    assert status == expected
    assert out.splitlines() == [
        f"Mission {mission} finished: {how} {code}" for (mission, how, _), code in zip(ends, codes, strict=True)
    ]


def test_wait_gives_up_with_124(overmind):
    status, _, err, _ = overmind({"wait": [{"ok": {}}]}, "wait", "a", "--timeout", "100ms")

    assert status == 124
    assert err.startswith("Error: timeout: ")


@pytest.mark.parametrize("command", ["shutdown", "stop", "kill", "restart"])
def test_the_help_says_that_without_a_terminal_nobody_is_asked(overmind, command):
    assert "without a terminal nobody is asked" in " ".join(overmind({}, command, "--help").out.split())


@pytest.mark.parametrize(("given", "said"), [("0.1", "0.1 s"), ("100ms", "100ms")])
def test_wait_names_what_has_not_ended_within_its_time(overmind, given, said):
    answer = [{"ok": {"missions": [{"id": "a1b2c3d4", "name": "api"}]}}]
    ran = overmind({"wait": answer}, "wait", "a1b2", "--timeout", given)

    assert ran.err == f"Error: timeout: Not ended within {said}: api (a1b2c3d4).\n"


def test_run_sends_the_callers_world(overmind, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    status, out, _, [(_, args)] = overmind(
        {"run": [{"ok": {"id": "a", "name": "n", "more": 1}}]},
        *("run", "--json", "--env", "A=1", "--size", "100x30", "--grace", "5s", "--max-restarts", "3", "ls", "-l"),
    )

    assert (status, json.loads(out)) == (0, {"id": "a", "name": "n"})
    assert args["command"] == ["ls", "-l"]
    assert args["cwd"] == str(tmp_path)
    assert args["env_set"] == {"A": "1"}
    assert (args["columns"], args["rows"]) == (100, 30)
    assert (args["grace"], args["max_restarts"]) == ("5s", 3)
    assert len(args["request"]) == 32
    assert "name" not in args


def test_one_word_is_a_shell_string(overmind):
    *_, [(_, args)] = overmind({"run": [{"ok": {"id": "a", "name": "n"}}]}, "run", "--", "echo $HOME")

    assert args["command"] == "echo $HOME"


@pytest.mark.parametrize(("given", "asked"), [("30", "30s"), ("0.5", "0.5s"), ("700ms", "700ms"), ("5m", "5m")])
def test_a_time_of_a_run_without_a_unit_is_seconds(overmind, given, asked):
    *_, [(_, args)] = overmind({"run": [{"ok": {"id": "a", "name": "n"}}]}, "run", "--timeout", given, "true")

    assert args["timeout"] == asked


def test_a_subscription_goes_on_behind_what_was_printed(overmind):
    left = [1]

    def subscribe(args):
        seen = args["offsets"].get("a.1", 0)
        yield {"ok": {"missions": [{"id": "a"}]}}
        yield {"item": {"type": "plain", "mission": "a", "text": f"from {seen}", "run": "a.1", "offset": seen + 5}}
        if left.pop() if left else False:
            raise ConnectionAbortedError
        yield {"item": {"type": "exit", "mission": "a", "status": "stopped", "exit_code": 0}}
        yield {"end": {}}

    status, out, _, requests = overmind({"subscribe": subscribe}, "subscribe", "api", "--from-start")

    assert status == 0
    assert [json.loads(line) for line in out.splitlines()] == [
        {"type": "plain", "mission": "a", "text": "from 0"},
        {"type": "plain", "mission": "a", "text": "from 5"},
        {"type": "exit", "mission": "a", "status": "stopped", "exit_code": 0},
    ]
    assert requests[1][1]["ids"] == ["a"]
