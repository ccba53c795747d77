"""Lines about turns and tools, worded for people."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.domain.agents.agent_events import TokenUsage, TurnResult
from overmind_core.providers.lines import (
    digest,
    duration,
    error_line,
    failure,
    is_turn_summary,
    tokens,
    tool_line,
    turn_summary,
)
from tests.kit.cases import tabled

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
    (tokens, 999, "999"),
    (tokens, 12_345, "12.3k"),
    (tokens, 1_234_567, "1.2M"),
]


@tabled(("word", "value", "text"), WORDS)
def test_amounts_are_worded_for_people(word, value, text):
    assert word(value) == text


def test_a_tool_line_says_how_it_went_and_how_long_it_took():
    assert tool_line("Bash: pytest -q", took=2.06) == "⚙ Bash: pytest -q → ok, 2.1 s"
    assert tool_line("Bash: false", "") == "⚙ Bash: false → ✗ failed"
    assert tool_line("Bash: ./test", "✖ cents are lost") == "⚙ Bash: ./test → ✗ cents are lost", "one sign is enough"


def test_an_interrupt_needs_no_explanation():
    assert failure(TurnResult(ok=False, reason="interrupted", text="[diagnostic]")) == "✗ interrupted"
    assert failure(TurnResult(ok=False, reason="api_error 529", text="overloaded")) == "✗ api_error 529: overloaded"


ERRORS = [
    ("", ""),
    ("\n  \n", ""),
    ("Exit code 1", ""),
    ("Exit code: 2\n\n", ""),
    ("hi\nthere", "hi"),
    ("Exit code 1\n\n  hi  ", "hi"),
    ("collecting\n=== FAILURES ===\nE   KeyError: 'a'\n1 failed in 0.1s", "E   KeyError: 'a'"),
    ("0 errors, 3 warnings\nmain.c:4:2: error: expected ';'", "main.c:4:2: error: expected ';'"),
    (
        'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    raise ValueError("x")\nValueError: x\n',
        "ValueError: x",
    ),
    ("bash: foo: command not found", "bash: foo: command not found"),
    ("ok\t./a\n--- FAIL: TestX (0.00s)\n    x_test.go:3", "--- FAIL: TestX (0.00s)"),
    ("compiling\nerror[E0425]: cannot find value `x`", "error[E0425]: cannot find value `x`"),
    ("npm ERR! code ELIFECYCLE", "npm ERR! code ELIFECYCLE"),
    ("src/error_handling.py compiled\nran out of memory", "src/error_handling.py compiled"),
    ("x" * 50_000 + "\nfatal: the end", "fatal: the end"),
]


@tabled(("text", "line"), ERRORS)
def test_the_first_line_about_an_error_is_found(text, line):
    assert error_line(text) == line


@example("0" * 201)
@given(st.text() | st.text(alphabet="\n\r\v\x85 eError:Ttracback(mosnl)"))
def test_an_error_is_always_one_short_line(text):
    found = error_line(text)
    assert len(found) <= 200
    assert len(found.splitlines()) <= 1


NESTED: list[object] = []
for _ in range(100_000):
    NESTED = [NESTED]


@pytest.mark.parametrize(("value", "length"), [("a", 16), ("\ud800", 16), ({"a": ["\ud800"]}, 16), (NESTED, 0)])
def test_a_digest_is_short_and_any_value_has_one(value, length):
    assert len(digest(value)) == length
