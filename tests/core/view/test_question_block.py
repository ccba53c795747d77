"""A question in the panel: its sentence, what it is about, its keys, and when it was in sight long enough."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.domain.text.cells import width
from overmind_core.view.question_block import AIRY, Asking, block, key_at, keys, place, text_of
from overmind_core.view.question_sight import LEAST_SECONDS, QuestionSight
from overmind_core.view.subject import Choosing
from tests.kit.cases import tabled
from tests.kit.screen_panel import (
    API,
    API_CHANGES,
    API_QUESTION,
    CHOICE_QUESTION,
    DEMO_QUESTION,
    HOME,
    NOW,
    mission,
    question,
)
from tests.kit.screen_pictures import texts

PUSH = Asking(
    API_QUESTION, NOW, f"{HOME}/shop-api", place(API, API_CHANGES, HOME), rule="ask Bash(git push *)"
)  # fmt: skip
CHOICE = Asking(CHOICE_QUESTION, NOW, choosing=Choosing.of(CHOICE_QUESTION["subject"]))
EDIT = Asking(DEMO_QUESTION, NOW, f"{HOME}/shop")
PICTURED = [("asks", PUSH, False), ("answer", PUSH, True), ("needs", PUSH, True), ("choice", CHOICE, True),
            ("demo", EDIT, False)]  # fmt: skip


def asked(need="permission", tool="Bash", **more):
    return Asking(question("a", 60.0, need=need, tool=tool, **{"summary": f"{tool}: it", **more}), NOW, "/shop")


SENTENCES = [
    ("permission", "Bash", {"subject": {"command": "ls"}}, "May it run this?"),
    ("permission", "Edit", {"subject": {"file_path": "/shop/a.py", "old_string": "", "new_string": "x"}},
     "May it change a.py?"),
    ("permission", "Write", {"subject": {"file_path": "/etc/a", "content": "x"},
                             "replaces": {"state": "new", "text": None, "bytes": 0}}, "May it create /etc/a?"),
    ("permission", "WebFetch", {"subject": {"url": "https://example.com"}}, "May it use WebFetch?"),
    ("plan", "ExitPlanMode", {"subject": {"plan": "# one"}}, "May it carry out this plan?"),
    ("setup", "", {"summary": "trust the folder", "attach_only": True}, "trust the folder"),
    ("question", "", {"summary": "Which?"}, "Which?"),
    ("review", "", {"part": "", "summary": "look at it\nclosely"}, "look at it"),
]  # fmt: skip


@tabled(("need", "tool", "more", "text"), SENTENCES)
def test_what_is_asked_is_one_sentence(need, tool, more, text):
    assert text_of(asked(need, tool, **more), 80).sentence == text


def test_a_command_of_several_lines_is_whole():
    shown = block(asked(subject={"command": "cat <<E\n\tone\nE", "description": "write"}), 40, 30, has_keys=False)
    assert texts(shown.lines)[3:7] == ["     cat <<E", "         one", "     E", " description: write"]


def test_a_change_without_a_known_line_has_no_numbers():
    subject = {"file_path": "/shop/a", "old_string": "1\n2", "new_string": "1\n3", "replace_all": True}
    shown = texts(block(asked(tool="Edit", subject=subject), 60, 12, has_keys=False).lines)
    assert shown[1:5] == ["        1", "      - 2", "      + 3", " replaces every occurrence in the file"]


def test_blanks_give_way_before_a_small_panel_cuts_a_question():
    asking = EDIT._replace(where="in ~/shop, branch main, nothing committed: +19 -2 in 2 files")
    for has_keys in (False, True):
        found = block(asking, 100, 11, has_keys=has_keys)
        assert not found.hidden
        assert "~/shop" in texts(found.lines)[3]
    assert texts(block(asking, 100, 20, has_keys=True).lines)[5:7] == ["", f" {asking.where}"]


def test_each_line_of_a_change_has_the_number_that_it_has_in_its_file():
    old = "\n".join(f"line {number}" for number in range(30))
    subject = {"file_path": "/a", "old_string": old, "new_string": old.replace("line 1\n", "").replace("28", "x")}
    asking = asked(tool="Edit", subject=subject, begins=[100])
    shown = texts(text_of(asking, 60).about)
    assert shown[:5] == ["  100   line 0", "  101 - line 1", "  101   line 2", "  102   line 3", "  103   line 4"]
    assert shown[5] == "      ⋯"
    assert shown[-3:] == ["  128 - line 28", "  127 + line x", "  128   line 29"], "also behind what is left out"


def test_a_file_that_is_written_anew_is_numbered_from_its_first_line():
    before = "\n".join(f"line {number}" for number in range(30))
    subject = {"file_path": "/a", "content": before.replace("28", "x")}
    replaces = {"state": "text", "bytes": len(before), "text": before}
    shown = texts(text_of(asked(tool="Write", subject=subject, replaces=replaces), 60).about)
    assert shown[-3:] == ["   29 - line 28", "   29 + line x", "   30   line 29"]


def test_each_of_several_edits_begins_at_its_own_line_if_that_is_known():
    pairs = [{"old_string": one, "new_string": f"{one}!"} for one in ("a", "b", "c")]
    subject = {"file_path": "/a", "edits": pairs}
    shown = texts(text_of(asked(tool="MultiEdit", subject=subject, begins=[7, 0]), 60).about)
    assert shown == ["    7 - a", "    7 + a!", "", "      - b", "      + b!", "", "      - c", "      + c!"]


OFFERED = [
    (PUSH, ["y", "n", "m", "Y"]), (CHOICE, ["1-3", "m"]), (asked(subject={"command": "ls"}), ["y", "n", "m"]),
    (asked("setup", "", attach_only=True), ["a"]),
    (asked("report", "", part="", subject={"unassigned": True}, summary="x"), ["n", "m"]),
    (asked("lost", "", hive=".swarm", attach_only=False), ["y", "n", "m"]),
]  # fmt: skip


@tabled(("asking", "offered"), OFFERED)
def test_a_question_says_its_own_keys(asking, offered):
    assert [one.key for one in keys(asking)] == offered


def test_options_that_may_be_several_have_boxes_and_enter_ends_the_choice():
    several = {"questions": [{"question": "Which?", "multiSelect": True, "options": [{"label": "A"}, {"label": "B"}]}]}
    choosing = Choosing.of(several)
    assert choosing is not None
    asking = asked("question", "", subject=several)._replace(choosing=choosing.pressed(2))
    shown = texts(block(asking, 60, 9, has_keys=True).lines)
    assert shown == [
        " Which?   asked 1m ago", "   1  [ ] A", "   2  [x] B", "",
        "   enter  these are all    m  answer in your own words",
    ]  # fmt: skip


LONG = asked(subject={"command": "\n".join(f"echo {number}" for number in range(60))})


def test_a_long_question_is_cut_with_the_key_that_shows_all():
    shown = block(LONG, 80, 20, has_keys=True)
    assert len(shown.lines) <= 20 * 0.6
    assert texts(shown.lines)[-3:-1] == [" … 52 more lines: enter", ""]
    assert (shown.height, shown.seen, shown.hidden) == (61, range(9), 52)


@tabled(("panel", "is_cut"), [(27, False), (24, False), (23, True), (20, True)])
def test_a_question_that_leaves_some_lines_to_the_face_is_not_cut(panel, is_cut):
    """The gate of `tasks` of the demonstration's spec, below the list of missions in 120x40."""
    gate = asked("phase", "", part="tasks", about={"kind": "spec"}, subject={"lines": ["a task"] * 16})
    for has_keys in (False, True):
        found = block(gate, 120, panel, has_keys=has_keys)
        assert bool(found.hidden) is is_cut
        assert len(found.lines) < panel - 4


def test_in_a_panel_of_few_rows_a_blank_one_and_then_the_rule_give_way_to_the_keys():
    asking = asked(subject={"command": "one\ntwo"}, rule=LONG_RULE)
    sentence, more = " May it run this?   asked 1m ago", " … 2 more lines: enter"
    others, rule = (
        "  y  allow once    n  deny    m  deny, say why",
        "  Y  always: Bash(git push git push git push git push",
    )
    whole = [others, f"{rule} git", "     push git push *)"]
    for panel, rows in ((7, ["", *whole]), (6, whole), (5, [others, f"{rule[:-2]}sh gi…"])):
        assert texts(block(asking, 60, panel, has_keys=True).lines) == [sentence, more, *rows]


def test_a_row_is_not_left_out_for_the_one_that_says_so():
    shown = texts(block(asked(subject={"command": "ls"}, rule="Bash(ls)"), 80, 6, has_keys=True).lines)
    assert shown[:3] == [" May it run this?   asked 1m ago", "     ls", ""]


def test_the_whole_of_it_is_scrolled_to_its_end():
    seen = [block(LONG, 80, 20, has_keys=True, top=top).seen for top in (0, 17, 99)]
    assert seen == [range(17), range(17, 34), range(44, 61)]
    assert len(block(LONG, 80, 20, has_keys=True, top=0).lines) == 19


@pytest.mark.parametrize("has_keys", [False, True])
def test_keys_are_dim_while_they_are_elsewhere(has_keys):
    tones = {cell.tone for cell in block(PUSH, 80, AIRY, has_keys=has_keys).lines[-2]}
    assert ("button" in tones) is has_keys
    assert ("faint" in tones) is not has_keys


LONG_RULE = f"Bash({'git push ' * 6}*)"
LANDING = asked("merge", "", part="", subject={"code": "undoes_landed", "command": True}, summary="x")


@example("ls", 60, 5, LONG_RULE)
@given(
    st.text(st.sampled_from("ab 日-/\n"), min_size=1, max_size=300), st.integers(30, 120), st.integers(5, 40),
    st.sampled_from(["Bash(a:*)", LONG_RULE]),
)  # fmt: skip
def test_no_row_is_wider_than_the_panel_and_a_part_is_never_taken_for_the_whole(command, cells, height, rule):
    asking = asked(subject={"command": command}, rule=rule)
    for has_keys in (False, True):
        for top in (None, 0):
            for one in (asking, LANDING):
                assert len(block(one, cells, height, has_keys=has_keys, top=top).lines) < height, "with its title"
        shown = block(asking, cells, height, has_keys=has_keys)
        assert all(width(line) <= cells for line in texts(shown.lines))
        assert (shown.hidden == 0) is (shown.seen == range(shown.height))
        kept = block(asking, cells, height, has_keys=has_keys, text=text_of(asking, cells))
        assert kept == shown


EMPTY = API_CHANGES.files[0]._replace(added=0, removed=0)
PLACES = [
    (API, None, "in ~/shop-api, branch fix/prices"),
    (API, API_CHANGES, "in ~/shop-api, branch fix/prices, 3 commits: +120 \N{MINUS SIGN}14 in 6 files"),
    (mission("a", cwd="/tmp/x"), None, "in /tmp/x"),
    (mission("a"), API_CHANGES._replace(branch="", commits=()),
     "in ~/shop, nothing committed: +120 \N{MINUS SIGN}14 in 6 files"),
    (mission("a"), API_CHANGES._replace(branch="", commits=(), files=(EMPTY,)), "in ~/shop, nothing committed: 1 file"),
]  # fmt: skip


@tabled(("row", "found", "text"), PLACES)
def test_where_it_would_happen(row, found, text):
    assert place(row, found, HOME) == text


# in sight

STEPS = [
    ([(range(5), 5, 0.0)], 0.2, False),
    ([(range(5), 5, 0.0)], LEAST_SECONDS, True),
    ([(range(3), 5, 0.0)], 9.0, False),
    ([(range(3), 5, 0.0), (range(2, 5), 5, 4.0)], 4.2, False),
    ([(range(3), 5, 0.0), (range(2, 5), 5, 4.0)], 4.4, True),
    ([(range(5), 5, 0.0), (range(3), 5, 1.0)], 1.1, True),
]


@tabled(("looks", "at", "may"), STEPS)
def test_a_question_is_answered_only_after_all_of_it_was_in_sight(looks, at, may):
    sight = QuestionSight()
    for rows, count, now in looks:
        sight.saw(("a", 7), rows, count, 80, now)
    assert sight.may_answer(("a", 7), at) is may
    assert not sight.may_answer(("a", 8), at)


def test_the_rows_that_were_not_in_sight_are_known_of_the_question_that_is_drawn_alone():
    sight = QuestionSight()
    assert sight.unseen(("a", 7)) == []
    for rows, unseen in ((range(2), [2, 3, 4]), (range(3, 5), [2]), (range(1, 4), [])):
        sight.saw(("a", 7), rows, 5, 80, 0.0)
        assert sight.unseen(("a", 7)) == unseen
        assert sight.unseen(("a", 8)) == []


def test_another_question_another_width_or_none_begins_from_nothing():
    for change in (lambda one: one.saw(("b", 1), range(5), 5, 80, 5.0), lambda one: one.lost(),
                   lambda one: one.saw(("a", 7), range(5), 5, 60, 5.0)):  # fmt: skip
        sight = QuestionSight()
        sight.saw(("a", 7), range(5), 5, 80, 0.0)
        change(sight)
        assert not sight.may_answer(("a", 7), 5.1)


@pytest.mark.parametrize("cells", [40, 80, 200])
def test_a_rule_as_long_as_a_script_takes_a_row(cells):
    rule = f"Bash({' && '.join(f'echo {number}' for number in range(400))})"
    found = block(asked(subject={"command": "ls"}, rule=rule), cells, 30, has_keys=True)
    (line,) = (text for text in texts(found.lines) if "always:" in text)
    assert line.endswith("…")
    assert len(found.lines) <= 18


@pytest.mark.parametrize("has_keys", [False, True])
def test_each_key_is_found_where_its_words_stand(has_keys):
    found = block(PUSH, 80, 30, has_keys=has_keys)
    lines = texts(found.lines)
    for word, key in (("deny", "n"), ("say why", "m"), ("allow", "y")) if has_keys else (("deny", "y"),):
        y = next(place for place, line in enumerate(lines) if word in line and "May" not in line)
        assert key_at(found.lines, lines[y].index(word), y) == key
    assert key_at(found.lines, 2, 0) == ""
    assert key_at(found.lines, 2, 99) == ""
    choice = block(CHOICE, 80, 30, has_keys=True)
    y = next(place for place, line in enumerate(texts(choice.lines)) if "half even" in line)
    assert key_at(choice.lines, 10, y) == "2"


@tabled(("panel", "top", "numbered"), [(30, None, False), (7, None, True), (30, 0, False), (6, 0, True)])
def test_where_an_option_may_be_out_of_sight_its_number_stands_among_the_keys(panel, top, numbered):
    found = block(CHOICE, 80, panel, has_keys=True, top=top)
    assert len(found.lines) < panel
    (line,) = (one for one in texts(found.lines) if "own words" in one)
    assert ("1-3  choose" in line) is numbered
    assert bool(found.hidden) is numbered


def test_read_only_no_key_is_offered():
    found = texts(block(PUSH._replace(read_only=True), 80, 30, has_keys=True).lines)
    assert any("read-only" in line for line in found)
    assert not any("allow once" in line for line in found)
