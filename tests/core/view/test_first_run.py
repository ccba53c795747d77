"""The sentences that stand where the list has no row."""

from __future__ import annotations

import pytest

from overmind_core.view import first_run
from overmind_core.view.first_run import Agent, Folder
from tests.kit.cases import tabled
from tests.kit.screen_edges import AGENTS, CHECKOUT, NOW, ZONE
from tests.kit.screen_pictures import texts

DRAWN = "What runs here goes on when you leave: q quits, overmind brings it back."
SAID = "Missions go on when you leave: q quits, overmind brings them back."
"""The same sentence as `words.md` wants it: its subject is no clause."""


def test_a_low_screen_has_all_of_it_without_blank_lines():
    lines = texts(first_run.first_run(80, 9, AGENTS, CHECKOUT))
    assert all(lines[:8])
    assert lines[0].strip() == "Nothing runs yet."


def test_read_only_starts_nothing():
    shown = "\n".join(texts(first_run.first_run(80, 20, AGENTS, CHECKOUT, read_only=True)))
    assert ":demo" not in shown
    assert "give an agent" not in shown
    assert ":doctor" in shown


@tabled(
    ("agents", "line"),
    [
        ([Agent("codex", installed=False), Agent("claude", installed=True)], "claude ✔   codex not installed"),
        ([Agent("codex", installed=False)], "codex not installed"),
    ],
)
def test_installed_agents_stand_first(agents, line):
    (found,) = [one for one in texts(first_run.first_run(80, 20, agents, CHECKOUT)) if "codex" in one]
    assert found == f"    agents   {line}"


def test_nothing_is_said_of_agents_before_somebody_has_looked():
    assert not [one for one in texts(first_run.first_run(80, 20, None, CHECKOUT)) if "agents  " in one]


@tabled(
    ("folder", "standing"),
    [
        (Folder("~"), ""),
        (Folder("~/shop", "main"), "(git, main)"),
        (Folder("~/shop", "main", 0), "(git, main, clean)"),
        (Folder("~/shop", "main", 12), "(git, main, 12 changed)"),
    ],
)
def test_a_folder_says_how_it_stands_in_git(folder, standing):
    assert folder.standing == standing


@tabled(
    ("running", "ended", "sentence"),
    [
        (9, 2, "Nobody needs you. 9 running, 2 ended since 14:35."),
        (9, 0, "Nobody needs you. 9 running."),
        (0, 2, "Nobody needs you. Nothing runs, 2 ended since 14:35."),
        (0, 0, "Nobody needs you. Nothing runs."),
    ],
)
def test_nobody_needs_you(running, ended, sentence):
    assert first_run.nobody_needs_you(running, ended, NOW, ZONE) == sentence


def test_a_list_that_keeps_nothing_says_the_key_that_shows_all():
    assert first_run.nothing_matches("api", 12) == "nothing matches api: esc shows all 12"
    assert first_run.nobody_among(12) == "nobody needs you: ctrl-z shows all 12"


IN_PLACE = [
    (["No notes yet."], ["No notes yet."]),
    (
        ["No plans yet.", ":init   writes an example", ":apply blueprint.toml   starts it"],
        ["No plans yet.", "", ":init                  writes an example", ":apply blueprint.toml  starts it"],
    ),
    (
        ["No specs yet.", ":spec new 'Shopping carts' --provider claude   creates one", "n   another one"],
        ["No specs yet.", "", ":spec new 'Shopping carts' --provider claude   creates one", "n   another one"],
    ),
    (["The swarm is silent.", "The rows appear once it answers."],
     ["The swarm is silent.", "", "The rows appear once it answers."]),
]  # fmt: skip


@pytest.mark.parametrize(("said", "drawn"), IN_PLACE)
def test_a_list_without_rows_says_a_sentence_and_the_ways_on_below_it(said, drawn):
    found = first_run.in_place(said)
    assert ["".join(cell.text for cell in line) for line in found] == drawn
    assert found[0][0].tone == "title"
    typed = [line[0].text.strip() for line in found[2:] if line[0].tone == "key"]
    assert typed == [text.partition("   ")[0] for text in said[1:] if "   " in text]
