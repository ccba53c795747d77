"""What a title and a screen tell of a program that reports nothing, by recordings of the real programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.agents.agent import ActivityKind, ActivitySource
from overmind_core.domain.agents.terminal_rules import Rule
from overmind_core.domain.agents.terminal_words import is_alone, told_id
from overmind_core.domain.missions.mission import Definition, Kind
from overmind_core.providers.terminal_rows import (
    CONVERSATIONS,
    PROMPTS,
    ROWS,
    conversation_words,
    is_free,
    is_in_prompt,
    rules_of,
    told_by,
    warning,
)

SCREENS = Path(__file__).parents[2] / "data" / "screens"
TOLD = {
    "gemini": (
        "waiting waiting "
        "idle working idle waiting idle waiting idle waiting idle working idle idle idle working idle idle idle -"
    ),
    "qwen": (
        "waiting idle working idle waiting idle idle idle waiting idle working idle idle idle working idle idle idle -"
    ),
    "opencode": (  # it shows its first page, with nothing of a turn, for a while behind the first message
        "idle idle idle waiting idle waiting idle idle waiting idle "
        "working working idle idle idle limited idle idle - -"
    ),
    "copilot": "waiting idle working idle waiting idle waiting idle working idle idle idle working working idle - -",
    "cline": "waiting idle working idle waiting idle idle waiting idle working idle idle - - working",
}
"""Of each step of its recording, in order; `-`: nothing."""


def recorded(program):
    return json.loads((SCREENS / f"{program}.json").read_text(encoding="utf-8"))


def state(told):
    return "-" if told is None else told.state.value


@pytest.mark.parametrize("program", TOLD)
def test_what_is_told_of_a_recorded_hour(program):
    steps = recorded(program)
    told = [told_by(ROWS[program], step["title"], step["lines"]) for step in steps]
    named = [f"{step['step']}: {state(one)}" for step, one in zip(steps, told, strict=True)]
    wanted = [f"{step['step']}: {one}" for step, one in zip(steps, TOLD[program].split(), strict=True)]
    assert named == wanted
    by_title = {place for place, one in enumerate(told) if one is not None and one.source is ActivitySource.TITLE}
    inside = {place for place, step in enumerate(steps) if step["step"] not in {"trust", "login", "ended"}}
    assert by_title == (inside if program in {"gemini", "qwen"} else set())


WRAPPED = {
    "works, 60 columns": ("working", ["   ⬝⬝⬝■■■■■  esc interrupt     tab agents  ctrl+p commands"]),
    "works, 44 columns": (
        "working",
        ["   ⬝⬝⬝■■■■■  esc     tab      ctrl+p", "             interrupagents   commands", "             t"],
    ),
    "rests, 80 columns": (
        "idle",
        [
            "   /home/person/projects-of-this-year/and-a-long-name/    tab      ctrl+p",
            "   a-worktree-of-a-task-with-a-long-name-that-goes-on/    agents   commands",
            "   and-ends",
        ],
    ),
    "rests, 44 columns": (
        "idle",
        [
            "   /home/person/          tab    ctrl+p",
            "   projects-of-this-year/agents commands",
            "   and-a-long-name/",
            "   a-worktree-of-a-task-",
            "   with-a-long-name",
        ],
    ),
}
"""Opencode's lines behind its prompt, where one is not wide enough for them."""


@pytest.mark.parametrize(("told", "lines"), WRAPPED.values(), ids=WRAPPED)
def test_a_line_that_is_wrapped_tells_the_same(told, lines):
    prompt = ["  ┃", "  ┃", "  ┃", "  ┃  Build · stub stub", f"  ╹{'▀' * 40}"]
    assert state(told_by(ROWS["opencode"], "OpenCode", [*prompt, *lines])) == told


PLACES = json.loads((SCREENS / "prompts.json").read_text(encoding="utf-8"))
"""Screens with their cursor: an empty prompt, one with `a draft`, dialogs, and what stood there behind an interrupt."""
PUT_BACK = {"claude", "copilot", "qwen"}
"""Programs that put an interrupted prompt back."""


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place['program']} {place['step']}")
def test_an_empty_prompt_is_told_from_a_draft_and_from_a_dialog(place):
    prompt, lines, y = PROMPTS[place["program"]], place["lines"], place["y"]
    put_back = place["step"] == "interrupted" and place["program"] in PUT_BACK
    assert is_free(prompt, lines, place["x"], y) == (place["step"] in {"start", "interrupted"} and not put_back)
    held = "a draft" if place["step"] == "draft" else "%sleep 60 early" if put_back else ""
    if held and prompt.mark:
        assert is_in_prompt(prompt, lines, y, held)
    for other in (held[:-1] or "x", f"{held}!", "draft", "Yes"):
        assert not is_in_prompt(prompt, lines, y, other)


def test_the_dialogs_of_programs_that_report_are_seen_before_they_do():
    found = {f"{one['program']} {one['step']}" for one in PLACES if told_by(ROWS[one["program"]], "", one["lines"])}
    dialogs = {"claude permission", "claude choice", "codex permission", "codex ctrl-c", "pi permission"}
    assert {name for name in found if name.split()[0] in {"claude", "codex", "pi"}} == dialogs


NOT_FREE = {
    "a page for another model": (
        "codex",
        ["", "  Meet GPT-6 Sol", "", "› 1. Try new model", "  2. Use existing model"],
        3,
    ),
    "a survey that takes digits": (
        "qwen",
        ["  ●\ufe0e How is Qwen doing this session? (optional)", "  1: Good 2: Bad 3: Fine 0: Dismiss", "─" * 20, "> "],
        3,
    ),
    "the end of a draft of two lines": ("opencode", ["  ┃", "  ┃  a draft", "  ┃"], 2),
    "an answer that shows a prompt": ("codex", ["• it says:", "› "], 1),
    "no line": ("pi", [], 0),
    "beyond the screen": ("pi", ["─"], 7),
}


@pytest.mark.parametrize(("program", "lines", "y"), NOT_FREE.values(), ids=NOT_FREE)
def test_a_prompt_that_takes_no_message_is_not_free(program, lines, y):
    assert not any(is_free(PROMPTS[program], lines, x, y) for x in range(8))


def test_what_was_put_back_may_have_lines_and_nothing_else_stands_before_it():
    box = ["╻▄▄▄", "┃ tidy it", "┃ all", "╹▀▀▀"]
    assert is_in_prompt(PROMPTS["copilot"], box, 2, "tidy it\nall")
    assert not is_in_prompt(PROMPTS["copilot"], box, 2, "all")
    assert is_in_prompt(PROMPTS["qwen"], ["> tidy it", "  all \u200b"], 1, "tidy it\nall")
    assert not is_in_prompt(PROMPTS["pi"], ["tidy it"], 0, "tidy it"), "it has no mark: anything could stand above"


@given(st.lists(st.text(max_size=60), max_size=30), st.integers(-2, 200), st.integers(-2, 40), st.text(max_size=80))
def test_no_screen_and_no_cursor_makes_it_fail(lines, x, y, text):
    for prompt in PROMPTS.values():
        is_free(prompt, lines, x, y)
        is_in_prompt(prompt, lines, y, text)


QUOTED = [
    "△ Permission required",
    "enter submit  esc dismiss",
    "esc interrupt, then ctrl+p commands",
    "↑/↓ to navigate · enter to select · esc to cancel",
    "Copilot needs information",
    "Cline needs permission",
    "Press Enter to open, any other key to close",
    "1. Yes",
    "● 1. Allow once",
    "⠙ Thinking... (esc to cancel, 1s)",
    "retrying in 3s",
    "Working · esc esc interrupt",
    "⬝⬝⬝■■■■■  esc",
]
"""What an answer may say."""


@pytest.mark.parametrize("words", QUOTED)
@pytest.mark.parametrize("program", TOLD)
def test_an_answer_that_quotes_the_words_of_the_rules_changes_nothing(program, words):
    """It stands above the prompt of an idle screen, behind what the program writes before the lines of an answer."""
    idle = next(step for step in recorded(program) if step["step"] == "idle")
    for lead in ("  ", "● It says: ", " ✦ ", "* "):
        lines = [lead + words, *idle["lines"][-6:]]
        assert state(told_by(ROWS[program], idle["title"], lines)) == "idle", lead


@pytest.mark.parametrize(
    ("argv", "program"),
    [
        (("gemini",), "gemini"),
        (("/opt/agents/bin/opencode", "--continue"), "opencode"),
        (("/bin/sh", "-c", "FOO=1 exec qwen --approval-mode default"), "qwen"),
        (("/bin/sh", "-c", "echo gemini"), None),
        (("/bin/sh", "-c", "'"), None),
        (("/bin/sh", "-c"), None),
        (("/bin/bash",), None),
        (("claude", "--resume"), "claude"),
        (("pi2",), None),
        ((), None),
    ],
)
def test_a_program_is_known_by_its_name(argv, program):
    definition = Definition(name="x", command="x", argv=argv, cwd="/")
    assert rules_of(definition, {}) == ROWS.get(program, ())


def test_a_persons_own_rules_come_before_ours():
    mine = (Rule(ActivityKind.WAITING, "^>   Type your message", 6),)
    definition = Definition(name="x", command="x", argv=("/opt/qwen",), cwd="/")
    rules = rules_of(definition, {"qwen": mine, "mine": ()})
    assert rules == (*mine, *ROWS["qwen"])
    told = told_by(rules, "", [">   Type your message"])
    assert told is not None
    assert told.state is ActivityKind.WAITING


@given(st.text(max_size=3000), st.lists(st.text(max_size=600), max_size=60))
def test_no_title_and_no_screen_makes_it_fail(title, lines):
    for rules in ROWS.values():
        told = told_by(rules, title, lines)
        assert told is None or told.state in set(ActivityKind)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["/opt/bin/pi", "--session-id", "x"], "pi runs every command without asking."),
        ("exec opencode -c", "opencode runs commands without asking, unless its settings have it ask."),
        (["codex"], None),
        ("echo pi", None),
        ("pi '", None),
        ("", None),
    ],
)
def test_who_starts_a_program_that_asks_nothing_is_told(command, said):
    assert (warning(command) or "").startswith(said or " ") is bool(said)


ALONE = {
    "cline -y auth": False,
    "cline -c /srv": True,
    "codex --full-auto fix": False,
    "codex -c model=x --sandbox read-only": True,
    "copilot --allow-all-tools login": False,
    "copilot --contin": False,
    "copilot --interactive=fix": False,
    "copilot --allow-tool shell": True,
    "gemini --yolo fix": False,
    "gemini -m flash": True,
    "opencode --pure /srv": False,
    "opencode -m a/b": True,
    "pi --verbose fix": False,
    "pi -nc --thinking high": True,
    "qwen --debug mcp": False,
    "qwen -y word": False,
    "qwen -yc": False,
    "qwen -ym coder": False,
    "qwen --approval-mode plan": True,
}


@pytest.mark.parametrize("line", ALONE)
def test_a_word_behind_an_option_is_its_value_where_the_program_takes_one(line):
    definition = Definition(name="x", command="x", argv=tuple(line.split()), cwd="/", kind=Kind.SESSION, tty=True)
    assert (conversation_words(definition, {}) is not None) == ALONE[line]


def test_no_option_with_a_value_chooses_a_conversation():
    for program, words in CONVERSATIONS.items():
        for option in words.values:
            assert is_alone((program, option, "value"), words), f"{program} {option}"


def test_an_id_is_told_by_the_program_and_not_by_another_that_ends_like_it():
    for program, words in CONVERSATIONS.items():
        line = " ".join((program, *words.resume))
        shown = line.replace("--session-id ", "--resume=").replace("{session}", "%s")
        shown %= "ses_1" if program == "opencode" else "524d39ef-9019-4253-a578-5cf6e551ad53"
        assert not told_id([f"api-{shown}"], words.ends)
        assert bool(told_id([f"  {shown}"], words.ends)) == bool(words.ends)
