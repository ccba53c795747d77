"""What notes cost: to find, write and purge one among 10,000 and 100,000, and for those who want none.

Each is measured in turns with something beside it: FTS5 as it comes, a home without notes, an agent that is given none.
The notes are sentences of the set in `memory_set`, put together by chance, each with an identifier that no other has.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

from bench import memory_set
from bench.figures import Figure, Rounds, milliseconds, ratio, spread, take_turns
from bench.memory import EVERYTHING, FIRST, version
from bench.processes import duration
from bench.product import Api, Home, Product
from bench.sizes import choose_size
from overmind_core.domain.memory.notes import Author, Content, Origin, Scope, ScopeKind, note_id
from overmind_core.domain.memory.permissions import Writer
from overmind_core.kernel.work_queue import MOST_WAITING, WorkQueue
from overmind_core.memory.lookup import Reach
from overmind_core.memory.opened import Reading, Writing
from overmind_core.memory.recall import Finding, recall
from overmind_core.memory.store import Draft

FEW, MANY = choose_size((10_000, 100_000), smoke=(100, 200))
"""Notes."""
ANSWERED = {FEW: 0.03, MANY: 0.2}
"""Seconds for 95 of a hundred questions."""
MORE = {FEW: 0.015, MANY: 0.3}
"""Seconds that an agent may start later for what it is given; no agent ever waits longer than the latter."""
QUESTIONS = choose_size(120, smoke=5)
WRITTEN = choose_size(300, smoke=5)
AT_ONCE = 5_000
"""Notes that are written in one transaction while a store is made."""
BUILDING = "PRAGMA cache_size = -200000"
"""Kilobytes, so that the time goes into what is measured."""
EVERYWHERE = Scope(ScopeKind.GLOBAL)
ADA = Writer(Author(person="ada"))
REACH = Reach((EVERYWHERE,), every_id=True)
AGENTS = choose_size(20, smoke=2)
"""Those who search at once, and those who write."""
ROUNDS = choose_size(25, smoke=1)
LISTED = choose_size(8, smoke=1)
"""Rounds of `ps` beside those who ask, and how often in each."""
STARTED = choose_size(40, smoke=2)
"""Missions of a round."""
SLEEPERS = choose_size(100, smoke=2)


class Text:
    """Texts by chance, the same each time."""

    def __init__(self, notes: Sequence[str], seed: int) -> None:
        self.chance = random.Random(seed)
        self._sentences = [one.strip() for note in notes for one in note.split(". ") if 20 < len(one) < 300]

    def note(self, number: int) -> str:
        """A text of one to four sentences, with an identifier that only it has."""
        said = ". ".join(self.chance.sample(self._sentences, self.chance.randint(1, 4)))
        return f"{said}: see module_{self.chance.randrange(30_000)}.part{number}"

    def prompt(self) -> str:
        """Two sentences."""
        return ". ".join(self.chance.sample(self._sentences, 2))

    def question(self) -> str:
        """Up to twelve words of a sentence, one of the longer ones with a slip."""
        said = [word for word in self.chance.choice(self._sentences).split() if word.isalpha()][:12] or ["redis"]
        long = next((place for place, word in enumerate(said) if len(word) > 6), None)
        if long is not None:
            word, at = said[long], self.chance.randrange(1, len(said[long]) - 1)
            said[long] = f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}"
        return " ".join(said)


def measure(product: Product, folder: str) -> Iterator[Figure]:
    notes = memory_set.build().notes
    for size in (FEW, MANY):
        path = os.path.join(folder, f"notes-{size}.db")
        text = Text(notes, seed=size)
        plain = build(path, text, size)
        shutil.copy(path, f"{path}-kept")
        yield recalled(path, text, plain, size)
        if size == MANY:
            yield remembered(path, text, plain)
            yield purged(path)
        plain.close()
        with noted(product, folder, f"{path}-kept", text) as (home, api):
            yield started(home, api, text, size)
            if size == MANY:
                with product.home() as without, contextlib.closing(without.connect()) as other:
                    yield commands(home, api, without, other)
                home.sleepers(SLEEPERS)
                yield listed(home, text, writers=0)
                yield listed(home, text, writers=AGENTS)
                yield in_line(home, api, text)


def build(path: str, text: Text, size: int) -> sqlite3.Connection:
    """Make a store of notes, and the same texts in FTS5 as it comes."""
    plain = sqlite3.connect(f"{path}-plain", isolation_level=None)
    plain.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
    plain.execute("CREATE VIRTUAL TABLE notes USING fts5 (text)")
    writing = Writing(path, files=f"{path}-files", readers=nullcontext)
    writing.database.read(BUILDING)
    for first in range(0, size, AT_ONCE):
        texts = {number: text.note(number) for number in range(first, min(first + AT_ONCE, size))}
        with writing.database.transaction():
            for number, one in texts.items():
                writing.store.put((version(number, one),))
        plain.execute("BEGIN")
        plain.executemany("INSERT INTO notes (rowid, text) VALUES (?, ?)", texts.items())
        plain.execute("COMMIT")
        with writing.database.transaction():
            writing.store.index.spell(writing.store.index.unspelled())
    writing.close()
    return plain


def recalled(path: str, text: Text, plain: sqlite3.Connection, size: int) -> Figure:
    """Questions with a misspelled word, answered; beside any of their words in plain FTS5, the best first."""
    reading = Reading(path)
    questions = [text.question() for _ in range(QUESTIONS)]
    asked = iter([*questions[:5], *questions])
    here: list[float] = []
    worked: list[float] = []
    there: list[float] = []
    for question in asked:
        words = " OR ".join(f'"{word}"' for word in question.split())
        finding = Finding((question,), EVERYTHING, FIRST, None, lambda _: False)
        computed = time.thread_time()
        here.append(_timed(partial(recall, reading, finding)))
        worked.append(time.thread_time() - computed)
        there.append(_timed(partial(_asked_plainly, plain, words)))
    reading.close()
    ours, theirs = Rounds("recall", here[5:]), Rounds("plain FTS5", there[5:])
    goal = ANSWERED[size]
    what = f"a question with a misspelled word, {size:,} notes"
    row = _late(what, ours, theirs, f"p95 ≤ {milliseconds(goal)}", met=_p95(ours) <= goal)
    return _with_work(row, worked[5:])


def _asked_plainly(plain: sqlite3.Connection, words: str) -> None:
    plain.execute("SELECT text FROM notes WHERE notes MATCH ? ORDER BY rank LIMIT ?", (words, FIRST)).fetchall()


def remembered(path: str, text: Text, plain: sqlite3.Connection) -> Figure:
    """A note, committed by the thread that writes; beside one row of plain FTS5, committed."""
    drafts = [
        Draft(Content(text.note(10**7 + number), scope=EVERYWHERE), ADA, Origin.COMMAND, REACH, request=f":{number}")
        for number in range(WRITTEN)
    ]

    async def write() -> tuple[list[float], list[float], list[float]]:
        def opened() -> Writing:
            return Writing(path, files=f"{path}-files", readers=nullcontext)

        queue = WorkQueue("writer", opened, upkeep=Writing.upkeep)
        await queue.do(lambda _: None)
        here, worked, there = [], [], []
        for draft in drafts:
            began = time.perf_counter()
            worked.append(await queue.do(partial(_remember, draft)))
            here.append(time.perf_counter() - began)
            there.append(_timed(partial(plain.execute, "INSERT INTO notes (text) VALUES (?)", (draft.content.text,))))
        queue.close()
        return here, worked, there

    here, worked, there = asyncio.run(write())
    ours, theirs = Rounds("remember", here), Rounds("a row of plain FTS5", there)
    met = ours.median <= 0.001 and _p95(ours) <= 0.005
    row = _late(f"`remember`, committed, {MANY:,} notes", ours, theirs, "p50 ≤ 1.0 ms, p95 ≤ 5.0 ms", met=met)
    return _with_work(row, worked)


def _remember(draft: Draft, writing: Writing) -> float:
    """Write it; the seconds of the processor."""
    began = time.thread_time()
    writing.store.remember(draft)
    return time.thread_time() - began


def purged(path: str) -> Figure:
    """Nothing of a note is left."""
    writing = Writing(path, files=f"{path}-files", readers=nullcontext)
    took = _timed(lambda: writing.purge.purge([note_id(7)], ADA, REACH))
    writing.close()
    return Figure(f"`forget --purge`, {MANY:,} notes", f"{took:.2f} s", "", "", "≤ 3 s", took <= 3)


# in a home


@contextlib.contextmanager
def noted(product: Product, folder: str, notes: str, text: Text) -> Iterator[tuple[Home, Api]]:
    """A home with notes, where an agent ends at once."""
    agent = os.path.join(folder, "agent-that-ends")
    with open(agent, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nexit 0\n")
    os.chmod(agent, 0o755)
    with product.home() as home:
        shutil.copy(notes, os.path.join(home.path, "memory.db"))
        home.environment["OVERMIND_CLAUDE_BIN"] = agent
        with contextlib.closing(home.connect()) as api:
            if not api.call("recall", {"questions": [text.prompt()], "cwd": "/"})["notes"]:
                raise RuntimeError("the home has none of the notes")
            yield home, api


def started(home: Home, api: Api, text: Text, size: int) -> Figure:
    """An agent from the request to its end, given what fits of all notes, or nothing."""

    def side(notes: str | None) -> Callable[[], float]:
        def round_() -> float:
            agent = {"provider": "claude", "agent": {"prompt": text.prompt()}, "notes": notes}
            asked = {**home.mission([]), **agent}
            return _timed(lambda: api.until_ended([api.call("run", asked)["id"]]))

        return round_

    taken = take_turns({"with": side(None), "without": side("off")}, rounds=ROUNDS * 2)
    ours, theirs = taken["with"], taken["without"]
    more = statistics.median(one - other for one, other in zip(ours.values, theirs.values, strict=True))
    return Figure(
        f"an agent, started to ended, {size:,} notes", milliseconds(ours.median),
        f"`--no-memory` {milliseconds(theirs.median)}", f"{milliseconds(more)} more",
        f"≤ {milliseconds(MORE[size])} more", more <= MORE[size],
    )  # fmt: skip


def commands(home: Home, api: Api, without: Home, other: Api) -> Figure:
    """`true`, which is given nothing."""

    def side(home: Home, api: Api) -> Callable[[], float]:
        def round_() -> float:
            began = time.perf_counter()
            answers = api.call_each("run", [home.mission(["true"])] * STARTED)
            api.until_ended([one["id"] for one in answers])
            return (time.perf_counter() - began) / STARTED

        return round_

    taken = take_turns({"with": side(home, api), "without": side(without, other)}, rounds=ROUNDS)
    ours, theirs = taken["with"], taken["without"]
    return Figure(
        f"`run true`, {MANY:,} notes", milliseconds(ours.median), f"a home without {milliseconds(theirs.median)}",
        spread(ours, theirs), "≤ 1.02×", ratio(ours, theirs) <= 1.02,
    )  # fmt: skip


def listed(home: Home, text: Text, *, writers: int) -> Figure:
    """`overmind ps`, cold, while agents search; beside the same while one process computes."""
    searching = _Asking(home, [("recall", lambda: {"questions": [text.question()], "cwd": "/"})] * AGENTS)
    writing = _Asking(
        home,
        [("remember", lambda: {"text": text.note(text.chance.randrange(10**8, 10**9)), "cwd": "/", "scope": "global"})]
        * writers,
    )

    def ps() -> float:
        return duration([home.product.program, "ps"], home.environment)

    def while_they_ask() -> float:
        with searching.going_on(), writing.going_on():
            return statistics.median(ps() for _ in range(LISTED))

    def while_one_computes() -> float:
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
            try:
                return statistics.median(ps() for _ in range(LISTED))
            finally:
                busy.kill()

    taken = take_turns({"ask": while_they_ask, "a busy process": while_one_computes}, rounds=LISTED)
    ours, theirs = taken["ask"], taken["a busy process"]
    also = f" and {writers} write" if writers else ""
    shown = f"{milliseconds(ours.median)} ({searching.shown()}{f', {writing.shown()}' if writers else ''})"
    return Figure(
        f"`overmind ps`, {MANY:,} notes, {AGENTS} agents search{also}", shown,
        f"beside one busy process {milliseconds(theirs.median)}", spread(ours, theirs), "≤ 1.2×",
        ratio(ours, theirs) <= 1.2,
    )  # fmt: skip


def in_line(home: Home, api: Api, text: Text) -> Figure:
    """More questions at once than are taken in."""
    questions = [{"questions": [text.question()], "cwd": "/"} for _ in range(MOST_WAITING * 2)]
    answers = api.answers("recall", questions)
    refused = [one["error"] for one in answers if "error" in one]
    ps = duration([home.product.program, "ps"], home.environment)
    met = bool(refused) and set(refused) == {"busy"} and len(answers) - len(refused) >= MOST_WAITING
    return Figure(
        f"{len(questions)} questions at once, {MANY:,} notes", f"{len(answers) - len(refused)} answered, "
        f"{len(refused)} `busy`; `ps` {milliseconds(ps)}", "", "", f"the {MOST_WAITING + 1}th in line is `busy`", met,
    )  # fmt: skip


Asked = tuple[str, Callable[[], dict[str, Any]]]


class _Asking:
    """Agents of whom each asks one thing after the other."""

    def __init__(self, home: Home, asked: Sequence[Asked]) -> None:
        self._home = home
        self._asked = asked
        self._seconds: list[float] = []
        self._refused = 0
        self._goes_on = False

    @contextlib.contextmanager
    def going_on(self) -> Iterator[None]:
        """They ask while the block runs."""
        self._goes_on = True
        threads = [threading.Thread(target=self._ask, args=one) for one in self._asked]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._goes_on = False
            for thread in threads:
                thread.join()

    def _ask(self, command: str, arguments: Callable[[], dict[str, Any]]) -> None:
        with contextlib.closing(self._home.connect()) as api:
            while self._goes_on:
                began = time.perf_counter()
                (answer,) = api.answers(command, [arguments()])
                self._seconds.append(time.perf_counter() - began)
                self._refused += "error" in answer

    def shown(self) -> str:
        """How long each waited for its answer."""
        refused = f", {self._refused} of {len(self._seconds)} refused" if self._refused else ""
        return f"{self._asked[0][0]} p50 {statistics.median(self._seconds):.1f} s{refused}"


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _p95(rounds: Rounds) -> float:
    return statistics.quantiles(rounds.values, n=20)[-1]


def _late(what: str, ours: Rounds, theirs: Rounds, goal: str, *, met: bool) -> Figure:
    """A row of how long most wait."""
    shown, beside = (f"p50 {one.median * 1e3:.2f} ms, p95 {_p95(one) * 1e3:.2f} ms" for one in (ours, theirs))
    return Figure(what, shown, f"{theirs.name} {beside}", f"**{_p95(ours) / _p95(theirs):.2f}×** (p95)", goal, met)


def _with_work(row: Figure, worked: Sequence[float]) -> Figure:
    """A row that also says how much of it the processor was at work: others may have had it the rest of the time."""
    median, late = statistics.median(worked), statistics.quantiles(worked, n=20)[-1]
    return row._replace(ours=f"{row.ours}; processor p50 {median * 1e3:.2f} ms, p95 {late * 1e3:.2f} ms")
