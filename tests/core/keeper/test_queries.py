"""Queries of programs to their terminal, as the keeper knows them: who owes the answer, and what is none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.keeper.queries import MOST_OPEN, PATIENCE, PROGRAM_STATUS, TerminalQueries
from overmind_core.keeper.viewers import TYPED_BACKLOG, RunViewers
from overmind_core.terminal.screen import Screen
from overmind_core.terminal.state import Colours
from tests.kit.cases import tabled

QUERIES = {
    "status": b"\x1b[5n",
    "cursor position": b"\x1b[6n",
    "extended cursor position": b"\x1b[?6n",
    "attributes": b"\x1b[c",
    "attributes, by number": b"\x1b[0c",
    "attributes, the old way": b"\x1bZ",
    "secondary attributes": b"\x1b[>c",
    "secondary attributes, by number": b"\x1b[>0c",
    "private mode": b"\x1b[?2026$p",
    "mode": b"\x1b[4$p",
    "size": b"\x1b[18t",
    "size of the screen": b"\x1b[19t",
    "keyboard flags": b"\x1b[?u",
    "foreground": b"\x1b]10;?\x07",
    "background": b"\x1b]11;?\x1b\\",
    "cursor colour": b"\x1b]12;?\x07",
    "setting": b"\x1bP$qm\x1b\\",
    "capability": b"\x1bP+q544e;524742\x1b\\",
}
PROGRAM_STATUSES = (PROGRAM_STATUS, b"\x1b]7501;?\x07")
NONE = [
    b"plain",
    b"\x1b[31mred\x1b[m",
    b"\x1b[0n",
    b"\x1b[1;1R",
    b"\x1b[?62;22c",
    b"\x1b[?0u",
    b"\x1b[>1u",
    b"\x1b[8;24;80t",
    b"\x1b[?2026;2$y",
    b"\x1b]10;rgb:ffff/ffff/ffff\x07",
    b"\x1b]11;#000000\x07",
    b"\x1bP1$r0m\x1b\\",
    b"\x1bP0+r\x1b\\",
    b"\x1b[>q",
    b"\x1b]52;c;?\x07",
    b"\x1b[14t",
    b"\x1b]7501;state=idle:app=pi\x07",
    b"\x1b]7501;?x\x07",
    b"\x1b]750;?\x07",
]


def answer_of(query: bytes) -> bytes:
    screen = Screen(20, 4)
    screen.colours = Colours((1, 2, 3), (4, 5, 6), (7, 8, 9))
    got: list[bytes] = []
    screen.on_reply = got.append
    screen.feed(query)
    return b"".join(got)


def ask(queries, data, *, active=None, shown=(), now=0.0, end=None):
    return queries.read(data, len(data) if end is None else end, active=active, shown=shown, now=now)


@tabled("query", QUERIES.values(), ids=QUERIES)
def test_the_keeper_knows_each_query_that_the_terminal_in_memory_answers(query):
    queries = TerminalQueries()
    found = ask(queries, b"text" + query + b"more")
    assert [(one.start, one.end) for one in found] == queries.for_memory() == [(4, 4 + len(query))]
    assert answer_of(query)


@tabled("data", NONE)
def test_nothing_else_is_one(data):
    assert ask(TerminalQueries(), data) == []
    assert answer_of(data) == b""


@tabled("query", QUERIES.values(), ids=QUERIES)
def test_a_query_cut_anywhere_is_found_where_it_stands(query):
    for cut in range(1, len(query)):
        queries = TerminalQueries()
        data = b"\x1b[1m.." + query
        at = len(data) - len(query) + cut
        assert ask(queries, data[:at]) == []
        assert queries.may_be_in(data[at:])
        ask(queries, data[at:], end=len(data))
        assert queries.for_memory() == [(len(data) - len(query), len(data))]


@tabled("query", QUERIES.values(), ids=QUERIES)
def test_the_terminal_that_owes_an_answer_gives_it_once(query):
    queries, person, other = TerminalQueries(), object(), object()
    ask(queries, query, active=person, shown=[person, other])
    answer = answer_of(query)
    assert queries.for_memory() == []
    assert queries.admit(other, answer, active=False) == (b"", False)
    assert queries.admit(person, answer, active=True) == (answer, False)
    assert queries.admit(other, answer, active=False) == (b"", False)
    assert queries.for_memory() == []


@tabled("query", PROGRAM_STATUSES)
def test_whether_reports_of_status_are_taken_the_keeper_says_itself_however_the_question_is_cut(query):
    for cut in range(len(query)):
        queries, person, other = TerminalQueries(), object(), object()
        before = ask(queries, b"text" + query[:cut], active=person, shown=[person, other])
        (found,) = ask(queries, query[cut:] + b"\x1b[c", active=person, shown=[person, other], end=4 + len(query) + 3)[
            :1
        ]
        assert (before, found.own_answer) == ([], PROGRAM_STATUS)
        assert queries.for_memory() == []
        assert queries.admit(person, PROGRAM_STATUS, active=True) == (b"", False), "else it would be answered twice"
        assert queries.admit(other, PROGRAM_STATUS, active=False) == (b"", False)
        assert queries.admit(person, b"\x1b[?62c", active=True)[0], "what was asked behind it"
        queries.leave(person)
        assert queries.for_memory() == []
    assert answer_of(query) == PROGRAM_STATUS


@pytest.mark.parametrize(("waiting", "typed"), [(0, [PROGRAM_STATUS * 2]), (TYPED_BACKLOG + 1, [])])
def test_who_asks_about_reports_and_reads_nothing_is_told_no_more(waiting, typed):
    told: list[bytes] = []
    stdin = SimpleNamespace(type=told.append, waiting=waiting)
    log = SimpleNamespace(offsets=[0, 0], kept=lambda _stream: b"")
    run: Any = SimpleNamespace(stdin=stdin, log=log, outputs=[], exit=None)
    RunViewers(run, SimpleNamespace(mono=0.0)).read_queries(memoryview(PROGRAM_STATUS * 2))  # type: ignore[arg-type]
    assert told == typed


def test_without_a_person_the_terminal_in_memory_answers_once_and_nobody_else():
    queries, looker = TerminalQueries(), object()
    ask(queries, b"\x1b[6n", shown=[looker])
    assert queries.answer(4)
    assert not queries.answer(4)
    assert not queries.answer(3)
    assert queries.admit(looker, b"\x1b[1;5R", active=True) == (b"", False)


def test_where_no_report_is_expected_a_key_is_a_key():
    queries, person = TerminalQueries(), object()
    assert queries.admit(person, b"\x1b[1;5R", active=True)[0] == b"\x1b[1;5R"
    assert queries.admit(person, b"\x1b[1;5R", active=False)[0] == b""


def test_what_a_terminal_leaves_unanswered_is_answered_from_memory():
    queries, person = TerminalQueries(), object()
    ask(queries, b"\x1b[6n\x1b[c", active=person, shown=[person])
    assert not queries.answer(4)
    assert queries.admit(person, b"\x1b[1;5R", active=True)[0]
    assert queries.leave(person)
    assert queries.for_memory() == [(4, 7)]
    assert queries.answer(7)


def test_a_terminal_that_does_not_answer_what_all_do_is_not_there():
    queries, person = TerminalQueries(), object()
    ask(queries, b"\x1b]11;?\x07\x1b[6n", active=person, shown=[person])
    assert queries.due == PATIENCE
    assert queries.expire(PATIENCE / 2) == set()
    assert queries.expire(PATIENCE) == {person}
    assert queries.for_memory() == [(0, 7), (7, 11)]
    assert queries.due is None
    assert queries.admit(person, b"\x1b[1;5R", active=False)[0] == b""  # it comes all the same, too late


def test_a_terminal_that_answers_others_does_not_know_that_one():
    queries, person = TerminalQueries(), object()
    ask(queries, b"\x1b]11;?\x07\x1b[6n", active=person, shown=[person])
    queries.admit(person, b"\x1b[7;5R", active=True)
    assert queries.expire(PATIENCE) == set()
    assert queries.for_memory() == []


def test_who_asks_for_ever_and_reads_nothing_is_owed_some_answers():
    queries = TerminalQueries()
    ask(queries, b"\x1b[c" * 10_000)
    assert len(queries.for_memory()) == MOST_OPEN


@pytest.mark.parametrize("begin", [b"\x1b]1", b"\x1b]10;?", b"\x1bP$q", b"\x1bP+q", b"\x1b[?"])
def test_what_never_ends_is_not_kept(begin):
    queries = TerminalQueries()
    ask(queries, begin + b"0" * 1000)
    assert not queries.may_be_in(b"text")
