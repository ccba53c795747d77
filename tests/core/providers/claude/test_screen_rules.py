"""What is pasted into a `claude` on a terminal: the text itself, in pieces that it takes as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.providers.claude.screen_rules import BLOCK, LONGEST, MAX_PIECES, is_argument, pastes
from tests.kit.cases import tabled

COMMANDS = ["/clear", "/clear now", "  /clear", "\n/clear\nmore", "\u200b/exit", "\u3164/exit", "/", "/a"]
HINTS = ['Try "make test" instead', "Resend your message, please"]
PLAIN = ["hello", "a /clear", "/usr/bin/ls is a path", "//clear", ".", "-n --wait", "#no", "!ls", ""]


def units(text):
    return len(text.encode("utf-16-le")) // 2


@tabled("text", COMMANDS)
def test_a_command_becomes_a_block(text):
    assert list(pastes(text)) == [text + BLOCK]
    assert not is_argument(text)


@pytest.mark.parametrize("text", HINTS)
def test_what_an_empty_prompt_shows_becomes_a_block(text):
    """Else it could not be told whether it has been typed."""
    assert list(pastes(text)) == [text + BLOCK]


@tabled("text", PLAIN)
def test_anything_else_stays_what_it_is(text):
    assert "".join(pastes(text)).strip() == text
    assert is_argument(text)


@pytest.mark.parametrize("text", ["!ls", "\u200b!ls", " !ls"])
def test_a_shell_is_kept_away_by_a_blank(text):
    assert "".join(pastes(text)) == f" {text} "


@given(st.text(st.sampled_from("a \n🐝é\\"), max_size=3000))
def test_pieces_add_up_and_are_small(text):
    pieces = pastes(text)
    assert "".join(pieces) == text + " "
    assert all(units(piece) <= LONGEST + 1 and piece.count("\n") <= 2 for piece in pieces) or len(pieces) == 1


def test_too_many_pieces_are_none():
    most = "x" * LONGEST * MAX_PIECES
    assert len(pastes(most)) == MAX_PIECES
    assert list(pastes(most + "x")) == [most + "x"]
