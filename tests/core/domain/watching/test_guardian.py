"""The guardian: a table of what an agent does, and which terms hold then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.agents.agent_events import ToolCalled, ToolReturned
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.watching import guardian, tool_window
from overmind_core.domain.watching.guardian import COSTS, Observed, Review, Scope
from overmind_core.domain.watching.health import HealthLevel
from overmind_core.domain.watching.tool_window import ToolWindow

NOW = 1000.0
SCOPE = Scope(owns=("src/api/**", "tests/api/**"), top="/repo", folder="/repo/src", scratch=("/out",))


def window(*steps):
    """The window after calls: a command is its line, its result, and its error; an edit a file."""
    found = ToolWindow()
    for number, step in enumerate(steps):
        found = tool_window.called(found, step[0]._replace(call=f"t{number}"))
        found = tool_window.returned(found, step[1]._replace(call=f"t{number}"))
    return found


def ran(line, result="", error=None):
    called = ToolCalled("", "Bash", f"Bash: {line}", runs=True, digest=line)
    return called, ToolReturned("", failed=error is not None, digest=result or f"{line}{error}", error=error or "")


def edited(path, error=None):
    called = ToolCalled("", "Edit", f"Edit: {path}", paths=(path,), edits=True)
    return called, ToolReturned("", failed=error is not None, digest=path, error=error or "")


def read(path, result="same"):
    return ToolCalled("", "Read", f"Read: {path}", paths=(path,), digest=path), ToolReturned(
        "", failed=False, digest=result
    )


def holding(observed):
    return {term.term: term.evidence for term in guardian.sample(observed, NOW).holding}


MISSING = "ImportError: no module named 'carts'"


def test_what_is_done_again_because_a_person_asks_for_it_is_no_loop():
    looping = [ran("pytest -q", "3 failed") for _ in range(3)]
    assert holding(Observed(window(*looping)))["loop"] == "3 times with the same result: Bash: pytest -q"
    asked = tool_window.asked(window(*looping))
    assert "loop" not in holding(Observed(asked))
    for number in range(3):
        called, returned = looping[number]
        asked = tool_window.called(asked, called._replace(call=f"u{number}"))
        asked = tool_window.returned(asked, returned._replace(call=f"u{number}"))
        assert ("loop" in holding(Observed(asked))) == (number == 2), "as often since then it is one"


def test_the_same_error_three_times_takes_a_third_and_an_edit_outside_of_what_it_owns_a_quarter():
    """Acceptance 46."""
    looping = [ran("pytest -q", str(number), MISSING) for number in range(3)]
    found = guardian.sample(Observed(window(*looping), scope=SCOPE), NOW)
    assert found.alignment == 0.65
    assert [(term.term, term.evidence) for term in found.holding] == [("loop", f"3 times: {MISSING}")]
    drifting = guardian.sample(Observed(window(*looping, edited("/repo/web/index.js")), scope=SCOPE), NOW)
    assert drifting.alignment == 0.4
    assert [(term.term, term.evidence) for term in drifting.holding][1:] == [("drift", "web/index.js")]


LOOPS = [
    pytest.param([ran("ls", "a")] * 3, "3 times with the same result: Bash: ls", id="the same call and result"),
    pytest.param([ran("ls", "a")] * 2, None, id="twice"),
    pytest.param([ran("ls", "a"), ran("ls", "b"), ran("ls", "c")], None, id="other results are progress"),
    pytest.param([ran("ls", "a"), ran("ls ", "a"), ran("ls  ", "a")], None, id="other calls"),
    pytest.param([ran("ls", "a"), ran("ls", "a"), edited("a.py"), ran("ls", "a")], None, id="an edit between"),
    pytest.param(
        [ran("ls", "a"), ran("ls", "a"), edited("a.py", "no such file"), ran("ls", "a")],
        "3 times with the same result: Bash: ls",
        id="an edit between that failed",
    ),
    pytest.param([read("a.py")] * 3, "3 times with the same result: Read: a.py", id="reading"),
    pytest.param([edited("a.py")] * 9, None, id="edits alone"),
    pytest.param(
        [
            ran("a", "1", "boom after 1s"),
            edited("x.py"),
            ran("b", "2", "boom after 2s"),
            ran("c", "3", "boom after 3s"),
        ],
        "3 times: boom after 3s",
        id="one error of different commands, with other times and edits between",
    ),
    pytest.param(
        [ran("a", str(left), f"{left} failed") for left in (5, 4, 3, 2)], None, id="another number is progress"
    ),
    pytest.param([ran(str(number), str(number), "") for number in range(4)], None, id="failures that say nothing"),
    pytest.param([edited("a.py", "File has not been read")] * 3, "3 times: File has not been read", id="failed edits"),
    pytest.param(
        [ran("ls", "a"), *[ran(str(number)) for number in range(8)], ran("ls", "a"), ran("ls", "a")],
        None,
        id="only the last ten count",
    ),
]


@pytest.mark.parametrize(("steps", "evidence"), LOOPS)
def test_a_loop_is_the_same_call_and_result_or_the_same_error_three_times(steps, evidence):
    assert holding(Observed(window(*steps))).get("loop") == evidence


def test_a_call_that_has_not_returned_is_no_repetition():
    found = window(ran("ls", "a"), ran("ls", "a"))
    found = tool_window.called(found, ToolCalled("t9", "Bash", "Bash: ls", runs=True, digest="ls"))
    assert holding(Observed(found)) == {}


DRIFTS = [
    pytest.param({"changed": frozenset({"src/api/a.py", "tests/api/b.py"})}, None, id="its own files"),
    pytest.param({"changed": frozenset({"src/api/a.py", "web/b.js"})}, "web/b.js", id="another one"),
    pytest.param({"changed": frozenset("abcde")}, "a, b, c and 2 more", id="many others"),
    pytest.param({"changed": frozenset()}, None, id="nothing"),
    pytest.param({"window": window(edited("api/a.py"))}, None, id="a relative path begins where it works"),
    pytest.param({"window": window(edited("../web/b.js"))}, "web/b.js", id="and may leave that"),
    pytest.param({"window": window(edited("/repo/src/api/a.py"))}, None, id="an absolute path"),
    pytest.param({"window": window(edited("/home/me/.profile"))}, "/home/me/.profile", id="elsewhere on the machine"),
    pytest.param({"window": window(edited("/out/design.json"), edited("/tmp/x.py"))}, None, id="scratch"),
    pytest.param({"window": window(edited("/repo/web/b.js", "denied"))}, None, id="an edit that failed"),
    pytest.param({"window": window(read("/repo/web/b.js"))}, None, id="reading is free"),
    pytest.param(
        {"window": window(edited("/repo/web/b.js")), "changed": frozenset()}, None, id="the worktree knows better"
    ),
]


@pytest.mark.parametrize(("known", "evidence"), DRIFTS)
def test_drift_is_a_changed_file_outside_of_what_it_owns(known, evidence):
    observed = Observed(**{"window": ToolWindow(), "scope": SCOPE, **known})
    assert holding(observed).get("drift") == evidence


BAD = ran("pytest", "1", "1 failed")
OTHERS = [ran(str(one)) for one in range(25)]
THRASHES = [
    pytest.param([BAD, *[edited("a.py")] * 5], True, id="five edits, and it fails"),
    pytest.param([*[edited("a.py")] * 5, BAD], True, id="in any order"),
    pytest.param([BAD, *[edited("a.py")] * 4], False, id="four edits"),
    pytest.param([*[edited("a.py")] * 5], False, id="nothing fails"),
    pytest.param([BAD, *[edited("a.py")] * 5, ran("pytest", "2")], False, id="it passes again"),
    pytest.param([BAD, *[edited("a.py")] * 5, ran("ls", "2")], True, id="another command passes"),
    pytest.param([BAD, *[edited(name) for name in "abcde"]], False, id="five files"),
    pytest.param([BAD, *[edited("a.py", "no such text")] * 5], False, id="edits that failed"),
    pytest.param([read("a.py"), edited("b.py", "x"), *[edited("a.py")] * 5], False, id="only commands fail"),
    pytest.param([BAD, edited("a.py"), *OTHERS, *[edited("a.py")] * 4], False, id="long ago"),
]


@pytest.mark.parametrize(("steps", "holds"), THRASHES)
def test_thrashing_is_one_file_edited_five_times_while_the_newest_failing_command_still_fails(steps, holds):
    found = holding(Observed(window(*steps)))
    assert ("thrash" in found) is holds
    if holds:
        assert found["thrash"] == "a.py was edited 5 times, and this still fails: Bash: pytest"


OVERRUNS = [
    ({"seconds": 121.0, "estimate_seconds": 60.0}, "2m of an estimated 1m"),
    ({"seconds": 120.0, "estimate_seconds": 60.0}, False),
    ({"cost_usd": 0.41, "estimate_usd": 0.2}, "$0.41 of an estimated $0.20"),
    ({"cost_usd": 0.4, "estimate_usd": 0.2}, False),
    ({"seconds": 10.0, "estimate_seconds": 60.0, "cost_usd": 1.0, "estimate_usd": 0.2}, "$1.00 of an estimated $0.20"),
    ({"seconds": 10.0, "estimate_seconds": 60.0, "cost_usd": None, "estimate_usd": 0.2}, False),
    ({"cost_usd": None, "estimate_usd": 0.2}, None),
    ({"seconds": 1e6, "cost_usd": 1e6}, None),
]


@pytest.mark.parametrize(("known", "found"), OVERRUNS)
def test_an_overrun_is_twice_the_estimate_of_time_or_cost(known, found):
    term = guardian.sample(Observed(ToolWindow(), **known), NOW).terms[3]
    assert (term.term, term.evidence or term.holds) == ("overrun", found)


SILENCES = [
    (None, None),
    (HealthLevel.OK, False),
    (HealthLevel.QUIET, False),
    (HealthLevel.STALLED, "no sign of life for 5m"),
    (HealthLevel.HUNG, "no sign of life for 5m"),
]


@pytest.mark.parametrize(("level", "found"), SILENCES)
def test_silence_is_being_stalled(level, found):
    term = guardian.sample(Observed(ToolWindow(), level, silent_seconds=301.0), NOW).terms[4]
    assert (term.term, term.evidence or term.holds) == ("silence", found)


ONE = window(ran("ls"))
KNOWN = [
    (Observed(ToolWindow()), None),
    (Observed(ToolWindow(), HealthLevel.STALLED), None),
    (Observed(ToolWindow(), scope=SCOPE), None),
    (Observed(ToolWindow(), scope=Scope((), "/repo", "/repo"), changed=frozenset({"a"})), None),
    (Observed(ToolWindow(), scope=SCOPE, changed=frozenset()), 1.0),
    (Observed(ToolWindow(), estimate_seconds=1.0), 1.0),
    (Observed(ToolWindow(), estimate_usd=1.0, cost_usd=0.0), 1.0),
    (Observed(ONE), 1.0),
    (Observed(ONE, HealthLevel.HUNG), 0.9),
]


@pytest.mark.parametrize(("observed", "alignment"), KNOWN)
def test_alignment_is_not_known_while_nothing_that_it_rests_on_can_be_measured(observed, alignment):
    assert guardian.sample(observed, NOW).alignment == alignment


def test_the_terms_take_all_of_it_together_and_none_alone_makes_it_low():
    assert sum(COSTS.values()) == pytest.approx(1.0)
    assert all(1.0 - cost >= guardian.LOW for cost in COSTS.values())
    worst = Observed(
        window(*[ran("pytest", "1", MISSING)] * 3, *[edited("/repo/web/b.js")] * 5),
        HealthLevel.STALLED,
        scope=SCOPE,
        seconds=10.0,
        estimate_seconds=1.0,
    )
    found = guardian.sample(worst, NOW)
    assert (found.alignment, [term.term for term in found.holding]) == (0.0, list(COSTS))


def test_a_review_counts_instead_of_the_terms_for_five_minutes():
    review = Review(NOW - 299.0, 0.3, "works on something else", "go back")
    assert guardian.sample(Observed(ONE), NOW, review).alignment == 0.3
    assert guardian.sample(Observed(ToolWindow()), NOW, review).alignment == 0.3
    assert guardian.sample(Observed(ONE), NOW + 1.0, review).alignment == 1.0


paths = st.sampled_from(["a.py", "/repo/src/api/a.py", "/repo/web/b.js", "../x", "", "/", "\x00", "/tmp/x"])
errors = st.none() | st.text(max_size=20) | st.sampled_from(["3 failed", "2 failed", "lost after 3s"])
steps_of = st.lists(
    st.builds(ran, st.sampled_from("abc"), st.sampled_from(["", "x"]), errors) | st.builds(edited, paths, errors),
    max_size=40,
)


@given(
    steps_of, st.none() | st.frozensets(paths), st.none() | st.sampled_from(HealthLevel), st.none() | st.floats(0, 9)
)
def test_alignment_is_one_less_the_terms_that_hold_whatever_an_agent_does(steps, changed, level, estimate):
    observed = Observed(window(*steps), level, 3.0, SCOPE, changed, 5.0, estimate)
    found = guardian.sample(observed, NOW)
    assert found.score == pytest.approx(1.0 - sum(term.cost for term in found.terms if term.holds))
    assert found.alignment in {None, found.score}
    assert all(bool(term.evidence) == (term.holds is True) for term in found.terms)
    assert all(display_safe(term.evidence) == term.evidence and len(term.evidence) <= 200 for term in found.terms)
