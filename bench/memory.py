"""What notes are worth: whether a question finds the note that answers it, and whether an agent is given what fits.

Of the set in `memory_set`; asked beside `grep -ri` over the same notes as files, and FTS5 as it comes. What is given
unasked is measured with prompts whose note is among those of the scope, and with prompts whose note is not: whatever
those are given is a stranger's. No model takes part.
"""

from __future__ import annotations

import os
import random
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

from bench import memory_set
from bench.figures import Figure, Row, Skipped, milliseconds
from bench.sizes import choose_size
from overmind_core.domain.memory.choice import Candidate, Corpus, choose, stems_of
from overmind_core.domain.memory.notes import Author, Content, Origin, Standing, Version, note_id
from overmind_core.memory.briefing import MOST_ASKED, RANKED
from overmind_core.memory.opened import Reading, Writing
from overmind_core.memory.recall import Finding, recall
from overmind_core.memory.tables import Chosen

if TYPE_CHECKING:
    from bench.memory_set import Asked
    from bench.product import Product

FIRST = 5
"""Answers that count."""
ASKED = choose_size(400, smoke=20)
"""Questions of a kind, at most."""
TOKENS = 1500
SEED = 7
NUMBERS = {note_id(number): number for number in range(10_000)}
"""Of notes, by their ids."""
EVERYTHING = Chosen(scopes=None)


class Scope(NamedTuple):
    """A size of a scope that prompts meet, and what is to come of it."""

    notes: int
    trials: int
    prompts: int
    """Of a trial."""
    fits: float
    """At least this share of the prompts whose note is there is given it."""
    strangers: float
    """At most this share of all others is given anything."""


SCOPES = choose_size(
    (Scope(30, 12, 60, 0.35, 0.1), Scope(300, 3, 300, 0.3, 0.2), Scope(2300, 1, 800, 0.22, 0.3)),
    smoke=(Scope(30, 1, 20, 0.35, 0.1),),
)


def measure(product: Product, folder: str) -> Iterator[Row]:
    del product
    questions = memory_set.build()
    if questions.without:
        yield Skipped("memory: questions of the manual", questions.without)
    sides = _Sides(
        _Store(os.path.join(folder, "memory.db"), questions.notes),
        _Plain(questions.notes),
        _Files(os.path.join(folder, "notes"), questions.notes),
    )
    kinds = (
        ("in other words", questions.paraphrases, 0.6),
        ("by a question of the FAQ", questions.faq, 0.55),
        ("by its name", questions.identifiers, 0.95),
        ("by its name with a slip", questions.typos, 0.8),
    )
    for how, asked, goal in kinds:
        if asked:
            yield _recalled(f"found {how}, of {len(questions.notes):,} notes", asked, goal, sides)
    sides.store.close()
    if questions.paraphrases:
        for scope in SCOPES:
            yield from _given(scope, questions, folder)


class _Store:
    """Notes in a file of their own, as the daemon keeps them."""

    def __init__(self, path: str, notes: Sequence[str]) -> None:
        writing = Writing(path, files=f"{path}-files", readers=nullcontext)
        with writing.database.transaction():
            for place, text in enumerate(notes):
                writing.store.put((version(place, text),))
        writing.close()
        self.reading = Reading(path)
        self.seconds: list[float] = []

    def ask(self, question: str) -> list[int]:
        """The numbers of the notes that are answered."""
        began = time.perf_counter()
        found = recall(self.reading, Finding((question,), EVERYTHING, FIRST, None, lambda _: False))
        self.seconds.append(time.perf_counter() - began)
        return [NUMBERS[one.stored.note.id] for one in found]

    def give(self, prompt: str) -> list[int]:
        """The numbers of the notes that an agent with this prompt is given."""
        search, notes = self.reading.search, self.reading.notes
        found = (notes.at(row) for row in search.find(prompt, EVERYTHING, limit=RANKED, most_words=MOST_ASKED).rows)
        candidates = [Candidate(one.note) for one in found if one is not None]
        corpus = Corpus(search.counted(None), search.frequencies(stems_of(prompt, candidates), None))
        return [NUMBERS[one.note.id] for one in choose(prompt, candidates, corpus, budget=TOKENS).picked]

    def close(self) -> None:
        self.reading.close()


class _Plain:
    """FTS5 as it comes: any of the words, the best first."""

    def __init__(self, notes: Sequence[str]) -> None:
        self._database = sqlite3.connect(":memory:")
        self._database.execute("CREATE VIRTUAL TABLE notes USING fts5 (text)")
        self._database.executemany("INSERT INTO notes (rowid, text) VALUES (?, ?)", enumerate(notes))

    def ask(self, question: str) -> list[int]:
        """The numbers of the notes that are answered."""
        words = " OR ".join(f'"{word}"' for word in question.replace('"', " ").split())
        sql = "SELECT rowid FROM notes WHERE notes MATCH ? ORDER BY rank LIMIT ?"
        return [row for (row,) in self._database.execute(sql, (words, FIRST))]


class _Files:
    """A folder of notes, looked through by `grep -ri` for the question as it is."""

    def __init__(self, folder: str, notes: Sequence[str]) -> None:
        os.makedirs(folder)
        self._folder = folder
        for place, text in enumerate(notes):
            with open(os.path.join(folder, str(place)), "w", encoding="utf-8", errors="replace") as file:
                file.write(text)

    def ask(self, question: str) -> list[int]:
        """The numbers of the first notes that it names."""
        command = ["grep", "-rilF", "-e", question, self._folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return [int(os.path.basename(path)) for path in done.stdout.split("\n")[:FIRST] if path]


class _Sides(NamedTuple):
    """Who is asked."""

    store: _Store
    plain: _Plain
    files: _Files


def _recalled(what: str, asked: Sequence[Asked], goal: float, sides: _Sides) -> Figure:
    some = asked if len(asked) <= ASKED else random.Random(SEED).sample(asked, ASKED)
    sides.store.seconds.clear()
    ours = _share(sides.store.ask, some)
    took = statistics.quantiles(sides.store.seconds, n=20)[-1]
    by_grep = _share(sides.files.ask, some[: ASKED // 4])
    beside = f"plain FTS5 {_shown(_share(sides.plain.ask, some))}, grep -ri {_shown(by_grep)}"
    shown = f"{_shown(ours)} of {len(some)} (p95 {milliseconds(took)})"
    return Figure(f"{what}: among the first {FIRST}", shown, beside, "", f"≥ {_shown(goal)}", ours >= goal)


def _share(ask: Callable[[str], list[int]], asked: Sequence[Asked]) -> float:
    return sum(one.note in ask(one.question) for one in asked) / len(asked)


def _given(scope: Scope, questions: memory_set.Questions, folder: str) -> list[Figure]:
    chance = random.Random(SEED)
    fitting: list[bool] = []
    strange: list[bool] = []
    for trial in range(scope.trials):
        prompts = chance.sample(questions.paraphrases, min(scope.prompts, len(questions.paraphrases)))
        answered = [one.note for one in prompts[: min(scope.notes, len(prompts)) // 2]]
        unasked = set(range(len(questions.notes))).difference(one.note for one in prompts)
        others = chance.sample(sorted(unasked), scope.notes - len(set(answered)))
        held = [*dict.fromkeys(answered), *others]
        store = _Store(os.path.join(folder, f"{scope.notes}-{trial}.db"), [questions.notes[place] for place in held])
        for one in prompts:
            given = [held[number] for number in store.give(one.question)]
            if one.note in held:
                fitting.append(one.note in given)
            else:
                strange.append(bool(given))
        store.close()
    fits, strangers = statistics.fmean(fitting), statistics.fmean(strange)
    what = f"given unasked, of {scope.notes:,} notes"
    return [
        Figure(
            f"{what}: the one that fits", f"{_shown(fits)} of {len(fitting)} prompts", "", "",
            f"≥ {_shown(scope.fits)}", fits >= scope.fits,
        ),
        Figure(
            f"{what}: any, where none fits", f"{_shown(strangers)} of {len(strange)} prompts", "", "",
            f"≤ {_shown(scope.strangers)}", strangers <= scope.strangers,
        ),
    ]  # fmt: skip


def _shown(share: float) -> str:
    return f"{share:.2f}"


def version(place: int, text: str) -> Version:
    """The first version of a note with a number."""
    author = Author(person="ada")
    return Version(f"{place:032x}", note_id(place), 1, (), Standing.LIVE, Content(text), author, Origin.COMMAND, 0.0)
