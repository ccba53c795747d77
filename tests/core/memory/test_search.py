"""Searches of the index and of the tables: what they find, and that they look through no whole scope for it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, cast

import pytest

from overmind_core.domain.memory.notes import Author, Content, NoteKind, Origin, Scope, ScopeKind
from overmind_core.domain.memory.permissions import Writer
from overmind_core.memory.lookup import Reach
from overmind_core.memory.opened import Writing
from overmind_core.memory.search import LOOKED_AT, WordSearch
from overmind_core.memory.store import Draft
from overmind_core.memory.tables import Chosen, NoteTable

if TYPE_CHECKING:
    from overmind_core.kernel.database import Database

LIMIT = 3
EVERYWHERE = Scope(ScopeKind.GLOBAL)
HERE = Scope(ScopeKind.REPO, "example.org/shop")


@pytest.fixture
def writing(tmp_path):
    opened = Writing(str(tmp_path / "memory.db"), files=str(tmp_path / "files"), readers=nullcontext)
    yield opened
    opened.close()


def test_the_best_of_those_in_question_are_found_however_many_others_are_better(writing):
    def remember(text, scope, kind=NoteKind.FACT):
        content = Content(text, scope=scope, kind=kind)
        reach = Reach((EVERYWHERE, HERE))
        return writing.store.remember(Draft(content, Writer(Author(person="ada")), Origin.COMMAND, reach)).note

    def found(limit=LIMIT, **chosen):
        rows = WordSearch(writing.database).find("redis", Chosen(**chosen), limit=limit).rows
        return [writing.store.notes.at(row).note.id for row in rows]

    # The longer a text, the less it is about one of its words.
    better = [remember(f"redis {'or ' * number}", EVERYWHERE) for number in range(LIMIT * LOOKED_AT + 1)]
    worse = [remember(f"redis {'and ' * number}", EVERYWHERE, NoteKind.GOTCHA) for number in (20, 22)]
    here = [remember(f"redis {'and ' * number}", HERE) for number in (21, 23)]
    everywhere, repo = (writing.store.scopes.row_of(scope) for scope in (EVERYWHERE, HERE))
    assert found(scopes=(everywhere, repo)) == better[:LIMIT]
    assert found(scopes=(everywhere,), kind=NoteKind.GOTCHA) == worse
    assert found(scopes=(repo,)) == here
    assert found(limit=100) == [*better, worse[0], here[0], worse[1], here[1]]


class Plans:
    """A database that says how it would look for what it is asked, in place of that."""

    def __init__(self, database):
        self._database = database
        self.said = ""

    def read(self, sql, values=()):
        self.said = "; ".join(row[3] for row in self._database.read(f"EXPLAIN QUERY PLAN {sql}", values))
        return []


@pytest.mark.parametrize(
    ("look", "index"),
    [
        (lambda notes: notes.by_key("redis", 1), "notes_by_key (scope=? AND key=?)"),
        (lambda notes: notes.alike("00", 1), "notes_alike (scope=? AND fingerprint=?)"),
        (lambda notes: notes.beginning("N-7f3k", (1, 2)), "sqlite_autoindex_notes_1 (id>? AND id<?)"),
        (lambda notes: notes.choose(Chosen(scopes=(1, 2), pinned=True), 50), "notes_pinned (scope=?)"),
        (lambda notes: notes.choose(Chosen(scopes=(1, 2), with_files=True), 50), "notes_with_files (scope=?)"),
        (lambda notes: notes.choose(Chosen(scopes=(1, 2), resting=True), 50), "notes_resting (scope=?)"),
        (lambda notes: notes.choose(Chosen(scopes=(1, 2), conflicts=True), 50), "notes_in_conflict (scope=?)"),
    ],
)
def test_the_few_that_are_looked_for_are_found_without_a_look_at_all_notes_of_their_scope(writing, look, index):
    plans = Plans(writing.database)
    look(NoteTable(cast("Database", plans)))
    assert index in plans.said
