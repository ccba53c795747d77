"""The hints of the screen: keys of the keymap in one order for each part, nine at most."""

from __future__ import annotations

import pytest

from overmind_core.domain.operations import BY_COMMAND
from overmind_core.view import hints, keymap
from overmind_core.view.actions import TAKES_EVERYTHING, Context, shown_key
from overmind_core.view.header_line import size_of
from overmind_core.view.hints import Part
from tests.kit.cases import tabled
from tests.kit.screen_edges import ASKING, FAILED, RUNNING, row
from tests.kit.screen_pictures import pictures

NAMES = sorted({name for name, _ in pictures()} - {"typing"})
EVERYWHERE = [*Part, *Context]


def text(line):
    return "".join(cell.text for cell in line)


def faint(line):
    return " ".join(cell.text.strip() for cell in line if cell.tone == "faint")


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("part", EVERYWHERE, ids=str)
def test_each_part_has_nine_hints_at_most_with_keys_of_the_keymap(part, read_only):
    context = hints.PARTS[part][0] if isinstance(part, Part) else part
    line = hints.hint_line(part, 2000, read_only=read_only)
    keys = [cell.text for cell in line if cell.tone == "key"]
    meant = {shown_key(key) for key in keymap.keymap(context)}
    assert len(keys) <= 9
    assert len(set(keys)) == len(keys)
    signs = {shown_key(hint.sign) for hint in hints.PARTS[part][1] if hint.sign} if isinstance(part, Part) else set()
    assert set(keys) <= meant | signs
    assert keys or read_only


@pytest.mark.parametrize("part", EVERYWHERE, ids=str)
def test_the_way_to_all_keys_stays_to_the_last(part):
    context = hints.PARTS[part][0] if isinstance(part, Part) else part
    if context in TAKES_EVERYTHING:
        return
    for cells in range(12, 200):
        line = hints.hint_line(part, cells)
        assert size_of(line) == cells
        assert " ? " in text(line)
        assert "…" not in text(line)


def test_stop_goes_first_where_it_gets_narrow():
    assert "x stop" in text(hints.hint_line(Part.LIST, 84))
    assert text(hints.hint_line(Part.LIST, 80)).split() == text(hints.hint_line(Part.LIST, 84)).replace(
        "x stop", ""
    ).split()  # fmt: skip
    assert text(hints.hint_line(Part.LIST, 40)).strip() == "y answer  enter open  . next  ? keys"


@tabled(
    ("found", "asking", "shown"),
    [
        ([ASKING[0]], {"api"}, ""),
        ([RUNNING[1]], {"api"}, "y answer"),
        ([RUNNING[2]], {"api"}, "y answer m message"),
        ([FAILED], {"api"}, "y answer m message x stop"),
        ([FAILED, ASKING[0]], {"api"}, ""),
        ([row("a", "paused", type="session")], {}, "y answer"),
        ([], {}, "y answer enter open m message l log v diff x stop"),
    ],
)
def test_a_key_that_the_row_cannot_use_is_faint_in_its_place(found, asking, shown):
    line = hints.hint_line(Part.LIST, 120, unusable=hints.unusable(found, asking))
    assert faint(line) == shown
    assert text(line) == text(hints.hint_line(Part.LIST, 120))


@tabled(
    ("found", "asked", "answers"),
    [
        (row("a", type="session", activity="idle", unseen=True), (), True),
        (row("a", type="session", activity="waiting"), (), True),
        (row("a", type="session", activity="limited"), (), False),
        (row("a", "crashed", reason="restarts spent"), (), False),
        (row("a", "stopped", lost=True), (), False),
        (row("a", "stopped"), {"a"}, True),
    ],
)
def test_yes_is_faint_on_a_row_that_needs_somebody_but_asks_nothing(found, asked, answers):
    assert ("question" not in hints.unusable([found], asked)) is answers


def test_where_nobody_needs_a_person_no_next_one_can_be_gone_to():
    empty = hints.unusable([], (), Context.NEEDS, is_needed=False)
    line = hints.hint_line(Part.QUESTION, 120, unusable=empty)
    assert faint(line) == "enter whole . next a type l log v diff d describe"
    assert "next-need" not in hints.unusable([], (), Context.NEEDS)


@tabled(
    ("sign", "part", "shown"),
    [
        ("", Part.LIST, Part.LIST),
        (":", Part.LIST, Part.COMMAND),
        ("/", Part.QUESTION, Part.FILTER),
        ("/", Context.LOG, Part.FILTER),
        ("/", Part.FINDING, Part.FINDING),
    ],
)
def test_a_line_that_is_typed_into_has_hints_of_its_own(sign, part, shown):
    assert hints.typed_after(sign, part) is shown


def test_a_filter_that_makes_no_sense_is_not_said_to_be_kept():
    assert hints.typed_after("/", Part.LIST, broken=True) is Part.BROKEN_FILTER
    assert hints.typed_after("", Part.LIST, broken=True) is Part.LIST
    line = hints.hint_line(Part.BROKEN_FILTER, 80)
    assert text(line).strip() == "not a valid filter yet  enter keeps what is shown  esc keeps it, too"
    assert line[0] == (" not a valid filter yet", ""), "as bright as a text, and no colour is needed to see it"
    at = text(line).index("enter")
    assert [hints.hit_at(Part.BROKEN_FILTER, 80, x).sign for x in (at - 3, at, at + 24, at + 27)] == [
        "", "enter", "enter", "escape",
    ]  # fmt: skip
    assert text(hints.hint_line(Part.BROKEN_FILTER, 32)).rstrip() == " not a valid filter yet"


def test_what_is_said_of_a_typed_command_and_of_a_filter():
    said = [text(hints.hint_line(part, 80)).strip() for part in (Part.COMMAND, Part.FILTER)]
    assert said == [
        "enter runs it  tab completes it  ↑ typed before  esc drops it",
        "enter keeps it  ↑ typed before  esc keeps it, too",
    ]


@pytest.mark.parametrize("cells", [40, 60, 80, 120])
def test_in_every_size_the_way_to_a_command_and_what_esc_does_are_said(cells):
    assert "$ a command" in text(hints.hint_line(Part.COMMAND_ONLY, cells))
    assert "esc keeps it, too" in text(hints.hint_line(Part.FILTER, cells))


def test_one_key_that_zooms_is_called_as_the_other_one():
    log = keymap.keymap(Context.LOG)
    assert (log["f"].label, log["f"].summary) == (log["z"].label, log["z"].summary)


def test_a_terminal_that_takes_no_input_offers_no_typing():
    silent = row("x", type="task", status="running", tty=True)
    assert "type" in hints.unusable([silent], (), Context.LOOKING)
    assert "type" not in hints.unusable([row("x", type="session", status="running", tty=True)], (), Context.LOOKING)


def test_read_only_leaves_out_what_changes_something():
    line = text(hints.hint_line(Part.LIST, 120, read_only=True)).strip()
    assert line == "y answer  enter open  . next  l log  v diff  tab panel  ? keys"


def drawn(part):
    """The actions of a part of the screen where keys are no text, each with its word."""
    if isinstance(part, Part):
        known = hints.actions_of(hints.PARTS[part][0])
        return [(known[hint.action], hint.word) for hint in hints.PARTS[part][1] if hint.action]
    return [(one, one.label) for one in keymap.hints(part, read_only=False) if one.name != hints.HELP]


OWN_PARTS = (Part.LIST, Part.QUESTION, Part.NOBODY)
"""Other parts of contexts have the same words, or ways out of their own."""
WITH_PART = {context for context, _ in hints.PARTS.values()}
COMMANDED = [*OWN_PARTS, *(one for one in Context if one not in TAKES_EVERYTHING | WITH_PART)]
LEAVES_BY = {"back": {"list", "back"}}
"""`esc` in a question goes to the list, and elsewhere back."""


def test_what_a_key_does_has_one_word_in_all_hints():
    words: dict[tuple[str, str], set[str]] = {}
    for part in COMMANDED:
        for action, word in drawn(part):
            one = BY_COMMAND.get(action.verb)
            does = action.name if one is None else one.made_of or one.name
            for key in action.keys:
                if len(key) == 1 or one is None:
                    words.setdefault((does, key if one else ""), set()).add(word)
    several = {does: found for (does, _), found in words.items() if len(found) > 1}
    assert several == LEAVES_BY
    assert {does: words[does] for does in SAID} == {does: {word} for does, word in SAID.items()}


SAID = {("logs", "l"): "log", ("changes", "v"): "diff", ("attach", "a"): "type", ("quit", ""): "back"}


def test_each_hint_names_an_action():
    for context, wanted in hints.PARTS.values():
        assert {hint.action for hint in wanted if not hint.sign} <= set(hints.actions_of(context))


@tabled(("found", "missing"), [([], "question open"), ([RUNNING[1]], "question")])
def test_what_the_row_under_the_cursor_asks_can_be_gone_to_be_it_no_mission_or_others_be_marked(found, missing):
    for name in missing.split():
        assert name in hints.unusable(found, ())
        assert name not in hints.unusable(found, (), is_asked=True)
        assert name in hints.unusable([], (), Context.MISSIONS), "the line of those that ended asks nothing"


def test_what_has_ended_is_not_typed_into():
    assert "attach" in hints.unusable([FAILED], (), Context.NEEDS)
    assert "attach" not in hints.unusable([ASKING[0]], (), Context.NEEDS)


WITHOUT_A_ROW = {
    **{one: {"wide"} for one in (Context.TABLE, Context.HIVES, Context.POOLS, Context.RUNS)},
    **{one: {"wide"} for one in (Context.CONVERSATIONS, Context.TRANSCRIPTS)},
    **{one: {"lanes"} for one in (Context.BOARD, Context.POST_BOARD)},
    **{one: {"new"} for one in (Context.MISSIONS, Context.NOTES)},
    Context.QUEUE: {"pause"}, Context.VAULT: {"vault set"}, Context.LEARN: {"group by", "take back"},
    Context.TIMELINE: {"why", "log"},
}  # fmt: skip
"""Context → what its hints offer that is about no row, beside what is offered everywhere."""


@pytest.mark.parametrize("context", [one for one in Context if Context.TABLE in keymap.chain(one)], ids=str)
def test_where_there_is_no_row_nothing_is_bright_that_is_done_to_one(context):
    refused = hints.unusable([], (), context, has_row=False)
    line = hints.hint_line(context, 2000, unusable=refused)
    bright = {cell.text.strip() for cell in line if cell.tone == "quiet"} - {"needs you", "back", "keys"}
    assert bright == WITHOUT_A_ROW.get(context, set())


def test_a_question_of_no_mission_can_be_shown_whole():
    assert "whole" in hints.unusable([], (), Context.NEEDS)
    assert hints.unusable([], (), Context.NEEDS) - hints.unusable([], (), Context.NEEDS, is_asked=True) == {"whole"}
