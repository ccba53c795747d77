"""How people are addressed: help, errors, notices, README and pages are written as git's and kubectl's are.

Subject, plain verb, the field's noun. `GONE` names phrases that were rewritten, each with the words instead, so that
they do not come back. The rule behind them: no sentence has a clause for its subject, so none begins with what or who.
"""

from __future__ import annotations

import ast
import functools
import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.kit.cases import tabled
from tests.kit.overmind import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

GONE = {
    "again by a schedule": "on a schedule",
    "ends all that it started": "cleans up everything it started",
    "nothing of them comes by itself": "they no longer run on schedule",
    "what was due while they were paused": "runs missed while paused are not made up",
    "what is due meanwhile is over": "runs that fall due are dropped",
    "what waits goes on waiting": "queued runs stay queued",
    "quests of theirs that run go on": "quests already running continue",
    "Nobody waits for you": "Nothing needs your attention.",
    "No mission is like that": "No missions match.",
    "makes no sense": "is not valid, is wrong",
    r"(?<!there )is no (plan|name|rule|label|address|port|URL|JSON|YAML|file|worktree|number|regular)\b": "is not a …",
    "Nobody can answer there": "No one can answer there",
    "Whose project nobody has trusted": "A plan in an untrusted project",
    "tools that it doesn't get": "tools it may not use",
    "PATH, LANG and the like": "PATH, LANG and similar variables",
    r"\(unasked where there is": "(the default where there is …)",
    "need nobody's consent": "may run overmind commands unasked",
    "at its natural end": "when it exits",
    "waiting for a person counts as silence": "count waiting for a person as inactivity",
    "after so much silence": "after this long without output",
    "changes nothing: it always waits": "no effect; it always waits",
    "to explain is all that it does": "explaining is the default",
    "would like to have again": "reserved for ended missions",
    "only those that ended so long ago": "only those that ended at least this long ago",
    "Whoever comes later is told": "Anyone later is told",
    "What can't be made has failed": "If any of it can't be created, the agent fails",
    "Columns leave by their importance": "The least important columns are dropped first",
    "What is not installed stands last": "Programs not installed are listed last",
    "can't be told where to listen": "whose port can't be changed",
    "another is refused as long": "a second one is refused meanwhile",
    "or say why that can't be": "or explain why it can't be merged",
    "What holds already": "Steps already done are skipped",
    "wear none of the": "are not counted as the outer mission's",
    "it was wrong before, and the new time counts": "a larger change is taken as a correction",
    "git asks nobody for a password": "git never prompts",
    "A mistake is told by its field": "Errors name the field",
    "told to nobody": "never shown",
    "is no news any more": "mark missions as seen",
    "one that would search for ever": "one that takes too long",
    "its terminal to look at, or its log": "open its terminal (view only) or log",
    "take all marks off": "clear marks",
    "the other way round": "reverse",
    "or all rows alike": "tree / flat",
    "end the turn that it is in": "interrupt the turn",
    "the focused panel alone, and back": "zoom panel",
    "start it again; stop it first if it runs": "restart",
    "as esc; where nothing is open": "back, or quit",
    "ask for everything again": "refresh",
    "keys of an agent of a plan": "agent keys",
    "in its worktree: beside its base": "compared with main",
    "or has answered you, is listed here by itself": "Agents that ask or have answered you appear here.",
    "no daemon: this program supervises": "no daemon: supervised by this program",
    "there is one colony": "this home has one colony",
    "reads no messages": "takes no messages",
    "It has not run so far": "No runs yet.",
    "Nobody is (here|attached)": "No one …",
    "Let it go on with": "Resume it with",
    "daemon went away": "the connection to the daemon was lost",
    "Make room": "Free space",
    "more terminals": "free terminals",
    "[Mm]end (it|the file|config)": "fix …",
    "is there (already|twice)": "already exists, is listed twice",
    "is not there[.:;,)]": "does not exist",
    "said nothing": "printed nothing",
    r"(turns|tries|retries|restarts) are (used|spent)\b": "3 of 3 turns used",
    "say what to run": "Missing command: give one",
    "[Ll]eave (it|one of them) out": "remove it",
    "of its own accord": "on its own",
    "to lose it: --force": "or discard with --force",
    "it was stopped while it was prepared": "it was stopped during preparation",
    "by somebody else": "by another program",
}
"""Pattern → the words instead. The patterns are of sentences, so those of code, keys and codes are free."""

CLAUSE_FIRST = re.compile(
    r"(?:^|(?<=[.:;!?] )|(?<=\| )|(?<=[*-] ))(?:What|Who|Whose|Whoever|Whatever)\b[^.!?|\n]*[.!?]?",
    re.IGNORECASE | re.MULTILINE,
)
"""A sentence, or a clause that stands alone, whose subject is a clause; with the sign at its end."""
VALUE = "…"
"""Stands for a value in a text of the program."""
MADE = {"docs/commands.md", "docs/api.md", "docs/events.md"}
"""Pages that are written from the texts of the program: those are read where they stand."""


@functools.cache
def program_texts() -> list[tuple[str, str]]:
    """Every text of the program's source that has more than a word, with its place; comments and docstrings are not."""
    found: list[tuple[str, str]] = []
    for package in ("overmind_core", "overmind_tui", "overmind_web"):
        for folder, _, names in os.walk(os.path.join(REPOSITORY, package)):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), REPOSITORY)
                if name.endswith(".py"):
                    found += _texts(path, _read(os.path.join(REPOSITORY, path)))
    return found


def page_texts() -> Iterator[tuple[str, str]]:
    """Every page, and what else is read as one, without its examples and with its lines joined into paragraphs."""
    pages = ["README.md", "overmind_core/client/skill.md"]
    for top in ("docs", "examples"):
        for folder, _, names in os.walk(os.path.join(REPOSITORY, top)):
            pages += [os.path.relpath(os.path.join(folder, name), REPOSITORY) for name in names if name.endswith(".md")]
    for page in sorted(set(pages) - MADE):
        text = re.sub(r"^ *```.*?^ *```", "", _read(os.path.join(REPOSITORY, page)), flags=re.DOTALL | re.MULTILINE)
        yield page, re.sub(r"(?<!\n)\n(?! *(?:\n|\*|-|\||#|\d+\.))", " ", text)


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _texts(path: str, source: str) -> Iterator[tuple[str, str]]:
    tree = ast.parse(source)
    silent: set[int] = set()
    for node in ast.walk(tree):  # what holds another node comes before it
        if id(node) in silent:
            continue
        if isinstance(node, ast.Expr):  # a docstring
            silent.add(id(node.value))
            continue
        if isinstance(node, ast.JoinedStr):
            silent |= {id(part) for part in node.values}
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else VALUE for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if " " in text.strip():
            yield f"{path}:{node.lineno}", text


HEADINGS = {"what happened"}
"""Names of parts of a screen: no sentences."""


def clause_first(text: str) -> list[str]:
    """Return the sentences of a text that begin with a clause as their subject; a question does not."""
    found = [] if text in HEADINGS else CLAUSE_FIRST.finditer(text)
    return [one[0] for one in found if not one[0].endswith("?")]


@tabled(
    ("text", "found"),
    [
        ("What it runs is printed.", ["What it runs is printed."]),
        ("Nothing. What it runs is printed", ["What it runs is printed"]),
        ("| `x` | what it runs |", ["what it runs "]),
        ("* Whoever asks waits.\n", ["Whoever asks waits."]),
        ("the file: what it says", ["what it says"]),
        ("## What can an agent do here?", []),
        ("What do you want to do? Stop it.", []),
        ("show what it runs", []),
        ("the mission, whose name is taken", []),
        ("what happened", []),
    ],
)
def test_a_clause_as_a_subject_is_found_and_a_question_is_none(text, found):
    assert clause_first(text) == found


def test_texts_with_values_are_read_as_one():
    assert list(_texts("a.py", '"""What."""\nf"no {name} here"\nx = "one two"\n')) == [("a.py:3", "one two")]
    assert list(_texts("a.py", 'x = f"{name} what is"')) == [("a.py:1", "… what is")]


@pytest.mark.parametrize("texts", [program_texts, page_texts])
def test_no_phrase_that_was_rewritten_has_come_back(texts):
    gone = re.compile("|".join(f"(?:{pattern})" for pattern in GONE))
    assert not [(place, found[0]) for place, text in texts() for found in gone.finditer(text)]


@pytest.mark.parametrize("texts", [program_texts, page_texts])
def test_no_sentence_has_a_clause_for_its_subject(texts):
    assert not [(place, found) for place, text in texts() for found in clause_first(text)]
