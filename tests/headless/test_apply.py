"""Plans in a CI job: all that their agents write, reports of each, and nothing that is left."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from overmind_core.cli.headless import commands
from overmind_core.cli.headless.outcome import Outcome, PlanResult, Result
from overmind_core.cli.headless.reports import WholeFile, junit, step_summary
from tests.kit.blueprints import written


def test_a_report_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "report.xml"
    path.write_text("of an earlier run")
    report = WholeFile(str(path))
    assert list(tmp_path.iterdir()) == []  # whoever kills us now leaves no report
    report.write("<whole/>")
    assert [one.read_text() for one in tmp_path.iterdir()] == ["<whole/>"]


def agent(name, stage, **more):
    return {
        "name": name, "stage": stage, "mission": None, "attempt": 0, "tries": 0, "exit_code": None, "reason": None,
        "depends_on": [], "started_at": None, "ended_at": None, "seconds": None, **more,
    }  # fmt: skip


def plan(*agents, trouble="", output=""):
    missions = [
        Outcome({"id": one["mission"], "name": f"ci/{one['name']}", "command": "make", "status": "crashed",
                 "outcome": "failed", "exit_code": 3, "reason": None, "restart_count": 0, "uptime_seconds": 1.0,
                 "started_at": None},
                asked=False, output=output)
        for one in agents if one["mission"]
    ]  # fmt: skip
    record = {"id": "1", "name": "ci", "counts": {"failed": 1, "skipped": 0}, "seconds": 2.0, "agents": agents}
    return PlanResult(Result(1, missions, trouble), record)


def test_the_failure_of_an_agent_shows_the_end_of_its_log():
    lines = "\n".join(f"line {number}" for number in range(100))
    report = junit(plan(agent("a", "failed", mission="2", attempt=3, tries=3, exit_code=3), output=lines))
    suite: Any = ET.fromstring(report)[0]
    failure = suite[0].find("failure")
    assert failure.get("message") == "failed (3), 2 restarts"
    assert failure.text.splitlines()[-1] == "line 99"
    assert len(failure.text.splitlines()) == 40


@pytest.mark.parametrize(
    ("stage", "trouble", "tag"),
    [
        ("succeeded", "", None),
        ("succeeded", "timed out", None),
        ("failed", "", "failure"),
        ("skipped", "", "skipped"),
        ("skipped", "timed out", "skipped"),
        ("cancelled", "", "skipped"),
        ("cancelled", "timed out", "failure"),
        ("running", "timed out", "failure"),
        ("waiting", "timed out", "skipped"),
    ],
)
def test_how_each_end_counts(stage, trouble, tag):
    (case,) = ET.fromstring(junit(plan(agent("a", stage), trouble=trouble)))[0]
    assert [child.tag for child in case] == ([] if tag is None else [tag])


def test_names_from_a_plan_stay_text_in_the_summary():
    text = step_summary(plan(agent("a", "failed"), agent("b", "skipped", depends_on=[{"agent": "a"}])))
    assert "n0 --> n1" in text
    assert "| agent | status |" in text


WEB = "[agents.web]\ncommand = 'serve'\nrestart = 'always'\n"
SERVICES_ONLY = "overmind: it has services only, so it goes on until INT, TERM or a timeout"


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        (WEB, "started", [SERVICES_ONLY]),
        (WEB, "unchanged", ["overmind: unchanged: nothing of plan runs. Its last run was:"]),
        (f"{WEB}[agents.test]\ncommand = 'test'\n", "started", []),
    ],
)
def test_a_plan_of_services_alone_says_at_its_start_that_it_has_no_end(tmp_path, monkeypatch, text, status, said):
    notes: list[str] = []
    context: Any = SimpleNamespace(environ={}, note=notes.append)
    client = SimpleNamespace(call=lambda *_: {"id": "1", "name": "plan", "status": status, "kept": []})

    class Runner:
        def __init__(self, *_args, **_how):
            pass

        def run(self, begin):
            assert begin(client) == ["1"]
            return 0

    monkeypatch.setattr("overmind_core.cli.headless.runner.HeadlessRunner", Runner)
    assert commands.headless(["apply", written(tmp_path, text)], context) == 0
    assert notes == said
