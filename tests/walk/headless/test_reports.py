"""What a headless run writes besides the output: JUnit, events, and what GitHub Actions reads."""

from __future__ import annotations

import json
import os
import stat

import pytest

from overmind_core.cli.headless.output import KEPT
from tests.headless.test_reports import suite_of


def test_junit_has_one_case_that_failed(headless, tmp_path):
    path = tmp_path / "new" / "report.xml"
    script = "printf 'a<b>&]]>\\001\\033[31mred\\033[0m \\360\\237\\230\\200\\n'; exit 3"
    assert headless("--junit", str(path), "run", "--name", "job", script).returncode == 3
    suite = suite_of(path.read_text())
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "1", "0")
    (case,) = suite
    assert case.get("name") == "job"
    assert case.find("failure").get("message") == "failed (3)"
    assert case.find("system-out").text == "a<b>&]]>red 😀"


def test_junit_of_success_has_no_failure_and_is_the_callers_file(headless, tmp_path):
    path = tmp_path / "report.xml"
    assert headless("run", "--junit", str(path), "umask; true", cwd=str(tmp_path)).returncode == 0
    case = suite_of(path.read_text())[0]
    assert case.find("failure") is None
    assert float(case.get("time")) >= 0
    umask = os.umask(0)
    os.umask(umask)
    assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_uid) == (0o666 & ~umask, os.getuid())


def test_junit_keeps_the_end_of_a_long_output(headless, tmp_path):
    path = tmp_path / "report.xml"
    assert headless("--junit", str(path), "run", "seq 200000").returncode == 0
    shown = suite_of(path.read_text())[0].find("system-out").text
    assert len(shown) < KEPT + 100
    assert shown.startswith("[")
    assert shown.endswith("\n200000")


def test_junit_is_written_when_nothing_could_start(headless, tmp_path):
    path = tmp_path / "report.xml"
    assert headless("--junit", str(path), "run", "/does/not/exist", "x").returncode == 1
    suite = suite_of(path.read_text())
    assert suite.get("errors") == "1"
    assert "/does/not/exist" in suite[0].find("error").get("message")


def test_junit_of_an_interrupted_run_has_failed(headless, tmp_path):
    path = tmp_path / "report.xml"
    assert (
        headless("--timeout", "0.5", "--junit", str(path), "run", "trap 'exit 0' TERM; sleep 60 & wait").returncode
        == 124
    )
    assert "timed out" in suite_of(path.read_text())[0].find("failure").get("message")


def test_events_are_all_there_in_order(headless, tmp_path):
    path = tmp_path / "events.ndjson"
    assert headless("run", "--events", str(path), "--name", "job", "exit 3").returncode == 3
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [event["type"] for event in events] == ["created", "started", "exited", "crashed"]
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)
    assert {event["name"] for event in events} == {"job"}


@pytest.mark.linux
def test_a_report_that_can_not_be_written_is_told_and_fails_the_run(headless):
    done = headless("run", "--junit", "/dev/full", "true")
    assert done.returncode == 1
    assert "Error: disk_full: /dev/full can't be written: No space left on device." in done.stderr


def test_the_summary_as_json_is_one_line(headless):
    done = headless("run", "--json", "--name", "job", "exit 3")
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert found["exit_code"] == 3
    assert found["missions"][0]["name"] == "job"
    assert found["kept"] in headless.homes()


def test_github_gets_a_group_annotations_and_a_step_summary(headless, tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "CI": "true"}
    done = headless("run", "--name", "job", "echo hi; exit 3", env=env)
    assert done.stdout.splitlines() == [
        "::group::overmind run job",
        "hi",
        "::endgroup::",
        "::error title=job::failed (3)",
    ]
    text = summary.read_text()
    assert text.startswith("before\n### ❌ job\n")
    assert "| job | failed | 3 |" in text
    assert "<pre>hi</pre>" in text


def test_without_github_there_is_none_of_that(headless, tmp_path):
    summary = tmp_path / "summary.md"
    done = headless("run", "echo hi; exit 3", env={"GITHUB_STEP_SUMMARY": str(summary), "CI": "true"})
    assert done.stdout == "hi\n"
    assert not summary.exists()
