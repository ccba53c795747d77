"""What a terminal may send, in any pieces, and what keys come of it: traps that end a program or run as commands."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_tui.shell.keys import LATE_SECONDS, Token, Tokenizer, TokenKind
from tests.kit.cases import tabled

ESCAPE = 0.025
UP = Token(TokenKind.SEQUENCE, "\x1b[A")


def characters(text):
    return [Token(TokenKind.CHARACTER, one) for one in text]


def key(name):
    return [Token(TokenKind.KEY, name)]


def tokens(*pieces, pause=0.0, settle=True):
    """Feed pieces with a pause before each, and what the time does in between."""
    tokenizer, now = Tokenizer(ESCAPE), 0.0
    found: list[Token] = []
    for piece in pieces:
        now += pause
        found += tokenizer.tick(now)
        found += tokenizer.feed(piece, now)
    if settle:
        found += tokenizer.tick(now + ESCAPE)
        found += tokenizer.tick(now + ESCAPE + LATE_SECONDS)
    return found


KNOWN = [
    ("j", characters("j")),
    ("é漢", characters("é漢")),
    ("\x1b", key("escape")),
    ("\x1b\x1b", key("escape") * 2),
    ("\x1b[A", [UP]),
    ("\x1bOP", [Token(TokenKind.SEQUENCE, "\x1bOP")]),
    ("\x1bf", key("alt+f")),
    ("\x1b\r", key("alt+enter")),
    ("\x1b\x7f", key("alt+backspace")),
    ("\x1b[13;2u", key("shift+enter")),
    ("\x1b[27;2;13~", key("shift+enter")),
    ("\x1b[97;5u", key("ctrl+a")),
    ("\x1b[97u", characters("a")),
    ("\x1b[97;1:3u", []),
    ("\x1b[97;1:1u", characters("a")),
    ("\x1b[<35;10;5M", [Token(TokenKind.SEQUENCE, "\x1b[<35;10;5M")]),
    ("\x1b[M !!", [Token(TokenKind.SEQUENCE, "\x1b[M !!")]),
    ("\x1b]11;rgb:1111/2222/3333\x07x", characters("x")),
    ("\x1b]52;c;eA==\x1b\\x", characters("x")),
    ("\x1bP>|term 1.0\x1b\\x", characters("x")),
    ("\x1b[200~a\x1b[Ax\nb\x1b[201~", [Token(TokenKind.PASTE, "a\x1b[Ax\nb")]),
    ("\x1b[200~\x1b[201~", [Token(TokenKind.PASTE, "")]),
    ("\x1b[201~x", characters("x")),
]


@tabled(("text", "wanted"), KNOWN)
def test_each_sequence_is_one_thing(text, wanted):
    assert tokens(text) == wanted


@tabled(("text", "wanted"), [row for row in KNOWN if len(row[0]) > 1])
def test_a_sequence_may_come_in_pieces_without_a_pause(text, wanted):
    assert tokens(*text) == wanted


LATE = [
    (("\x1b", "[A"), key("escape")),
    (("\x1b", "OP"), key("escape")),
    (("\x1b", "[<35;10;5M"), key("escape")),
    (("\x1b[<35;1", "0;5M"), [Token(TokenKind.SEQUENCE, "\x1b[<35;10;5M")]),
    (("\x1b", "x"), [*key("escape"), *characters("x")]),
    (("\x1b", "["), [*key("escape"), *characters("[")]),
]


@tabled(("pieces", "wanted"), LATE)
def test_the_late_rest_of_a_sequence_is_never_typed(pieces, wanted):
    assert tokens(*pieces, pause=0.15) == wanted


READ_LATE = [
    ("q", [*key("escape"), *characters("q")]),
    ("\x0b", [*key("escape"), *characters("\x0b")]),
    ("\x1b", key("escape") * 2),
    ("[A", [UP]),
    ("OP", [Token(TokenKind.SEQUENCE, "\x1bOP")]),
    ("]11;rgb:1111/2222/3333\x07", []),
]


@tabled(("text", "wanted"), READ_LATE)
def test_a_key_is_no_alt_key_when_esc_had_waited_long_enough_but_nobody_looked(text, wanted):
    tokenizer = Tokenizer(ESCAPE)
    found = [*tokenizer.feed("\x1b", 0.0), *tokenizer.feed(text, ESCAPE + 0.001)]
    assert [*found, *tokenizer.tick(ESCAPE * 3)] == wanted


def test_half_a_sequence_that_was_given_up_takes_its_rest_along():
    tokenizer = Tokenizer(ESCAPE)
    assert list(tokenizer.feed("\x1b[<35;1", 0.0)) == []
    assert list(tokenizer.tick(LATE_SECONDS)) == []
    assert list(tokenizer.feed("0;5M", LATE_SECONDS + 0.1)) == []
    assert list(tokenizer.feed("j", LATE_SECONDS + 0.2)) == characters("j")


def test_a_paste_is_never_keys_however_it_is_cut():
    text = "\x1b[200~x\x1b[201\x1b[Aq\x03\x1b[201~j"
    for at in range(len(text)):
        found = tokens(text[:at], text[at:])
        assert found == [Token(TokenKind.PASTE, "x\x1b[201\x1b[Aq\x03"), *characters("j")]


@given(st.lists(st.text(alphabet="\x1b[]OPM<;:?0123456789~uAaxqZ\x07\\\r\x03$ ", max_size=8), max_size=12))
def test_nothing_that_arrives_fails_or_stays(pieces):
    tokenizer, now = Tokenizer(ESCAPE), 0.0
    for piece in pieces:
        now += 0.01
        list(tokenizer.feed(piece, now))
    if "\x1b[200~" not in "".join(pieces):
        list(tokenizer.tick(now + LATE_SECONDS + 0.001))  # the sum of many hundredths is a little more or less
        assert not tokenizer.pending
