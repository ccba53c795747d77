"""Versions and votes as the Cortex exchanges them: what was written is read, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.memory.entries import InvalidEntry, to_wire, version_from_wire, vote_from_wire
from overmind_core.domain.memory.notes import (
    EVERYWHERE,
    Author,
    Content,
    NoteKind,
    Origin,
    Scope,
    ScopeKind,
    Standing,
    Version,
    Vote,
    note_id,
    purge_id,
)
from tests.kit.cases import tabled

NOTE = note_id(5)
VERSION = Version(
    "1" * 32, NOTE, 2, ("2" * 32,), Standing.LIVE,
    Content("text", NoteKind.FIX, Scope(ScopeKind.REPO, "example.org/a b"), "key", ("a",), ("*.py",), pinned=True),
    Author("ada", "m1", "name", "claude"), Origin.CORTEX, 1.5,
)  # fmt: skip
VOTE = Vote("3" * 32, NOTE, "1" * 32, "mission:m1", 1, helped=False, why="no", at=2.0)


@given(
    st.builds(
        replace,
        st.just(VERSION),
        number=st.integers(1, 1_000_000),
        at=st.floats(0, 4e10),
        content=st.builds(
            replace,
            st.just(VERSION.content),
            text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=50),
            scope=st.sampled_from([VERSION.content.scope, Scope(ScopeKind.COLONY)]),
        ),
    )
)
def test_what_was_written_is_read(version):
    assert version_from_wire(json.loads(json.dumps(to_wire(version)))) == version
    assert vote_from_wire(json.loads(json.dumps(to_wire(VOTE)))) == VOTE


CONTENT: dict[str, object] = to_wire(VERSION)["content"]  # type: ignore[assignment] # an object of JSON
BROKEN: list[object] = [
    None,
    1,
    -1,
    True,
    "",
    "x" * 5000,
    "a\0b",
    "\ud800",
    [],
    ["x" * 5000],
    [None],
    {},
    float("inf"),
    10**30,
]
WRONG = [
    (part, name, value)
    for part, fields in ((None, to_wire(VERSION)), ("content", CONTENT), ("author", {"person": ""}))
    for name in (*fields, "unknown")
    for value in BROKEN
]
ALLOWED = {
    (None, "content", None), (None, "number", 1), (None, "at", 1), ("content", "key", ""), ("content", "pinned", True),
    ("author", "person", ""),
}  # fmt: skip


def is_allowed(part, name, value):
    if (name in {"replaces", "tags", "files"} and value == []) or (name, value) == ("text", "x"):
        return True
    return any((part, name) == allowed[:2] and value is allowed[2] for allowed in ALLOWED)


def test_a_field_that_is_wrong_is_refused_with_a_reason():
    for part, name, value in WRONG:
        wire = json.loads(json.dumps(to_wire(VERSION)))
        (wire if part is None else wire[part])[name] = value
        if is_allowed(part, name, value):
            version_from_wire(wire)
        else:
            with pytest.raises(InvalidEntry, match=r"\."):
                version_from_wire(wire)
    for name in (*to_wire(VOTE), "unknown"):
        for value in (None, -1, [], {}, "x" * 5000, "a\0b"):
            with pytest.raises(InvalidEntry):
                vote_from_wire(to_wire(VOTE) | {name: value})


@tabled(
    "changes",
    [
        {"standing": "proposed"},
        {"standing": "replaced"},
        {"standing": "purged"},
        {"standing": "purged", "content": None},
        {"id": purge_id(NOTE)},
        {"id": purge_id(NOTE), "standing": "purged"},
        {"author": {"person": "", "mission": "", "name": "", "agent": "claude"}},
        {"content": to_wire(replace(VERSION, content=replace(VERSION.content, scope=EVERYWHERE)))["content"]},
        {"content": {**CONTENT, "repository": "/home/ada/shop"}},
        {"content": {**CONTENT, "scope": "colony"}},
    ],
    ids=str,
)
def test_what_may_not_leave_a_machine_is_refused(changes):
    with pytest.raises(InvalidEntry):
        version_from_wire(to_wire(VERSION) | changes)
