"""Cards of what needs the person: the whole question, in the words of the list of needs."""

from __future__ import annotations

import json

import msgspec
import pytest

from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.domain.missions.reasons import SPENT
from overmind_core.view import cards, inbox, subject
from tests.core.view.test_subject import NOW, SHOWN, question, row
from tests.kit.cases import tabled


def card(*, asked=None, mission=None, answer=""):
    rows = [mission or row("a", "waiting")]
    (need,) = inbox.needs(rows, [asked] if asked else [], NOW)
    return cards.card(need, answer)


def texts(found):
    return ["".join(text for text, _ in line) for line in found["lines"]]


def offered(found):
    return [(name, key) for name, key, _ in found["offers"]]


def test_a_command_is_whole_with_what_can_be_answered():
    found = card(asked=question(subject={"command": "echo \x1b[2J\nls"}, rule="Bash(echo *)"))
    assert texts(found) == [" $ echo \\x1b[2J", " > ls"]
    assert (found["key"], found["question"], found["kind"], found["tool"]) == ("a:7", 7, "permission", "Bash")
    assert (found["rule"], found["text_with"], found["words"]) == ("Bash(echo *)", "deny", "deny with a reason")
    assert found["since"] == NOW - 120.0
    assert offered(found)[:4] == [("allow", "y"), ("deny", "n"), ("reply", "m"), ("always", "shift-y")]


def test_a_change_of_a_file_is_a_diff_beside_the_rest():
    change = {"file_path": "/a.py", "old_string": "one\ntwo", "new_string": "one\n2", "reason": "shorter"}
    found = card(asked=question(tool="Edit", subject=change))
    assert found["diffs"] == [{"path": "/a.py", "note": "", "lines": [(" ", "one"), ("-", "two"), ("+", "2")]}]
    assert texts(found) == [" reason: shorter"]


def test_a_long_change_is_whole():
    new = "\n".join(f"line {number}" for number in range(2_000))
    (diff,) = card(asked=question(tool="Write", subject={"file_path": "/a", "content": new}))["diffs"]
    assert [text for _, text in diff["lines"]] == [f"line {number}" for number in range(2_000)]


def test_lines_between_two_places_are_left_out():
    old = "\n".join(str(number) for number in range(50))
    new = old.replace("5\n", "five\n", 1).replace("45\n", "x\n", 1)
    (diff,) = card(asked=question(subject={"file_path": "/a", "old_string": old, "new_string": new}))["diffs"]
    assert [sign for sign, _ in diff["lines"]].count("@") == 2


EDIT = {"file_path": "/a", "old_string": "x", "new_string": "y"}
EVERYWHERE = "replaces every occurrence in the file"


@pytest.mark.parametrize(("value", "shown"), [(EDIT | {"replace_all": True}, EVERYWHERE), (EDIT, "")])
def test_what_is_said_of_an_edit_stands_beside_it(value, shown):
    (diff,) = card(asked=question(subject=value))["diffs"]
    assert diff["note"] == shown


def stripped(lines):
    return [line.strip() for line in lines]


@tabled("value", [value for value, _ in SHOWN])
def test_the_card_and_the_list_of_needs_say_the_same(value):
    asked = question(subject=value)
    found = card(asked=asked)
    drawn = [f"{'⋯' if sign == '@' else sign} {text}" for diff in found["diffs"] for sign, text in diff["lines"]]
    beside = [diff[name] for diff in found["diffs"] for name in ("path", "note") if diff[name]]
    listed = ["".join(cell.text for cell in line) for line in subject.lines(asked)]
    assert set(stripped([*drawn, *beside, *texts(found)])) == set(stripped(listed))


SEVERAL = {
    "questions": [
        {"question": "Which?", "options": [{"label": "A", "description": "the first"}, {"label": "B"}]},
        {"question": "What else?", "multiSelect": True, "options": [{"label": "C"}]},
    ]
}


def test_all_of_several_questions_have_their_options():
    found = card(asked=question(need="question", tool="AskUserQuestion", subject=SEVERAL))
    assert [(one["question"], one["several"]) for one in found["choices"]] == [("Which?", False), ("What else?", True)]
    assert found["choices"][0]["options"] == [
        {"label": "A", "about": "the first", "value": "A"},
        {"label": "B", "about": "", "value": "B"},
    ]
    assert (found["tool"], found["text_with"], found["words"]) == ("", "allow", "answer")
    assert offered(found)[0] == ("option", "1-9")


def test_what_only_its_terminal_can_answer_offers_nothing_else():
    found = card(asked=question(attach_only=True))
    assert found["attach_only"]
    assert offered(found)[0] == ("attach", "a")
    assert not {"allow", "deny", "reply"} & {name for name, _ in offered(found)}


def test_a_question_of_the_engine_says_what_each_answer_does():
    asked = question(
        need="budget",
        part="",
        about={"kind": "quest", "id": "q", "name": "q"},
        mission="q",
        subject={"lines": ["spent"]},
    )
    found = card(asked=asked, mission=row("other"))
    assert (found["mission"], found["name"], found["mark"]) == (False, "q", "waiting")
    assert found["labels"] == {"allow": "raise the limit beyond what is spent", "deny": "stop what runs, hold the rest"}
    assert found["text_is"] == "the dollars to add instead"
    assert (found["text_with"], stripped(texts(found))) == ("allow", ["Bash: make", "spent"])
    assert (found["words"], found["said"]) == ("type the dollars to add instead", "raise the limit by your dollars")


@pytest.mark.parametrize(
    ("need", "subject", "said"),
    [
        ("report", {"kind": "question"}, "answered"),
        ("report", {"kind": "bug"}, "answered"),
        ("report", {"kind": "bug", "unassigned": True}, "queue it for that agent"),
        ("steer", {}, "send your message"),
        ("stuck", {}, "begin a new round · with your text"),
    ],
)
def test_own_words_are_no_yes(need, subject, said):
    about = {"kind": "quest", "id": "q", "name": "q"}
    asked = question(need=need, part="", about=about, mission="q", subject={"lines": [], **subject})
    assert card(asked=asked, mission=row("other"))["said"] == said


@pytest.mark.parametrize("need", sorted(EngineNeed))
def test_what_lands_work_or_passes_a_document_is_answered_only_where_all_of_it_stands(need):
    about = {"kind": "spec", "id": "s", "name": "carts"}
    asked = question(need=str(need), part="", about=about, mission="s", subject={"lines": ["15 commits"]})
    assert card(asked=asked, mission=row("other"))["whole"] is (need in {"phase", "review", "merge"})


@pytest.mark.parametrize(("kind", "is_whole"), [("bug", True), ("question", False)])
def test_reports_are_queued_only_where_all_of_them_stand(kind, is_whole):
    about = {"kind": "mission", "id": "a", "name": "api"}
    subject = {"lines": ["bug: a", "bug: b"], "kind": kind, "reports": [1, 2]}
    asked = question(need="report", part="", about=about, mission="a", subject=subject)
    assert card(asked=asked, mission=row("other"))["whole"] is is_whole


@pytest.mark.parametrize(("need", "title"), [
    ("permission", "deny a, say why"), ("question", "answer a"), ("plan", "a: the changes to make"),
    ("budget", "a: the dollars to add instead"), ("merge", "a: leave its branch and worktree as they are, and say why"),
])  # fmt: skip
def test_the_line_says_what_a_text_is_to_its_question(need, title):
    engine = {"part": "", "about": {"kind": "quest", "id": "q", "name": "a"}} if need in {"budget", "merge"} else {}
    assert inbox.line_title(question(need=need, **engine)) == title


def test_what_an_agent_asks_is_answered_where_its_summary_stands():
    assert card(asked=question())["whole"] is False


def test_whose_turn_is_over_has_the_whole_answer():
    mission = row("a", "idle", unseen=True, activity_since="2025-12-31T23:59:00.000Z")
    found = card(mission=mission, answer="Done.\n\nAll tests pass.")
    assert (found["group"], found["question"], found["since"]) == (inbox.TURN, 0, NOW - 60.0)
    assert stripped(texts(found)) == ["Done.", "", "All tests pass."]
    assert offered(found)[0] == ("reply", "m")


def test_one_that_crashed_for_good_can_be_restarted():
    mission = row("a", status="crashed", reason=SPENT, ended_at="2025-12-31T23:59:30.000Z", now="exit 3")
    found = card(mission=mission)
    assert (found["group"], found["since"], found["live"], found["tone"]) == (inbox.OVER, NOW - 30.0, False, "bad")
    assert offered(found)[0] == ("restart", "r")
    assert texts(found)[0] == " exit 3"


def test_a_card_is_the_same_as_long_as_nothing_happens():
    rows, asked = [row("a", "waiting"), row("b", "limited")], [question()]
    early, late = ([cards.card(one) for one in inbox.needs(rows, asked, NOW + after)] for after in (0.0, 500.0))
    assert early == late
    assert len(early) == 2


def test_every_card_can_be_sent():
    for asked in (question(), question(subject=SEVERAL), question(subject={"content": 5, "x": ["\x00"]})):
        assert json.loads(msgspec.json.encode(card(asked=asked)))["key"] == "a:7"


def test_it_is_said_who_answered():
    events = [{"type": "answered", "question": 4, "name": "a", "by": "web:phone", "behaviour": "allow"}]
    assert cards.answered([4, 9], events) == {"4": "a: allowed by web:phone", "9": "the question is no longer open"}
