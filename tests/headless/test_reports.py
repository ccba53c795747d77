"""What a headless run writes besides the output: JUnit, events, and what GitHub Actions reads."""

from __future__ import annotations

import json
import os
import stat
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from overmind_core.cli.headless.outcome import Outcome, Result, lasted
from overmind_core.cli.headless.output import KEPT, KeptOutput, wants_colour
from overmind_core.cli.headless.reports import error_lines, junit, step_summary

INFO = {
    "id": "0123abcd",
    "name": "job",
    "command": "make | tee <log> & \x07",
    "status": "crashed",
    "exit_code": 3,
    "reason": None,
    "restart_count": 1,
    "uptime_seconds": 1.5,
    "started_at": "2026-11-20T08:00:00.123Z",
}


def result(trouble="", output="", status=3, **changes):
    return Result(status, [Outcome({**INFO, **changes}, output=output)], trouble)


def suite_of(document: str) -> Any:
    """The one suite of a JUnit report."""
    return ET.fromstring(document.encode())[0]


def test_junit_has_one_case_that_failed(headless, tmp_path):
    path = tmp_path / "new" / "report.xml"
    script = "printf 'a<b>&]]>\\001\\033[31mred\\033[0m \\360\\237\\230\\200\\n'; exit 3"
    assert headless("--junit", str(path), "run", "--name", "job", script).returncode == 3
    suite = suite_of(path.read_text())
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "1", "0")
    (case,) = suite
    assert case.get("name") == "job"
    assert case.find("failure").get("message") == "crashed, exit code 3"
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
        headless("--timeout", "500", "--junit", str(path), "run", "trap 'exit 0' TERM; sleep 60 & wait").returncode
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
    (line,) = done.stderr.splitlines()
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
        "::error title=job::crashed, exit code 3",
    ]
    text = summary.read_text()
    assert text.startswith("before\n### ❌ job\n")
    assert "| job | crashed | 3 |" in text
    assert "<pre>hi</pre>" in text


def test_without_github_there_is_none_of_that(headless, tmp_path):
    summary = tmp_path / "summary.md"
    done = headless("run", "echo hi; exit 3", env={"GITHUB_STEP_SUMMARY": str(summary), "CI": "true"})
    assert done.stdout == "hi\n"
    assert not summary.exists()


def test_annotations_escape_what_github_would_read():
    failed = result(trouble="50% done\r\nreally")
    assert error_lines(failed) == ["::error title=job::50%25 done\\r\\nreally: crashed, exit code 3, 1 restart"]
    assert error_lines(Result(1, (), "no: such, thing")) == ["::error title=overmind::no: such, thing"]
    assert error_lines(Result(0, ())) == []


def test_markdown_stays_text():
    text = step_summary(result(output="</pre><b>x", name="a|b`c"))
    assert "&lt;/pre&gt;&lt;b&gt;x" in text
    assert "| a\\|b\\`c | crashed | 3 | 1.5s | 1 |" in text


def test_junit_is_valid_for_any_character():
    everything = "".join(map(chr, (*range(0x20), 0x7F, 0x85, 0xD800, 0xFFFE, 0xFFFF, 0x1F600))) + "]]><&\"'"
    suite = suite_of(junit(result(output=everything, trouble=everything)))
    assert suite[0].find("system-out").text.endswith("\x7f\x85😀]]><&\"'")


@pytest.mark.parametrize(
    ("status", "asked", "trouble", "failed"),
    [
        ("stopped", True, "", False),
        ("crashed", True, "", True),
        ("stopped", True, "timed out", True),
        ("crashed", False, "", True),
        ("stopped", False, "timed out", False),
    ],
)
def test_who_counts_as_failed(status, asked, trouble, failed):
    outcome = Outcome({**INFO, "status": status, "exit_code": 3 if status == "crashed" else 0}, asked=asked)
    assert bool(Result(1, [outcome], trouble).failure(outcome)) is failed


def test_a_tail_keeps_the_last_characters_of_any_line():
    tail = KeptOutput()
    tail.add("first")
    tail.add("x" * (3 * KEPT))
    assert (len(tail.text), tail.dropped) == (KEPT - 1, 6 + 2 * KEPT + 1)
    tail.add("\x1b[31mlast\x1b[0m")
    assert tail.text == "last"


@pytest.mark.parametrize(
    ("environ", "terminal", "expected"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"CI": "true"}, False, False),
        ({"GITHUB_ACTIONS": "true"}, False, True),
        ({"GITLAB_CI": "false"}, False, False),
    ],
)
def test_where_colours_are_welcome(environ, terminal, expected):
    assert wants_colour(environ, terminal=terminal) is expected


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0s"), (59.94, "59.9s"), (60, "1m 0s"), (312, "5m 12s"), (3725, "1h 2m")]
)
def test_durations_read_well(seconds, text):
    assert lasted(seconds) == text
