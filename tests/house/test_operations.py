"""The table of operations, walked: whoever shows or does one has a row there, and says of it what the row says.

Through the socket it is tried elsewhere: who may not, in tests/orchestration/test_callers.py; what is sent again, in
tests/core/client/test_client.py; what changes nothing, in tests/contract/test_operations.py; that a key asks for no
more than its row says, in tests/tui/test_keys.py.
"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import msgspec

from overmind_core.cli.command import MODULES, find
from overmind_core.client.client import release_numbers
from overmind_core.daemon.routes import TABLE
from overmind_core.domain.operation import DANGERS, Danger
from overmind_core.domain.operations import BY_COMMAND, COMMANDS, OPERATIONS, REQUESTS
from overmind_core.errors import CODES
from overmind_core.system.paths import Home
from overmind_core.version import VERSION
from overmind_core.view.actions import LOOKS_ON
from overmind_core.view.keymap import ACTIONS
from overmind_tui.command_line.verbs import VERBS
from scripts.reference.answer_types import answers
from tests.house.test_packages import SLOW_TO_IMPORT, modules_after
from tests.kit.cases import each
from tests.kit.overmind import REPOSITORY

ROWS = (*REQUESTS, *COMMANDS)
ASKED_FIRST = re.compile(r'ask_first\(\s*[\w.]+,\s*"(\w+) (\w+)"')
PAGES = os.path.join(os.path.dirname(__file__), "..", "..", "overmind_web", "static", "pages")
OTHER_WORDS = {
    "claude run": "it says what it is short for",
    "describe": "it is for people",
    "rituals": "it says what it is another word for",
}
"""Command whose line is not that of its operation → why."""
SAME_KEY = {
    "queue_set": "queue_pause",
    "queue_resume": "queue_pause",
    "ritual_resume": "ritual_pause",
    "note_unpin": "note_pin",
}
"""Operation whose key is that of another one: it does one of both, as things stand."""
SAFER = {
    ("verb", "attach"): Danger.CHANGES,
    ("mission", "open"): Danger.CHANGES,
    ("mission", "attach"): Danger.CHANGES,
    ("mission", "question"): Danger.CHANGES,
    ("agent", "attach"): Danger.CHANGES,
    ("needs-you", "attach"): Danger.CHANGES,
    **{(one, action): Danger.CHANGES for one in ("quest", "board", "queue") for action in ("attach-quest", "question")},
    **{
        (one, action): Danger.CHANGES
        for one in ("specs", "spec", "spec document")
        for action in ("answer-spec", "sync-spec")
    },
    **{(one, "question"): Danger.CHANGES for one in ("health", "timeline", "post of the swarm", "board of the swarm")},
    ("health", "attach"): Danger.CHANGES,
    ("mission", "as-toml"): Danger.ENDS_WORK,
    ("verb", "toml"): Danger.ENDS_WORK,
    ("terminal, typing", "detach"): Danger.CHANGES,
}
"""What the full-screen program does in read-only mode, though the operation that it names is no reading: each was
looked at, so that nobody is added in passing."""
DESTROYS = {Danger.NONE: None, Danger.CHANGES: False, Danger.ENDS_WORK: True}


def rank(danger: Danger) -> int:
    return DANGERS.index(danger)


# the rows themselves


def test_a_name_and_a_command_stand_in_one_row():
    assert len(OPERATIONS) == len(ROWS)
    assert len(BY_COMMAND) == sum(len(row.commands) for row in ROWS)


@each(ROWS, lambda row: row.name)
def test_a_row_is_whole(row):
    assert row.summary
    assert "\n" not in row.summary
    assert not row.summary.endswith(".")
    assert row.summary[0].islower()
    assert set(row.already_done) <= set(CODES)
    assert row.repeatable or not row.already_done
    assert release_numbers(row.since) <= release_numbers(VERSION)
    assert row.forbidden is None or row.forbidden[0].islower()


@each(COMMANDS, lambda row: row.name)
def test_what_is_no_request_says_nothing_of_requests(row):
    assert not row.request
    assert row.commands
    assert row.forbidden is None
    assert not row.repeatable
    assert not row.request_key
    assert not row.on_web


@each(ROWS, lambda row: row.name)
def test_a_row_is_short_on_a_button_and_asks_in_whole_sentences(row):
    assert len(row.label.split()) <= 2
    assert row.label == row.label.lower()
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in row.questions)
    assert row.questions or not row.pages or row.danger is not Danger.ENDS_WORK, "what ends work is asked first"


@each(ROWS, lambda row: row.name)
def test_each_operation_has_a_place_on_the_web_or_a_reason_why_not(row):
    places = [bool(row.pages) and not row.made_of, bool(row.scripts_only), bool(row.made_of)]
    assert sum(places) <= 1
    assert any(places) or row.not_on_web
    assert not row.scripts_only or not row.not_on_web
    assert not row.made_of or (OPERATIONS[row.made_of].request and not row.not_on_web)


def test_each_page_that_a_row_names_is_one_of_the_web():
    pages = {name.removesuffix(".js") for name in os.listdir(PAGES)} | {"mission"}  # that one is beside each list
    assert {page for row in ROWS for page in row.pages} <= pages


@each(REQUESTS, lambda row: row.name)
def test_the_arguments_that_a_row_names_are_those_of_its_request(row):
    names = {field.name for field in msgspec.structs.fields(TABLE[row.name].arguments)}
    assert row.request_key is ("request" in names)
    assert not row.on_web or set(row.caller) == names & {"env", "umask"} or row.name == "info"
    told = answers(TABLE[row.name].handle)
    assert row.streams is bool(told.items and told.always)
    assert bool(row.streams_with) is bool(told.items and not told.always)
    assert {*row.looks_with, *row.never_with, *row.always_with} <= names
    assert set(row.acts_with) <= names | {one.attribute for word in row.commands for one in find(word).options}
    assert not row.streams_with or row.streams_with in names
    assert not row.acts_with or row.danger is Danger.NONE
    assert not row.looks_with or row.danger is not Danger.NONE


def test_the_table_costs_nothing_to_load():
    ours = modules_after("import overmind_core.domain.operations") - modules_after("import enum")
    assert not ours & SLOW_TO_IMPORT
    names = {name for name in ours if "." in name}
    assert names == {f"overmind_core.domain{part}" for part in ("", ".operation", ".operations")}


def test_no_command_loads_it_before_it_is_asked_for_help_or_loses_its_daemon():
    assert "overmind_core.domain.operation" not in modules_after(
        "import overmind_core.cli.main, overmind_core.client.client\n"
        "from overmind_core.cli.parser import parse\n"
        "parse(overmind_core.cli.main.find('ps'), ['--wide'])"
    )


# who reads it


def test_each_request_of_the_api_has_a_row_and_the_other_way_round():
    assert list(TABLE) == [row.name for row in REQUESTS]
    assert all(row.request for row in REQUESTS)


def test_each_command_has_a_row_and_the_other_way_round():
    assert set(MODULES) == set(BY_COMMAND)


def test_the_line_of_a_command_is_that_of_its_operation_or_there_is_a_reason():
    own = {name for name in MODULES if find(name).summary != BY_COMMAND[name].summary}
    assert own == set(OTHER_WORDS)


def test_the_first_command_of_a_row_is_the_one_that_says_its_line():
    assert [row.name for row in ROWS if row.commands and row.commands[0] in OTHER_WORDS] == []


def test_each_tool_of_agents_asks_for_an_operation_and_tells_its_danger(tmp_path):
    from overmind_core.cli.agents import mcp_server

    tools = asyncio.run(mcp_server.mcp_server(Home(str(tmp_path))).list_tools())
    assert set(mcp_server.OPERATION_OF) <= {tool.name for tool in tools}
    for tool in tools:
        row = OPERATIONS[mcp_server.OPERATION_OF.get(tool.name, tool.name)]
        assert row.request, tool.name
        assert row.forbidden is None, f"{tool.name}: agents are inside missions"
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint is (row.danger is Danger.NONE), tool.name
        assert tool.annotations.destructive_hint is DESTROYS[row.danger], tool.name
        assert not tool.annotations.idempotent_hint or row.repeatable, tool.name


@each(VERBS.values(), lambda verb: verb.name)
def test_each_verb_names_an_operation_and_is_as_dangerous_or_says_why_not(verb):
    row = BY_COMMAND[verb.command or verb.name]
    assert bool(verb.command) == bool(verb.alone), "only what the command line has not names another command"
    assert verb.words != row.summary, "say it once"
    if verb.unlike is None:
        assert verb.danger is row.danger
    else:
        assert verb.unlike.reason
        assert verb.unlike.danger is not row.danger


@each(ACTIONS, lambda action: f"{action.context.value}: {action.name}")
def test_each_key_has_a_label_and_says_it_only_where_its_operation_does_not(action):
    assert action.label
    assert not action.verb or action.own_label != BY_COMMAND[action.verb].label


def test_a_dialog_asks_with_the_words_of_the_key_that_opens_it():
    sources = [path.read_text(encoding="utf-8") for path in Path(REPOSITORY, "overmind_tui").rglob("*.py")]
    asked = {found for text in sources for found in ASKED_FIRST.findall(text)}
    labels = [action.label.split() for action in ACTIONS if action.danger is not Danger.NONE]
    assert {("delete", "fleet"), ("drain", "pool"), ("cancel", "quest")} < asked
    for verb, noun in asked:
        names_it = [label for label in labels if noun in label]
        assert [verb, noun] in labels or (not names_it and verb in {label[0] for label in labels}), (verb, noun)


@each([row for row in ROWS if row.key], lambda row: row.name)
def test_the_key_of_an_operation_is_one_that_does_it(row):
    partner = OPERATIONS[SAME_KEY[row.name]] if row.name in SAME_KEY else row
    keys = {key for action in ACTIONS if action.verb and BY_COMMAND[action.verb] is partner for key in action.keys}
    assert row.key in keys


@each(ACTIONS, lambda action: f"{action.context.value}: {action.name}")
def test_each_key_names_an_operation_and_is_as_dangerous_or_says_why_not(action):
    usual = BY_COMMAND[action.verb].danger if action.verb else Danger.NONE
    assert action.verb or action.alone
    if action.unlike is None:
        assert action.danger is usual
    else:
        assert action.unlike.reason
        assert action.unlike.danger is not usual


def test_nothing_is_done_read_only_that_its_operation_does_not_allow_but_for_what_was_looked_at():
    safer = {("verb", verb.name): verb.operation.danger for verb in VERBS.values() if less(verb, verb.operation)}
    safer |= {
        (action.context.value, action.name): BY_COMMAND[action.verb].danger
        for action in ACTIONS
        if action.verb and less(action, BY_COMMAND[action.verb])
    }
    assert safer == SAFER
    assert LOOKS_ON.danger is Danger.NONE


def less(shown, row) -> bool:
    """Whether a key or a verb claims to be less dangerous than its operation."""
    return rank(shown.danger) < rank(row.danger)
