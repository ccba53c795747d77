"""Lines about turns and tools, worded for people."""

from __future__ import annotations

import pytest

from overmind_core.domain.agents.agent_events import TokenUsage, TurnResult
from overmind_core.providers.lines import dollars, duration, failure, is_turn_summary, tokens, tool_line, turn_summary

SUMMARIES = [
    (
        TurnResult(ok=True, turns=3, duration_ms=41_000, cost_turn=0.12, usage=TokenUsage(2000, 840, 10_000, 300)),
        "— 3 turns, 41 s, $0.12, 12.3k in / 840 out —",
    ),
    (TurnResult(ok=True, turns=1), "— 1 turn —"),
    (TurnResult(ok=True), "— turn over —"),
]


@pytest.mark.parametrize(("result", "line"), SUMMARIES)
def test_a_turn_is_summed_up_in_one_line(result, line):
    assert turn_summary(result) == line
    assert is_turn_summary(line)


WORDS = [
    (duration, 400, "0.4 s"),
    (duration, 9_990, "10.0 s"),
    (duration, 59_400, "59 s"),
    (duration, 200_000, "3 min 20 s"),
    (duration, 3_900_000, "1 h 5 min"),
    (dollars, 0.0, "$0.00"),
    (dollars, 0.0012, "$0.0012"),
    (dollars, 1.5, "$1.50"),
    (tokens, 999, "999"),
    (tokens, 12_345, "12.3k"),
    (tokens, 1_234_567, "1.2M"),
]


@pytest.mark.parametrize(("word", "value", "text"), WORDS)
def test_amounts_are_worded_for_people(word, value, text):
    assert word(value) == text


def test_a_tool_line_says_how_it_went_and_how_long_it_took():
    assert tool_line("Bash: pytest -q", took=2.06) == "⚙ Bash: pytest -q → ok, 2.1 s"
    assert tool_line("Bash: false", "") == "⚙ Bash: false → ✗ failed"


def test_an_interrupt_needs_no_explanation():
    assert failure(TurnResult(ok=False, reason="interrupted", text="[diagnostic]")) == "✗ interrupted"
    assert failure(TurnResult(ok=False, reason="api_error 529", text="overloaded")) == "✗ api_error 529: overloaded"
