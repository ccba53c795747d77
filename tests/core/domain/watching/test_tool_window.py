"""The window of tool calls, and errors that are the same at another time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.agents.agent_events import ToolCalled, ToolReturned
from overmind_core.domain.watching import tool_window
from overmind_core.domain.watching.tool_window import MOST_CALLS, ToolWindow, comparable
from tests.kit.cases import tabled

SAME = [
    ("1 failed in 0.12s", "1 failed in 13.5s"),
    ("Time: 1.234 s, done", "Time: 9 s, done"),
    ("took 3m20s", "took 45s"),
    ("took 12 seconds", "took 1 second"),
    ("--- FAIL: TestX (0.00s)", "--- FAIL: TestX (1.72s)"),
    ("100%| 3/3 [2.1s/it]", "100%| 3/3 [4.0s/it]"),
    ("timeout after 250ms", "timeout after 1ms"),
    ("[12:01:07] lost", "[23:59:59.123] lost"),
    ("2026-11-22T05:00:45.120Z lost", "2025-01-01T00:00:00Z lost"),
    ("2026-11-22 05:00:45,120 lost", "2026-11-23 05:00:46,007 lost"),
    ("<Thing object at 0x7f3a9c01d2e0> is broken", "<Thing object at 0x7f3a9c0fffff> is broken"),
    ("can't open /tmp/tmpab12cd", "can't open /tmp/tmpzz99xx"),
    ("can't open '/tmp/pytest-of-me/pytest-3/test_a0/x.txt'", "can't open '/tmp/pytest-of-me/pytest-4/test_a0/x.txt'"),
    ("/private/var/folders/ab/T/tmp1 is gone", "/private/var/folders/zz/T/tmp2 is gone"),
    ("/var/tmp/build-1: no space", "/var/tmp/build-2: no space"),
]
OTHER = [
    ("3 failed", "2 failed"),
    ("a.py:12: error", "a.py:13: error"),
    ("a.py:12:34: error", "a.py:12:35: error"),
    ("a.py:12:34:56: error", "a.py:12:34:57: error"),
    ("/tmp/p/src/a.py:3: error", "/tmp/p/src/b.py:3: error"),
    ("KeyError: 'a'", "KeyError: 'b'"),
    ("exit 0x1f", "exit 0x2f"),
    ("/home/me/tmp/a1", "/home/me/tmp/a2"),
    ("/tmpfs/a1", "/tmpfs/a2"),
    ("v1.2s", "v1.3s"),
    ("expected 4, got 5", "expected 4, got 6"),
]


@tabled(("one", "other"), SAME)
def test_times_durations_addresses_and_temporary_paths_are_left_out(one, other):
    assert comparable(one) == comparable(other)


@tabled(("one", "other"), OTHER)
def test_another_number_or_name_is_another_error(one, other):
    assert comparable(one) != comparable(other)


@given(st.text(max_size=300) | st.text(alphabet="0123456789:.-smh/tpx ", max_size=200))
def test_any_line_can_be_compared_and_what_is_left_is_part_of_it(line):
    assert len(comparable(line)) <= len(line)


def call(number, tool="Bash", **fields):
    return ToolCalled(f"t{number}", tool, f"{tool}: {number}", **fields)


def test_only_the_newest_calls_are_kept():
    window = ToolWindow()
    for number in range(MOST_CALLS + 5):
        window = tool_window.called(window, call(number))
    assert [use.call for use in window.uses] == [f"t{number}" for number in range(5, MOST_CALLS + 5)]


def test_an_answer_is_that_of_its_call_and_comes_once():
    window = tool_window.called(tool_window.called(ToolWindow(), call(1)), call(2))
    failed = ToolReturned("t1", failed=True, digest="d", error="lost after 3s\x1b[2J")
    window = tool_window.returned(window, failed)
    first, second = window.uses
    assert (first.returned, first.failed, first.result) == (True, True, "d")
    assert (first.error, first.same_error) == ("lost after 3s\\x1b[2J", "lost after \\x1b[2J")
    assert not second.returned
    assert tool_window.returned(window, ToolReturned("t1", failed=False)) == window
    assert tool_window.returned(window, ToolReturned("t9", failed=False)) == window


def test_a_program_that_tells_no_calls_is_not_known():
    assert not ToolWindow().known
    assert tool_window.called(ToolWindow(), call(1)).known
