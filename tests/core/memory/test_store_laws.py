"""The store against a model of a few dictionaries; and a store whose process is killed, at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from overmind_core.domain.memory.notes import Author, Content, Origin, Scope, ScopeKind
from overmind_core.domain.memory.permissions import Writer
from overmind_core.domain.memory.spelling import neighbours
from overmind_core.errors import OvermindError
from overmind_core.memory.alterations import Alteration, alter
from overmind_core.memory.lookup import Reach
from overmind_core.memory.opened import Reading, Writing
from overmind_core.memory.store import Draft
from overmind_core.memory.tables import Chosen
from tests.kit.overmind import REPOSITORY
from tests.kit.torture import examples, portion

REPO = Scope(ScopeKind.REPO, "example.org/shop")
REACH = Reach((REPO, Scope(ScopeKind.GLOBAL)), every_id=True)
ADA = Writer(Author(person="ada"))
TEXTS = ["redis one", "redis  one", "postgres two", "getUserName", "Redis three", "zyzzyva"]
KEYS = ["", "", "a", "b"]
STEPS = st.one_of(
    st.tuples(st.just("remember"), st.sampled_from(TEXTS), st.sampled_from(KEYS)),
    st.tuples(st.just("upkeep"), st.just(0), st.just("")),
    st.tuples(
        st.sampled_from(["edit", "forget", "restore", "pin", "unpin", "purge"]),
        st.integers(0, 5),
        st.sampled_from(TEXTS),
    ),
)


@contextmanager
def nobody() -> Iterator[None]:
    """Nobody reads."""
    yield


def opened(folder):
    return Writing(os.path.join(folder, "memory.db"), files=os.path.join(folder, "files"), readers=nobody)


def remember(writing, text, key=""):
    content = Content(text, scope=REPO, key=key)
    return writing.store.remember(Draft(content, ADA, Origin.COMMAND, REACH))


class Model:
    """What the store should know: the text of each note, whether it can be found, and its key."""

    def __init__(self):
        self.notes: dict[str, dict[str, object]] = {}

    def expected(self, text, key):
        """The notes of which a text may become a version, or be known as; none: a new one.

        There may be two: one was forgotten, written again, and then taken back.
        """
        live = {id_: one for id_, one in self.notes.items() if one["state"] == "live"}
        named = {id_ for id_, one in live.items() if key and one["key"] == key}
        return named or {
            id_ for id_, one in live.items() if " ".join(str(one["text"]).split()) == " ".join(text.split())
        }


@settings(max_examples=examples(160), deadline=None)
@given(steps=st.lists(STEPS, max_size=14))
@example(steps=[("remember", "redis one", ""), ("pin", 0, ""), ("forget", 0, ""), ("restore", 0, "")])
def test_the_store_does_what_a_few_dictionaries_do(steps):
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        writing = opened(folder)
        for what, first, second in steps:
            if what == "upkeep":
                assert not writing.store.upkeep()
            elif what == "remember":
                wanted = model.expected(first, second)
                done = remember(writing, first, second)
                assert done.note in wanted or not (wanted or done.note in model.notes)
                before = model.notes.get(done.note)
                if before is None:
                    model.notes[done.note] = {"text": first, "state": "live", "key": second, "pinned": False}
                elif second and before["key"] == second:
                    before["text"] = first
            elif model.notes:
                _change(writing, model, what, sorted(model.notes)[first % len(model.notes)], second)
        found = {one.note.id: one.note for one in writing.store.notes.choose(Chosen(), -1)}
        live = {id_: one for id_, one in model.notes.items() if one["state"] == "live"}
        assert {id_: (note.content.text, note.content.pinned) for id_, note in found.items()} == {
            id_: (one["text"], one["pinned"]) for id_, one in live.items()
        }
        _check_index(writing, live)
        writing.close()


def _change(writing, model, what, id_, text):
    one = model.notes[id_]
    if what == "purge":
        writing.purge.purge([id_], ADA, REACH)
        one.update(text="", state="purged", key="", pinned=False)
        return
    refused = one["state"] == "purged" or (what == "edit" and one["state"] != "live")
    refused = refused or (what in {"pin", "unpin"} and one["state"] != "live")
    wish = Alteration(id_, what, ADA, REACH, Origin.COMMAND, text=text)
    if refused:
        with pytest.raises(OvermindError):
            alter(writing.store, wish)
        return
    alter(writing.store, wish)
    if what == "edit":
        one["text"] = text
    elif what in {"pin", "unpin"}:
        one["pinned"] = what == "pin"
    elif what == "forget":
        one.update(state="forgotten")  # its pin stays: it may be restored
    else:
        one["state"] = "live"


def _check_index(writing, live):
    """The index has the words of what can be found, and no others."""
    words = {word for (word,) in writing.database.read("SELECT word FROM vocabulary")}
    texts = " ".join(str(one["text"]) for one in live.values()).lower()
    for word in ("redis", "postgres", "zyzzyva", "user"):
        assert (word in words) == (word in texts)
    counted = writing.database.read("SELECT sum(notes) FROM scopes")[0][0] or 0
    assert counted == len(live)
    _check_spelling(writing)
    writing.database.read("SELECT count(*) FROM words WHERE words MATCH 'redis'")


def _check_spelling(writing):
    """Each word has its neighbours, or is one of those whose neighbours are still to be written."""
    numbers = dict(writing.database.read("SELECT word, row FROM vocabulary"))
    unspelled = {number for (number,) in writing.database.read("SELECT word FROM unspelled")}
    assert unspelled <= set(numbers.values())
    assert set(writing.database.read("SELECT hash, word FROM spelling")) == {
        (hash_, number) for word, number in numbers.items() if number not in unspelled for hash_ in neighbours(word)
    }


CHILD = """
import sys, json
from tests.core.memory.test_store_laws import opened, remember, ADA, REACH
from overmind_core.memory.alterations import Alteration, alter
from overmind_core.domain.memory.notes import Origin
folder = sys.argv[1]
writing = opened(folder)
number = 0
print("begun", flush=True)
while True:
    number += 1
    note = remember(writing, f"number {number} unique{number}word").note
    print(json.dumps(["written", note, number]), flush=True)
    if number % 2:
        text = f"edited {number} unique{number}word"
        alter(writing.store, Alteration(note, "edit", ADA, REACH, Origin.COMMAND, text=text))
        print(json.dumps(["edited", note, number]), flush=True)
    if number % 5 == 0:
        writing.store.upkeep()
    if number % 3 == 0:
        print(json.dumps(["purging", note, number]), flush=True)
        writing.purge.purge([note], ADA, REACH)
        print(json.dumps(["purged", note, number]), flush=True)
"""


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(portion(24)))
def test_each_note_is_as_before_or_as_after_whenever_its_writer_is_killed(tmp_path, seed):
    chance = random.Random(seed)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    lines = []
    stop = chance.randrange(2, 60)
    for line in child.stdout:
        lines.append(line)
        if len(lines) >= stop:
            break
    child.send_signal(signal.SIGKILL)
    lines += child.stdout.readlines()
    child.stdout.close()
    child.wait()
    told = [json.loads(line) for line in lines[1:] if line.endswith("\n")]
    state = {note: what for what, note, _ in told}
    writing = opened(tmp_path)
    assert writing.database.read("PRAGMA integrity_check") == [("ok",)]
    assert writing.purge.begun() == []
    _check_spelling(writing)
    number_of = {note: number for _, note, number in told}
    for note, what in state.items():
        stored = writing.store.notes.get(note)
        assert stored is not None
        now = (stored.note.state.value, stored.note.content.text.partition(" ")[0])
        allowed = {
            "written": {("live", "number"), ("live", "edited")},
            "edited": {("live", "edited")},
            "purging": {("live", "number"), ("live", "edited"), ("purged", "")},
            "purged": {("purged", "")},
        }[what]
        if number_of[note] % 3 == 0:
            allowed = {*allowed, ("purged", "")}
        assert now in allowed
        if now[0] == "purged":
            word = f"unique{number_of[note]}word".encode()
            assert not [name for name in os.listdir(tmp_path) if word in (tmp_path / name).read_bytes()]
    reading = Reading(os.path.join(tmp_path, "memory.db"))
    live = [note for note, what in state.items() if what in {"written", "edited"}]
    for note in live[:5]:
        stored = reading.notes.get(note)
        if stored is not None and stored.note.state.value == "live":
            chosen = Chosen(scopes=reading.scopes.rows_of(REACH.scopes))
            assert reading.search.find(f"unique{number_of[note]}word", chosen).rows[0] == stored.row
    reading.close()
    writing.close()
