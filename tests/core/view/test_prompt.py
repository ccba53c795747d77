"""The line of the screen: what can be typed and what was said last, and a text that is typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.view import hints, keymap, prompt
from overmind_core.view.actions import TAKES_EVERYTHING, Context
from overmind_core.view.field import Field
from overmind_core.view.header_line import size_of
from overmind_core.view.prompt import Filtered, Job, RestFacts, Said, TypingFacts, Where
from tests.kit.cases import tabled
from tests.kit.screen_edges import FOLDER, NOW, UNIT_FAILED, ZONE
from tests.kit.screen_pictures import pictures, texts

NAMES = sorted({name for name, _ in pictures()} - {"typing", "new"})
LEFT = " › n new in ~/shop  : command  / filter"
LONG = "merge of api is refused: 3 files conflict, shift-l shows which ones they are and who changed them"
LONG_LINES = [
    " 14:35 merge of api is refused: 3 files conflict, shift-l shows which ones they",
    " are and who changed them",
]
LONG_SECOND = f"{LONG_LINES[1]} {LONG}"[:78]
FACTS = RestFacts(FOLDER, zone=ZONE)


def text(lines):
    return "\n".join(texts(lines))


# at rest


def right(facts, now=NOW, cells=120):
    (line,) = prompt.resting(facts, cells, now)
    return [
        (cell.text, cell.tone) for cell in line[len(prompt.resting(FACTS, cells, now)[0]) - 1 :] if cell.text.strip()
    ]


@tabled(
    ("seconds", "passed", "tone"),
    [(0, False, "bad"), (4.9, False, "bad"), (5, False, "faint"), (0, True, "faint"), (1e6, False, "faint")],
)
def test_a_sentence_is_bright_until_a_key_or_five_seconds(seconds, passed, tone):
    said = UNIT_FAILED._replace(tone="bad", passed=passed)
    assert right(FACTS._replace(said=said), said.at + seconds) == [("14:32 unit failed (1)", tone)]


JOBS = (Job("demo", "", 70), Job("merge api", "verifying", 34))
OLD, FRESH = UNIT_FAILED, Said("allowed", NOW - 1, "good")


@tabled(
    ("more", "shown"),
    [
        ({}, []),
        ({"said": OLD}, [("14:32 unit failed (1)", "faint")]),
        ({"said": OLD, "step": "1 of 3: y"}, [("1 of 3: y", "accent")]),
        ({"said": OLD, "step": "1 of 3: y", "absence": "since 9:00: 1 failed"}, [("since 9:00: 1 failed", "accent")]),
        ({"absence": "since 9:00", "jobs": JOBS}, [("2 jobs · merge api: verifying 34s   ctrl-c cancels it", "quiet")]),
        ({"jobs": JOBS, "said": FRESH}, [("14:34 allowed", "good")]),
        ({"said": Said("api asks nothing", NOW, "slow")}, [("14:35 api asks nothing", "")]),
        ({"meaningless": "+", "said": FRESH}, [("+ means nothing here   ? keys", "faint")]),
        ({"meaningless": "K"}, [("shift-k means nothing here   ? keys", "faint")]),
        ({"meaningless": "ctrl+t"}, [("ctrl-t means nothing here   ? keys", "faint")]),
        ({"meaningless": "shift+pageup"}, [("shift-pageup means nothing here   ? keys", "faint")]),
    ],
)
def test_one_thing_is_said_at_a_time(more, shown):
    assert right(FACTS._replace(**more)) == shown


PRESSED = [
    ("space", " "), ("plus", "+"), ("enter", None), ("backspace", None), ("delete", None), ("insert", None),
    ("f5", None), ("shift+f12", None), ("ctrl+t", None), ("shift+enter", None), ("pageup", None),
]  # fmt: skip
UNPRESSED = [
    "left_shift", "right_control", "iso_level3_shift", "caps_lock", "num_lock", "raise_volume", "media_play",
    "<ignore>", "<scroll-up>", "<cursor-position-response>",
]  # fmt: skip


@tabled(("key", "character", "said"), [*((*one, True) for one in PRESSED), *((one, None, False) for one in UNPRESSED)])
def test_a_key_is_said_to_mean_nothing_unless_it_is_a_modifier_or_the_terminal_sends_it_by_itself(key, character, said):
    assert prompt.is_of_person(key, character) is said


@tabled(
    ("jobs", "words"),
    [
        (JOBS, "2 jobs · merge api: verifying 34s   ctrl-c cancels it"),
        (JOBS[:1], "demo 1m   ctrl-c cancels it"),
    ],
)
def test_jobs_are_said_by_the_newest(jobs, words):
    assert prompt.jobs_words(jobs) == words


@tabled(
    ("more", "lines"),
    [
        ({"said": Said(LONG, NOW)}, LONG_LINES),
        ({"said": Said(f"{LONG} {LONG} {LONG}", NOW)}, [LONG_LINES[0], f"{LONG_SECOND}…"]),
        ({"said": Said(LONG, NOW - 60)}, [f"{LEFT}  14:34 {LONG[:31]}…"]),
        ({"absence": "since 9:00: 12 finished, 3 wait, 1 failed, $2.10"},
         [" since 9:00: 12 finished, 3 wait, 1 failed, $2.10", LEFT]),
        ({"jobs": [Job("a very long name of a job that runs beside", "it", 4)]},
         [f"{LEFT}  a very long name of a job that runs b…"]),
    ],
)  # fmt: skip
def test_a_long_sentence_takes_a_second_line_while_it_is_news(more, lines):
    assert texts(prompt.resting(FACTS._replace(**more), 80, NOW)) == lines


@tabled(
    ("more", "cells", "line"),
    [
        ({"filtered": Filtered("api", 3, 12)}, 80, " / api   3 of 12   esc all"),
        ({"read_only": True}, 80, " › : command  / filter"),
        ({"read_only": True, "where": Where.FIRST}, 80, " ›"),
        ({"context": Context.NEEDS}, 80, " › : command  / filter"),
        ({"context": Context.NEEDS, "where": Where.FIRST}, 80, " › : command  / filter"),
        ({}, 36, " › n new in ~/shop  : command"),
        ({}, 20, " › n new in ~/shop"),
        ({"folder": ""}, 80, " › n new  : command  / filter"),
        ({"folder": "~/work/clients/north/shop-api"}, 80, " › n new in …/clients/north/shop-api  : command  / filter"),
    ],
)
def test_the_left_end_says_what_can_be_typed(more, cells, line):
    assert text(prompt.resting(FACTS._replace(**more), cells, NOW)) == line


KEYS = [
    ({}, 0, {" › ": "", "n new": "n", "shop": "n", "  :": "", ": com": ":", "mand": ":", "/ fil": "/", "ter": "/"}),
    ({"said": OLD}, 0, {"filter": "/", "unit": "", "14:32": ""}),
    ({"said": Said(LONG, NOW)}, 0, {"merge": "", "shift-l": ""}),
    ({"said": Said(LONG, NOW)}, 1, {"are": "", "changed": ""}),
    ({"absence": "since 9:00: 12 finished, 3 wait, 1 failed, $2.10"}, 1, {"n new": "n", "/ filter": "/"}),
    ({"filtered": Filtered("api", 3, 12), "said": OLD}, 0,
     {"/ api": "/", "api": "/", "3 of": "/", "esc": "escape", "all": "escape", "unit": ""}),
    ({"where": Where.HELP, "context": Context.HELP}, 0, {"/ find": "/", "word": "/"}),
]  # fmt: skip


@tabled(("more", "y", "keys"), KEYS)
def test_the_mouse_finds_the_key_of_the_words_that_it_is_on(more, y, keys):
    facts = FACTS._replace(**more)
    line = texts(prompt.resting(facts, 80, NOW))[y]
    assert {words: prompt.key_at(facts, 80, NOW, line.index(words), y) for words in keys} == keys
    assert prompt.key_at(facts, 80, NOW, 79, y) == prompt.key_at(facts, 80, NOW, 3, 2) == ""


@pytest.mark.parametrize("context", [one for one in Context if one not in TAKES_EVERYTHING], ids=str)
@pytest.mark.parametrize("where", [Where.LIST, Where.VIEW], ids=str)
def test_each_key_that_the_line_offers_means_that_where_the_keys_are(context, where):
    names = {"n": {"new"}, ":": {"command"}, "/": {"filter", "log-filter", "search"}}
    (line,) = prompt.resting(FACTS._replace(context=context, where=where), 120, NOW)
    offered = [cell.text for cell in line if cell.tone == "quiet"]
    assert offered
    for key in offered:
        action = keymap.meaning(context, key, key)
        assert action is not None
        assert action.name in names[key], key


@tabled(
    ("folder", "cells", "short"),
    [
        ("~/shop", 6, "~/shop"),
        ("~/work/shop", 7, "…/shop"),
        ("~/work/shop", 10, "…/shop"),
        ("/srv/a-name-that-is-long", 10, "a-name-th…"),
    ],
)
def test_a_folder_keeps_its_end(folder, cells, short):
    assert prompt.short_folder(folder, cells) == short


@tabled(
    ("key", "where", "said"),
    [
        ("v", Where.LIST, "v means nothing here: esc, then v"),
        ("v", Where.VIEW, "v means nothing here"),
        (" ", Where.LIST, "space means nothing here: esc, then space"),
    ],
)
def test_a_key_of_the_list_says_in_its_panel_how_to_come_there(key, where, said):
    facts = FACTS._replace(meaningless=key, context=Context.LOG, where=where)
    assert text(prompt.resting(facts, 80, NOW)).endswith(f"{said}   ? keys")


def test_the_first_steps_are_keys_of_the_keymap():
    names = [name for name, _ in prompt.FIRST_STEPS]
    found = [prompt.first_step(names[:count]) for count in range(4)]
    assert found == [
        "1 of 3: y answers who asks",
        "2 of 3: tab turns the panel",
        "3 of 3: n starts one of your own",
        "",
    ]
    counted = [prompt.first_step(done, {names[0]})[:6] for done in ([], names[1:2], names[1:])]
    assert counted == ["1 of 3", "2 of 3", ""], "one that means nothing now is not counted as done"
    assert set(names) <= set(hints.actions_of(Context.MISSIONS))


# typed


def typed(words, cells=60, **more):
    return prompt.typing(TypingFacts(Field.of(words), **more), cells)


def test_a_text_grows_to_six_lines_and_then_scrolls():
    words = "\n".join(f"line {number}" for number in range(9))
    lines = texts(typed(words, lead="claude in ~/shop"))
    assert len(lines) == 6
    assert lines[0] == " › claude in ~/shop  line 3"
    assert lines[1:] == [f"{' ' * 21}line {number}" for number in range(4, 8)] + [f"{' ' * 21}line 8▏"]


@tabled(
    ("at", "first", "last"),
    [(0, "▏line 0", "line 5"), (6, "line 0▏", "line 5"), (41, "line 0", "line 5▏"), (42, "line 1", "▏line 6")],
)
def test_the_line_with_the_cursor_is_always_in_sight(at, first, last):
    words = "\n".join(f"line {number}" for number in range(9))
    lines = texts(prompt.typing(TypingFacts(Field(words, at)), 60))
    assert (lines[0], lines[-1]) == (f" › {first}", f"   {last}")


@tabled(
    ("facts", "line"),
    [
        (prompt.message_to("docs", Field()), " › to docs  ▏"),
        (prompt.filtering(Filtered("api", 3, 12), Field.of("api")), " / api▏   3 of 12   esc all"),
        (TypingFacts(Field.of("restart"), sign=":"), " : restart▏"),
        (prompt.new_mission(Field.of("$ make"), "claude", FOLDER, 60), " › command in ~/shop  $ make▏"),
        (prompt.new_mission(Field.of("$ make"), "", FOLDER, 60), " › command in ~/shop  $ make▏"),
        (prompt.new_mission(Field.of("make"), "", FOLDER, 60), " › no agent in ~/shop  make▏"),
        (prompt.new_mission(Field(), "claude", FOLDER, 60), " › claude in ~/shop  ▏"),
        (prompt.new_mission(Field(), "claude", "", 60), " › claude  ▏"),
        (TypingFacts(Field("a\x1b[31mb", 1)), " › a▏\\x1b[31mb"),
    ],
)
def test_what_is_typed_stands_behind_what_it_is_for(facts, line):
    assert texts(prompt.typing(facts, 60)) == [line]


def test_a_refusal_stands_in_the_line_and_the_text_stays():
    assert texts(typed("make it", refusal="no folder")) == [f" › make it▏{' ' * 39}no folder"]
    long = "the folder ~/shop does not exist any more"
    assert texts(typed("make it so that all is well", refusal=long)) == [f" {long}", " › make it so that all is well▏"]


def test_a_refusal_that_is_long_and_a_note_stand_above_the_text_to_their_ends():
    long = "the folder ~/shop does not exist any more: " + "create it, or choose another one " * 3
    lines = texts(typed("make it", cells=40, refusal=long, note="tasks take no messages, left out: web"))
    above, note, last = " ".join(lines[:-2]), lines[-2], lines[-1]
    assert " ".join(above.split()) == long.strip()
    assert (note, last) == (" tasks take no messages, left out: web", " › make it▏")


@tabled(
    ("text", "task"),
    [("fix it ", (False, "fix it")), ("$ make", (True, "make")), ("make", (False, "make")),
     ("$make", (True, "make")), ("$sleep 3; echo done", (True, "sleep 3; echo done")), (" $make", (True, "make")),
     ("\n $ make", (True, "make")), ("$", (True, "")), ("$ $EDITOR x", (True, "$EDITOR x")),
     ("mind the $ in it", (False, "mind the $ in it")), ("", (False, "")), ("$ ", (True, ""))],
)  # fmt: skip
def test_a_text_is_a_task_or_behind_a_dollar_a_command(text, task):
    found = prompt.task(text)
    assert found == task
    assert prompt.task(prompt.as_typed(found)) == task
    assert prompt.can_be_typed(found)


def test_a_task_with_the_sign_of_a_command_can_not_be_typed_in_the_line():
    assert not prompt.can_be_typed(prompt.Task(is_command=False, text="$5 are charged twice"))


@tabled(
    ("text", "agent", "reason"),
    [("fix it", "claude", ""), ("", "claude", ""), ("$ make", "claude", ""), ("$ make", "", ""),
     ("$ ", "claude", "type a command"), ("$ ", "", "type a command"), ("$make", "", ""),
     ("count the lines", "", prompt.UNSIGNED), ("", "", prompt.NO_AGENT), (" ", "", prompt.NO_AGENT)],
)  # fmt: skip
def test_a_task_without_an_agent_is_refused_and_never_a_command(text, agent, reason):
    assert prompt.unfit(prompt.task(text), agent) == reason


@tabled(("names", "words"), [(["docs"], "to docs"), (["docs", "api", "web"], "to 3 missions")])
def test_a_message_says_to_whom_it_goes(names, words):
    assert prompt.recipients(names) == words


@tabled(
    ("last", "installed", "agent"),
    [("codex", {"claude": True, "codex": True}, "codex"), ("codex", {"claude": True, "codex": False}, "claude"),
     ("", {"claude": False, "codex": True}, "codex"), ("", {"claude": False}, ""), ("gone", {}, "")],
)  # fmt: skip
def test_the_agent_is_the_last_one_or_the_first_that_is_installed(last, installed, agent):
    assert prompt.agent_for(last, installed) == agent


@given(st.text(max_size=300), st.integers(0, 300), st.integers(10, 200), st.text(max_size=40), st.text(max_size=60))
def test_each_line_of_a_text_has_the_width_of_the_screen(words, at, cells, lead, refusal):
    field = Field(words, min(at, len(words)))
    lines = prompt.typing(TypingFacts(field, lead, refusal=refusal), cells)
    assert 1 <= len(prompt.typing(TypingFacts(field, lead), cells)) <= 6
    assert {size_of(line) for line in lines} == {cells}
    assert sum(cell.text == "▏" and cell.tone == "accent" for line in lines for cell in line) == 1


@given(
    st.builds(RestFacts, st.text(max_size=60), st.sampled_from(Where), st.none() | st.builds(
        Filtered, st.text(max_size=30), st.integers(0, 9999), st.integers(0, 9999)), st.none() | st.builds(
        Said, st.text(max_size=120), st.sampled_from([NOW, NOW - 60])), st.sampled_from(["", "+"]),
        st.sampled_from([(), JOBS]), st.text(max_size=90), st.text(max_size=40), st.booleans(), st.just(ZONE)),
    st.integers(20, 220),
)  # fmt: skip
def test_each_line_at_rest_has_the_width_of_the_screen(facts, cells):
    lines = prompt.resting(facts, cells, NOW)
    assert 1 <= len(lines) <= 2
    assert {size_of(line) for line in lines} == {cells}


def test_while_something_stands_before_the_view_no_key_of_it_is_offered():
    step = FACTS._replace(is_covered=True, step="1 of 3: y answers who asks", absence="since 12:40: 2 finished")
    assert not text(prompt.resting(step, 120, NOW)).strip()
    assert text(prompt.resting(step._replace(said=OLD), 120, NOW)).strip() == "14:32 unit failed (1)", "that is no key"
    filtered = step._replace(filtered=Filtered("api", 3, 12))
    assert text(prompt.resting(filtered, 120, NOW)).strip() == "/ api   3 of 12", "a filter stays in sight"


def test_where_there_is_no_line_a_sentence_stands_instead_of_the_hints_while_it_is_bright():
    facts = FACTS._replace(said=FRESH, step="1 of 3: y answers who asks")
    shown = prompt.instead_of_hints(facts, 50, NOW)
    assert text([shown]).strip() == "14:34 allowed"
    assert size_of(shown) == 50
    assert text([prompt.instead_of_hints(facts, 12, NOW)]).rstrip() == " 14:34 all…"
    assert not prompt.instead_of_hints(facts, 50, NOW + 60)
    assert not prompt.instead_of_hints(facts._replace(said=None), 50, NOW)
    odd = prompt.instead_of_hints(facts._replace(said=None, meaningless="+"), 50, NOW)
    assert text([odd]).strip() == "+ means nothing here   ? keys"
