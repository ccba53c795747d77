"""What a headless run writes besides the output: JUnit, events, and what GitHub Actions reads."""

from __future__ import annotations

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
    "outcome": "failed",
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


def test_annotations_escape_what_github_would_read():
    failed = result(trouble="50% done\r\nreally")
    assert error_lines(failed) == ["::error title=job::50%25 done\\r\\nreally: failed (3), 1 restart"]
    assert error_lines(Result(1, (), "no: such, thing")) == ["::error title=overmind::no: such, thing"]
    assert error_lines(Result(0, ())) == []


def test_markdown_stays_text():
    text = step_summary(result(output="</pre><b>x", name="a|b`c"))
    assert "&lt;/pre&gt;&lt;b&gt;x" in text
    assert "| a\\|b\\`c | failed | 3 | 1.5s | 1 |" in text


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
