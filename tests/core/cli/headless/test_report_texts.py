"""The reports of a headless run: what Jenkins, GitHub and scripts read of it, and files that are whole or not there."""

from __future__ import annotations

import os
from argparse import Namespace
from xml.etree import ElementTree as ET

import pytest

from overmind_core.cli.context import Context
from overmind_core.cli.headless import reports
from overmind_core.cli.headless.outcome import AgentOutcome, Outcome, PlanResult, Result
from overmind_core.cli.headless.reports import Reports, WholeFile, error_lines, junit, step_summary
from overmind_core.errors import OvermindError
from tests.core.cli.headless.test_outcome import AGENT, INFO
from tests.kit.cases import tabled

CRASHED = {"status": "crashed", "outcome": "failed", "exit_code": 3}


def outcome(output="", dropped=0, *, asked=True, **how):
    return Outcome({**INFO, **how}, asked=asked, output=output, dropped=dropped)


def test_a_junit_report_has_a_case_for_each_and_counts_them():
    well, bad = outcome(), outcome("tail\x1b & more", 9, name="bad", reason="timeout", uptime_seconds=2.0, **CRASHED)
    root = ET.fromstring(junit(Result(1, [well, bad])))
    for suite in (root, root[0]):
        counts = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped", "time")}
        assert counts == {"tests": "2", "failures": "1", "errors": "0", "skipped": "0", "time": "3.260"}
    assert (root[0].get("name"), root[0].get("timestamp")) == ("worker", "2027-01-15T08:00:00")
    first, second = root[0]
    assert first.attrib == {"classname": "overmind", "name": "worker", "time": "1.260"}
    assert len(first) == 0
    failure, output = second
    assert (failure.tag, failure.get("type"), failure.text) == ("failure", "failed", "make test")
    assert failure.get("message") == "failed (3)"
    assert (output.tag, output.text) == ("system-out", "[9 characters left out]\ntail & more")


@tabled("reason", [None, "check_failed", "restart_budget_spent"])
def test_a_failure_is_of_the_type_of_its_outcome_never_of_a_code(reason):
    root = ET.fromstring(junit(Result(3, [outcome(reason=reason, **CRASHED)])))
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("type") == "failed"


@tabled(("reason", "trouble"), [("cancel", "interrupted by INT"), ("failure", "interrupted by INT")])
def test_an_agent_that_its_plan_has_ended_is_of_the_type_stopped(reason, trouble):
    cancelled = AgentOutcome({**AGENT, "stage": "cancelled", "reason": reason, "exit_code": 143}, None)
    failure = ET.fromstring(junit(Result(130, [cancelled], trouble))).find(".//failure")
    assert failure is not None
    assert failure.get("type") == "stopped"


def test_a_junit_report_says_what_did_not_run_and_why():
    skipped = AgentOutcome({**AGENT, "stage": "skipped", "reason": "failure", "exit_code": None}, None)
    cancelled = AgentOutcome({**AGENT, "stage": "cancelled", "exit_code": None}, None)
    root = ET.fromstring(junit(Result(1, [skipped, cancelled], "interrupted by INT")))
    assert (root.get("skipped"), root.get("failures")) == ("1", "1")
    found = root.find(".//skipped")
    assert found is not None
    assert found.get("message") == "skipped: its plan stopped it, for another agent failed"


def test_a_run_that_could_not_begin_is_one_case_with_an_error():
    root = ET.fromstring(junit(Result(1, [], "the disk is full")))
    assert (root.get("tests"), root.get("errors"), root.get("failures")) == ("1", "1", "0")
    error = root.find(".//testcase/error")
    assert error is not None
    assert (error.get("message"), root[0].get("timestamp")) == ("the disk is full", None)


def test_github_gets_an_error_for_each_failure_else_for_the_run():
    failed = [outcome(), outcome(name="a:b,c", **CRASHED)]
    assert error_lines(Result(1, failed)) == ["::error title=a%3Ab%2Cc::failed (3)"]
    assert error_lines(Result(1, [], "100 % full: sorry")) == ["::error title=overmind::100 %25 full: sorry"]
    assert error_lines(Result(0, [outcome()])) == []
    assert error_lines(Result(130, [outcome()], "interrupted by INT")) == [
        "::error title=worker::interrupted by INT: succeeded"
    ]


def test_a_summary_is_markdown_with_a_row_for_each_and_the_last_output_of_what_failed():
    lines = "\n".join(map(str, range(60)))
    bad = outcome(f"{lines}\n<b>", name="*bad*", reason="stalled", **CRASHED)
    text = step_summary(Result(3, [outcome("fine"), bad, outcome(name="c", exit_code=None)], "ran out"))
    assert text.startswith("### ❌ worker\n\nran out\n\n| mission | status | exit code | duration | restarts |\n")
    assert "| worker | succeeded | 0 | 1.3s | 0 |\n" in text
    assert "| \\*bad\\* | failed (it was silent for too long) | 3 | 1.3s | 0 |\n" in text
    assert "| c | succeeded | - | 1.3s | 0 |\n" in text
    assert "<summary>Last output of worker</summary>" in text  # with trouble each that was asked for has failed
    assert "<pre>21\n" in text
    assert "\n&lt;b&gt;</pre>" in text
    assert step_summary(Result(0, [outcome("fine")])).startswith("### ✅ worker\n\n| mission")
    assert "Last output" not in step_summary(Result(0, [outcome("fine")]))


def test_a_reason_is_not_said_beside_the_word_that_says_it():
    service = outcome(outcome="stopped", exit_code=143, reason="stopped")
    limited = outcome(outcome="timed out", exit_code=124, reason="timeout")
    text = step_summary(Result(0, [service, limited]))
    assert "| worker | stopped | 143 | 1.3s | 0 |\n| worker | timed out | 124 | 1.3s | 0 |\n" in text


def test_a_summary_of_a_plan_has_its_graph():
    plan = {"id": "p", "name": "release", "seconds": 3.0, "counts": {}, "agents": [AGENT]}
    text = step_summary(PlanResult(Result(0, []), plan))
    assert text.startswith("### ✅ release\n\n```mermaid\n")
    assert "\n```\n\n| agent | status |" in text


@pytest.fixture
def report(tmp_path, capsys):
    """Report a result; return the exit status, what was printed, and what was noted."""

    def ends(result, *, environ=None, mute=False, kept=None, worktrees=None, begun=True, **args):
        wanted = Namespace(**{"json": False, "events": None, "junit": None} | args)
        made = Reports(wanted, Context(environ or {}), "run")
        if begun:
            made.begin("worker")
        made.event({"seq": 1})
        status = made.end(result, mute=mute)
        made.sum_up(result, kept, worktrees or {})
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return ends


GITHUB = {"GITHUB_ACTIONS": "true"}
BAD = Result(3, [outcome(**CRASHED)])


def test_a_person_reads_how_it_ended_and_where_things_are(report):
    status, out, err = report(BAD, kept="/home/x", worktrees={"/w": "om/red"})
    assert (status, out) == (3, "")
    assert err.splitlines() == [
        "overmind: worker: failed (3), 1.3s",
        "overmind: work is left in /w (branch om/red)",
        "overmind: state and logs are kept in /home/x",
    ]


def test_several_are_a_table(report):
    _, _, err = report(Result(0, [outcome(), outcome(name="b", exit_code=None, reason="stalled")]))
    title, first, second = err.splitlines()
    assert title.split() == ["NAME", "STATUS", "EXIT", "DURATION", "RESTARTS", "REASON"]
    assert first.split() == ["worker", "succeeded", "0", "1.3s", "0", "-"]
    assert second.split() == ["b", "succeeded", "-", "1.3s", "0", "it", "was", "silent", "for", "too", "long"]


def test_json_has_where_things_are_and_worktrees_only_where_work_is_left(report):
    import json

    _, out, _ = report(BAD, json=True, kept="/home/x", worktrees={"/w": "om/red"})
    summary = json.loads(out)
    assert (summary["exit_code"], summary["kept"]) == (3, "/home/x")
    assert summary["worktrees"] == [{"path": "/w", "branch": "om/red"}]
    assert "worktrees" not in json.loads(report(BAD, json=True)[1])


@tabled(
    ("environ", "how", "lines"),
    [
        ({}, {}, []),
        ({"GITHUB_ACTIONS": "1"}, {}, []),
        (GITHUB, {}, ["::group::overmind run worker", "::endgroup::", "::error title=worker::failed (3)"]),
        (GITHUB, {"mute": True}, ["::group::overmind run worker"]),
        (GITHUB, {"begun": False}, ["::error title=worker::failed (3)"]),
    ],
)
def test_github_folds_the_output_and_shows_errors_below_it(environ, how, lines):
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        made = Reports(Namespace(json=False, events=None, junit=None), Context(environ), "run")
        if how.get("begun", True):
            made.begin("worker")
        made.end(BAD, mute=how.get("mute", False))
    assert out.getvalue().splitlines() == lines


def test_files_get_all_of_it(report, tmp_path):
    events, xml, summary = tmp_path / "new" / "events", tmp_path / "new" / "junit.xml", tmp_path / "summary"
    summary.write_text("before\n")
    status, _, _ = report(
        BAD, environ={**GITHUB, "GITHUB_STEP_SUMMARY": str(summary)}, events=str(events), junit=str(xml)
    )
    assert (status, events.read_text(), xml.read_text()) == (3, '{"seq":1}\n', junit(BAD))
    assert summary.read_text() == "before\n" + step_summary(BAD)


def test_a_summary_is_written_on_github_alone(report, tmp_path):
    report(BAD, environ={"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")})
    assert not (tmp_path / "summary").exists()


def test_a_lost_report_fails_a_run_that_was_well_and_changes_no_other_status(report):
    for result, expected in ((Result(0, [outcome()]), 1), (BAD, 3)):
        status, _, err = report(result, environ={**GITHUB, "GITHUB_STEP_SUMMARY": "/"})
        assert status == expected
        assert "Error: invalid: / can't be written: Is a directory." in err


def test_a_report_that_can_not_be_written_in_the_end_is_lost_too(tmp_path):
    made = Reports(Namespace(json=False, events=None, junit=str(tmp_path / "junit.xml")), Context({}), "run")
    (tmp_path / "junit.xml").mkdir()
    assert made.end(Result(0, [outcome()]), mute=False) == 1


@pytest.mark.parametrize("option", ["events", "junit"])
def test_a_file_that_can_not_be_written_is_refused_before_anything_starts(report, tmp_path, option):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OvermindError) as refused:
        report(BAD, **{option: str(tmp_path / "file" / "below")})
    assert refused.value.code == "invalid"
    assert "can't be written" in refused.value.message


def test_a_full_disk_is_called_so():
    assert reports._unwritable("x", OSError(28, "No space left on device")).code == "disk_full"
    assert reports._unwritable("x", OSError(13, "Permission denied")).code == "invalid"


def test_a_whole_file_takes_the_place_of_an_earlier_one_at_the_end_and_has_usual_permissions(tmp_path):
    target = tmp_path / "junit.xml"
    target.write_text("of an earlier run")
    file = WholeFile(str(target))
    assert os.listdir(tmp_path) == []
    file.write("new")
    (tmp_path / "usual").write_text("")
    assert (target.read_text(), target.stat().st_mode) == ("new", (tmp_path / "usual").stat().st_mode)
    assert sorted(os.listdir(tmp_path)) == ["junit.xml", "usual"]


def test_a_link_is_followed_and_a_pipe_is_written_to(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "junit.xml")
    WholeFile(str(tmp_path / "link")).write("new")
    assert (tmp_path / "far" / "junit.xml").read_text() == "new"
    assert (tmp_path / "link").is_symlink()
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        WholeFile(str(tmp_path / "pipe")).write("through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
