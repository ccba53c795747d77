"""Meaning is optional: a worker answers, and whatever happens to it, there is an answer that says why it has none."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3

import pytest

from overmind_core.domain.settings import MemorySettings
from overmind_core.kernel.database import Database
from overmind_core.kernel.migrations import released
from overmind_core.memory import meaning, service
from overmind_core.memory.meaning import Meaning
from overmind_core.memory.requests import Forget, Memory, Recall, Remember
from tests.kit.memory import noted_home
from tests.kit.tiny_model import make_model

PATIENCE = 30.0
SCOPE = "repo shop"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_model(str(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture
def path(tmp_path):
    where = str(tmp_path / "memory.db")
    schema = os.path.join(os.path.dirname(meaning.__file__), "schema")
    Database.open(where, migrations=released(schema)).close()
    add(where, "N-1", "the database is down")
    add(where, "N-2", "the bucket is full")
    return where


def add(path, note, text):
    with sqlite3.connect(path) as database:
        database.execute("INSERT OR IGNORE INTO scopes (kind, place) VALUES ('repo', 'shop')")
        columns = "id, state, kind, scope, key, mission, fingerprint, pinned, rests, conflicts, tags, files, created_at"
        database.execute(
            f"INSERT INTO notes ({columns}, edited_at, text, parts, data)"
            " VALUES (?, 'live', 'fact', 1, '', '', '', 0, 0, 0, '', '', 0, 0, ?, '', ?)",
            (note, text, f'{{"version": "version of {note}"}}'),
        )
    database.close()


def asked(path, work):
    async def run():
        found = Meaning(path, os.environ)
        try:
            return await work(found)
        finally:
            found.close()
            await asyncio.sleep(0)

    return asyncio.run(run())


def names(answer):
    return [[note for note, _ in one] for one in answer.found]


def test_each_question_has_the_notes_that_mean_the_same(path, folder):
    async def work(found):
        first = await found.ask(folder, ["postgres", "cache", "never heard"], [SCOPE], PATIENCE)
        add(path, "N-3", "sql everywhere")
        return (
            first,
            await found.ask(folder, ["postgres"], [SCOPE], PATIENCE),
            await found.ask(folder, ["postgres"], ["global "], PATIENCE),
        )

    first, later, elsewhere = asked(path, work)
    assert (names(first), first.why_not) == ([["N-1"], ["N-2"], []], None)
    assert set(names(later)[0]) == {"N-1", "N-3"}
    assert names(elsewhere) == [[]]


def test_a_worker_that_is_killed_in_a_question_is_no_failure_and_the_next_question_has_another(path, folder):
    async def work(found):
        await found.ask(folder, ["postgres"], [SCOPE], PATIENCE)
        first = found.pid
        os.kill(first, signal.SIGSTOP)
        asking = asyncio.ensure_future(found.ask(folder, ["postgres"], [SCOPE], PATIENCE))
        await asyncio.sleep(0)
        os.kill(first, signal.SIGKILL)
        return await asking, await found.ask(folder, ["postgres"], [SCOPE], PATIENCE), first, found.pid

    killed, again, first, second = asked(path, work)
    assert killed == ((), "the process of the model has ended")
    assert names(again) == [["N-1"]]
    assert first != second


def test_a_worker_that_hangs_costs_the_time_that_was_allowed(path, folder):
    async def work(found):
        await found.ask(folder, ["postgres"], [SCOPE], PATIENCE)
        os.kill(found.pid, signal.SIGSTOP)
        late = await found.ask(folder, ["postgres"], [SCOPE], 0.05)
        os.kill(found.pid, signal.SIGCONT)
        return late, await found.ask(folder, ["cache"], [SCOPE], PATIENCE)

    late, then = asked(path, work)
    assert late == ((), "the model took too long")
    assert names(then) == [["N-2"]]


def test_a_folder_that_is_no_model_is_named_and_not_tried_again_at_once(path, tmp_path):
    async def work(found):
        first = await found.ask(str(tmp_path), ["postgres"], [SCOPE], PATIENCE)
        return first, await found.ask(str(tmp_path), ["postgres"], [SCOPE], PATIENCE), found.pid

    first, second, pid = asked(path, work)
    assert first.why_not == second.why_not == f"{tmp_path}: has no tokenizer.json"
    assert pid is None


def test_search_by_meaning_opens_no_socket(path, folder):
    async def work(found):
        await found.ask(folder, ["postgres"], [SCOPE], PATIENCE)
        where = f"/proc/{found.pid}/fd"
        return [os.readlink(f"{where}/{name}") for name in os.listdir(where)]

    assert not [one for one in asked(path, work) if one.startswith("socket:")]


async def recalled(home, question):
    answer = await home.memory.recall(Recall(questions=[question], cwd=home.home.root), None)
    why = {one["note"]["text"]: one["why"] for one in answer["notes"]}
    return why, answer["with_meaning"], answer["why_not"]


def test_recall_answers_by_meaning_too_or_says_why_not(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(service, "MEANING_SECONDS", PATIENCE)

    def vectors():
        return [name for name in os.listdir(tmp_path) if name.startswith("vectors")]

    async def work():
        async with noted_home(tmp_path, settings=MemorySettings(model=folder)) as home:
            cwd = home.home.root
            first = await home.memory.remember(Remember(text="The database listens on 5433", cwd=cwd), None)
            assert await recalled(home, "where is postgres") == (
                {"The database listens on 5433": ["meaning"]}, True, None
            )  # fmt: skip
            await home.memory.remember(Remember(text="postgres runs in a container", cwd=cwd), None)
            why, _, _ = await recalled(home, "where is postgres")
            assert set(why["postgres runs in a container"]) == {"words", "meaning"}
            assert vectors() == ["vectors.db"]
            await home.memory.forget(Forget(notes=[first["id"]], purge=True, cwd=cwd), None)
            assert vectors() == []
            assert list((await recalled(home, "the sql server"))[0]) == ["postgres runs in a container"]
        async with noted_home(tmp_path, settings=MemorySettings(model=str(tmp_path / "none"))) as home:
            why, with_meaning, why_not = await recalled(home, "postgres")
            assert list(why.values()) == [["words"]]
            assert (with_meaning, why_not) == (False, f"{tmp_path}/none: No such file or directory")
        monkeypatch.setenv("HOME", str(tmp_path))
        async with noted_home(tmp_path, settings=MemorySettings(model="~/mine")) as home:
            for change, problem in (
                (lambda: None, "No such file or directory"),
                (lambda: os.mkdir(tmp_path / "mine"), "has no tokenizer.json"),
                (lambda: shutil.copytree(folder, tmp_path / "mine", dirs_exist_ok=True), None),
            ):
                await asyncio.to_thread(change)
                state = await home.memory.memory(Memory(cwd=home.home.root), None)
                assert (state["model"], state["model_error"]) == ("~/mine", problem and f"{tmp_path}/mine: {problem}")
            assert (await recalled(home, "where is postgres"))[1]
            assert (await home.memory.memory(Memory(), None))["model_error"] is None

    asyncio.run(work())
