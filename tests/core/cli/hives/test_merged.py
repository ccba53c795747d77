"""What several hives answer together: rows of all with their hive first, in one order, and who could not be asked."""

from __future__ import annotations

import json
from argparse import Namespace
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.cli.context import Context
from overmind_core.cli.hives import merged
from overmind_core.cli.hives.gather import CONNECT, SILENCE, Gathered, _Waiting
from overmind_core.cli.hives.merged import run_merged, with_hive
from overmind_core.errors import OvermindError, UsageError

EU1: Any = SimpleNamespace(name="eu1")
MISSION = {
    "id": "a1b2c3d4", "name": "worker", "type": "command", "status": "running", "restart_count": 0, "parent": None,
    "children": [], "uptime_seconds": 4, "command": "make test", "reason": None, "cpu_percent": 1.0,
    "exit_code": None,
}  # fmt: skip
QUESTION = {
    "question": 7, "id": "a1b2c3d4", "name": "worker", "need": "permission", "tool": "Bash", "summary": "rm -rf build",
    "asked_at": "2027-01-15T08:00:00Z", "choices": [], "options": [],
    "subject": {"command": "rm -rf build"}, "attach_only": False, "rule": None,
}  # fmt: skip
COST = {"key": "a1b2c3d4", "name": "worker", "cost_usd": 0.5, "input_tokens": 1, "output_tokens": 2, "turns": 3}
PS: dict[str, object] = {
    "all": False, "status": None, "label": None, "wide": False, "children": None, "watch": False, "json": False,
    "quiet": False, "outcome": [], "failed": False,
}  # fmt: skip


@pytest.fixture
def ask(monkeypatch, capsys):
    """Ask this machine and eu1; each answers rows, or an error. Return exit status, stdout, stderr and requests."""

    def run(command, args, here, there):
        asked = []

        def gather(chosen, _context, work, *, told=True):
            assert told
            answers, failures = {}, {}
            for hive, said in zip(chosen, (here, there), strict=True):
                name = "local" if hive is None else hive.name

                def call(request, arguments=None, said=said, name=name):
                    asked.append((name, request, arguments))
                    return said

                if isinstance(said, OvermindError):
                    failures[name] = said
                else:
                    answers[name] = work(SimpleNamespace(call=call, connect=lambda: None))
            return Gathered(answers, failures)

        monkeypatch.setattr(merged, "gather", gather)
        monkeypatch.setattr(merged, "follow", lambda client, request: [("ok", {}), *(
            ("item", row) for row in client.call(*request()))])  # fmt: skip
        named: Any = SimpleNamespace(name=command)
        status = run_merged(named, Namespace(**args), [None, EU1], Context({}))
        shown = capsys.readouterr()
        return status, shown.out, shown.err, asked

    return run


SILENT = OvermindError("hive_silent", "eu1 has been silent for 1 s.")


def test_a_row_is_of_the_hive_that_sent_it_whatever_it_says():
    rows = with_hive(Gathered({"local": [{"id": "a"}], "eu1": [{"hive": "local", "id": "b"}]}, {}))
    assert rows == [{"hive": "local", "id": "a"}, {"hive": "eu1", "id": "b"}]
    assert [next(iter(row)) for row in rows] == ["hive", "hive"]


def test_ps_has_a_column_for_the_hive(ask):
    status, out, err, _ = ask("ps", PS, [MISSION], [MISSION | {"name": "other"}])
    title, first, second = (line.split() for line in out.splitlines())
    assert title[:3] == ["HIVE", "ID", "NAME"]
    assert (first[0], first[2], second[0], second[2]) == ("local", "worker", "eu1", "other")
    assert (status, err) == (0, "")


def test_ps_in_short_names_those_elsewhere_as_commands_take_them(ask):
    assert ask("ps", PS | {"quiet": True}, [MISSION], [MISSION])[1] == "a1b2c3d4\neu1/a1b2c3d4\n"


def test_ps_as_json_has_all_or_with_wide_whatever_is_known(ask):
    rows = json.loads(ask("ps", PS | {"json": True}, [MISSION], [])[1])
    assert [(row["hive"], "cpu_percent" in row) for row in rows] == [("local", False)]
    (row,) = json.loads(ask("ps", PS | {"json": True, "wide": True}, [], [MISSION])[1])
    assert (row["hive"], row["cpu_percent"]) == ("eu1", 1.0)
    assert "CPU%" in ask("ps", PS | {"wide": True}, [MISSION], [])[1]


@pytest.mark.parametrize(("args", "out"), [({}, ""), ({"json": True}, "[]\n")])
def test_ps_of_nothing_prints_nothing_but_json(ask, args, out):
    status, shown, _, _ = ask("ps", PS | args, [], [])
    assert (status, shown) == (0, out)


def test_who_can_not_be_asked_is_told_and_fails_the_command_and_hides_nobody(ask):
    for command, args, rows in (
        ("ps", PS, [MISSION]),
        ("cost", {"by": None, "since": None, "json": False}, [COST]),
        ("inbox", {"json": False, "watch": False}, [QUESTION]),
    ):
        status, out, err, _ = ask(command, args, rows, SILENT)
        assert status == 1
        assert "worker" in out
        assert "hive_silent: eu1 has been silent" in err


@pytest.mark.parametrize(
    ("command", "args", "words"),
    [
        ("ps", PS | {"children": "x"}, "--children names a mission of one hive"),
        ("top", {"ids": ["x"], "json": False, "once": True}, "shows all missions"),
        ("events", {"follow": True, "since": None, "types": None}, "events -f follows one hive"),
        ("events", {"follow": False, "since": (5, ""), "types": None}, "Each hive counts its own events"),
        ("events", {"follow": False, "since": (0, ""), "types": None}, "Each hive counts its own events"),
        ("logs", {"follow": True, "ids": []}, "Logs of several hives"),
        ("logs", {"follow": False, "ids": ["x"]}, "Logs of several hives"),
    ],
)
def test_what_only_one_hive_can_answer_is_a_mistake(ask, command, args, words):
    with pytest.raises(UsageError, match=words):
        ask(command, args, [], [])


def test_questions_of_all_are_one_list_oldest_first_and_numbered_as_they_are_answered_from_here(ask):
    older = QUESTION | {"asked_at": "2027-01-15T07:00:00Z", "name": "planner"}
    status, out, _, _ = ask("inbox", {"json": False, "watch": False}, [QUESTION], [older])
    assert status == 0
    assert out.index("eu1/planner") < out.index("worker")
    assert "eu1/7" in out
    assert "eu1/worker" not in out
    rows = json.loads(ask("inbox", {"json": True, "watch": False}, [QUESTION], [older])[1])
    assert [(row["hive"], row["question"]) for row in rows] == [("local", 7), ("eu1", 7)]


def test_no_question_anywhere_prints_nothing(ask):
    assert ask("inbox", {"json": False, "watch": False}, [], [])[1] == ""


def test_costs_are_asked_by_what_is_meant_and_have_a_total(ask):
    _, out, _, asked = ask("cost", {"by": None, "since": None, "json": False}, [COST], [COST])
    assert [request[1:] for request in asked] == [("cost", {"by": "mission"})] * 2
    *_, total = out.splitlines()
    assert total.split() == ["total", "$1.00", "2", "4", "6"]
    _, out, _, asked = ask("cost", {"by": "day", "since": "2027-01-01T00:00:00Z", "json": True}, [COST], [])
    assert asked[0][2] == {"by": "day", "since": "2027-01-01T00:00:00Z"}
    assert [row["hive"] for row in json.loads(out)] == ["local"]


def test_events_of_all_are_in_the_order_of_their_times_from_then_on(ask):
    here = [{"seq": 1, "at": "2027-01-15T08:00:00Z"}, {"seq": 2, "at": "2027-01-15T10:00:00Z"}]
    there = [{"seq": 1, "at": "2027-01-15T09:00:00Z"}]
    args = {"follow": False, "since": None, "types": ["exited"]}
    status, out, _, asked = ask("events", args, here, there)
    assert [json.loads(line)["hive"] for line in out.splitlines()] == ["local", "eu1", "local"]
    assert (status, [request[1:] for request in asked]) == (0, [("events", {"types": ["exited"]})] * 2)
    since = {"follow": False, "since": (None, "2027-01-15T09:00:00Z"), "types": None}
    _, out, _, asked = ask("events", since, here, there)
    assert [json.loads(line)["hive"] for line in out.splitlines()] == ["eu1", "local"]
    assert asked[0][2] == {}


def test_rows_that_can_not_be_drawn_are_a_failure_of_their_hive_alone(ask):
    status, out, err, _ = ask("ps", PS, [MISSION], [{"id": "x"}])
    assert (status, "worker" in out) == (1, True)
    assert "eu1" in err
    with pytest.raises((KeyError, TypeError)):
        ask("ps", PS, [{"id": "x"}], [MISSION])


def hive(name, *, connecting=False):
    return SimpleNamespace(name=name, connects=connecting, is_connecting=lambda: connecting)


def test_the_first_answer_gives_the_others_a_moment_and_without_one_there_is_more_time():
    waiting = _Waiting([hive("a"), hive("b"), None], 100.0)
    assert (waiting.until(), waiting.is_late(200.0)) == (100.0 + CONNECT, False)
    waiting.answered("local", 101.0)
    assert (waiting.until(), waiting.is_late(200.0)) == (100.0 + CONNECT, False)
    waiting.answered("a", 102.0)
    assert waiting.until() == 102.0 + SILENCE
    assert (waiting.is_late(102.0 + SILENCE - 0.1), waiting.is_late(102.0 + SILENCE)) == (False, True)
    waiting.answered("b", 102.5)
    assert not waiting


def test_a_link_that_is_being_opened_has_its_own_time_and_then_a_moment_to_answer():
    late: Any = SimpleNamespace(name="late", connects=True)
    late.is_connecting = lambda: late.connects
    waiting = _Waiting([hive("a"), late], 100.0)
    assert waiting.connecting(100.0) == ["late"]
    waiting.answered("a", 101.0)
    assert waiting.until() == 100.0 + CONNECT
    late.connects = False
    assert waiting.connecting(103.0) == []
    assert waiting.until() == 103.0 + SILENCE
