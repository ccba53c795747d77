"""Requests to the server of notes, as hostile as they come: what is taken, and the sentence of each refusal."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import replace
from typing import Any

import pytest

from overmind_core.cortex.protocol import (
    MOST_DIMENSIONS,
    MOST_FOUND,
    Refused,
    body_of,
    entry_of,
    numbered,
    parse_limit,
    parse_place,
    parse_push,
    parse_search,
    parted,
)
from overmind_core.domain.memory.entries import to_wire
from overmind_core.domain.memory.notes import (
    LONGEST_QUESTION,
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
)
from overmind_core.domain.memory.sync import MOST_ENTRIES, Place
from tests.kit.cases import tabled

NOTE = note_id(5)
VERSION = Version(
    "1" * 32, NOTE, 2, ("2" * 32,), Standing.LIVE,
    Content("Use cents.", NoteKind.FACT, Scope(ScopeKind.REPO, "example.org/shop"), "", (), (), pinned=False),
    Author("ada", "m1", "name", "claude"), Origin.CORTEX, 1.5,
)  # fmt: skip
VOTE = Vote("3" * 32, NOTE, "1" * 32, "mission:m1", 1, helped=True, why="yes", at=2.0)
SECRET = "AKIA" + "IOSFODNN7EXAMPLQ"


def vector(*numbers):
    return base64.b64encode(struct.pack(f"<{len(numbers)}e", *numbers)).decode()


def push(**body):
    return parse_push(json.dumps(body).encode(), by="ada")


def refused(parse, *args, **how):
    with pytest.raises(Refused) as found:
        parse(*args, **how)
    return found.value


def test_a_push_has_versions_votes_and_vectors():
    found = push(
        versions=[to_wire(VERSION)], votes=[{**to_wire(VOTE), "by": "ada"}],
        vectors={"model": "tiny", "values": {"1" * 32: vector(1.0, 0.5)}},
    )  # fmt: skip
    assert found.entries == (VERSION, VOTE)
    assert found.vectors is not None
    assert (found.vectors.model, dict(found.vectors.values)) == ("tiny", {"1" * 32: (1.0, 0.5)})
    assert push().entries == ()
    assert push().vectors is None


PUSHES = {
    "no JSON": (b"{", "invalid", "The body is not JSON."),
    "too deep": (b"[" * 200_000, "invalid", "The body is not JSON."),
    "no object": (b"[]", "invalid", "The body is not an object."),
    "another field": (b'{"notes":[]}', "invalid", "The body may hold versions, votes, vectors."),
    "no list": (b'{"versions":{}}', "invalid", "versions: a list."),
    "no list of votes": (b'{"votes":1}', "invalid", "votes: a list."),
    "another author": (b'{"votes":[{"by":"bob"}]}', "forbidden", "The token says who the author is."),
    "vectors of no model": (b'{"vectors":{"values":{}}}', "invalid", "model: like "),
    "a model with a path": (b'{"vectors":{"model":"../x","values":{}}}', "invalid", "model: like "),
    "no vectors": (b'{"vectors":[]}', "invalid", "vectors: an object of model and values."),
    "vectors without values": (b'{"vectors":{"model":"a"}}', "invalid", "vectors: an object of model and values."),
    "a vector of nothing": (b'{"vectors":{"model":"a","values":{"x":""}}}', "invalid", "A vector is base64 of 1 to "),
    "a vector of no text": (b'{"vectors":{"model":"a","values":{"x":[1]}}}', "invalid", "A vector is base64 of 1 to "),
    "half a number": (b'{"vectors":{"model":"a","values":{"x":"AA=="}}}', "invalid", "A vector is base64 of 1 to "),
}


@pytest.mark.parametrize("name", PUSHES)
def test_what_is_no_push_is_refused_with_a_sentence(name):
    body, code, words = PUSHES[name]
    found = refused(parse_push, body, by="ada")
    assert (found.code, found.message[: len(words)]) == (code, words)


def test_of_entries_there_are_so_many_in_one_push_together():
    vote = to_wire(VOTE)
    assert len(push(votes=[vote] * MOST_ENTRIES).entries) == MOST_ENTRIES
    found = refused(push, votes=[vote] * MOST_ENTRIES, versions=[to_wire(VERSION)])
    assert (found.code, found.message) == ("too_large", f"At most {MOST_ENTRIES} versions and votes in one request.")


def test_an_entry_that_is_refused_is_named_where_it_has_an_id_at_all():
    assert refused(push, votes=[{**to_wire(VOTE), "note": 5}]).fields == {"id": "3" * 32}
    for id_ in (5, "x" * 65, "../x"):
        assert refused(push, votes=[{"id": id_}]).fields == {"id": None}
    assert refused(push, votes=["x"]).fields == {"id": None}


@tabled("where", ["text", "key", "tags", "files"])
def test_a_secret_is_not_taken_wherever_it_stands(where):
    value: Any = (SECRET,) if where in {"tags", "files"} else f"the key is {SECRET}"
    content = replace(VERSION.content, **{where: value})
    found = refused(push, versions=[to_wire(replace(VERSION, content=content))])
    assert (found.code, found.fields) == ("invalid", {"id": "1" * 32})
    assert SECRET not in found.message


def test_a_secret_in_the_reason_of_a_vote_is_not_taken():
    found = refused(push, votes=[to_wire(replace(VOTE, why=SECRET))])
    assert found.message == "A text holds a secret. Write it without, and send that."


def test_vectors_are_of_one_size_and_not_too_large():
    both = {"a": vector(1.0), "b": vector(1.0, 2.0)}
    words = f"vectors: at most {MOST_ENTRIES}, of one size."
    assert refused(push, vectors={"model": "m", "values": both}).message == words
    many = {str(at): vector(1.0) for at in range(MOST_ENTRIES + 1)}
    assert refused(push, vectors={"model": "m", "values": many}).message == words
    del many["0"]
    assert push(vectors={"model": "m", "values": many}).vectors is not None
    longest = [1.0] * MOST_DIMENSIONS
    assert push(vectors={"model": "m", "values": {"a": vector(*longest)}}).vectors is not None
    for numbers in ([*longest, 1.0], [float("nan")], [float("inf")]):
        assert refused(push, vectors={"model": "m", "values": {"a": vector(*numbers)}}).code == "invalid"


def search(**body):
    return parse_search(json.dumps(body).encode())


def test_a_search_has_what_narrows_it():
    found = search(question="cents", limit=7, kind="fact", scope="repo", repository="example.org/shop", tag="money")
    assert (found.question, found.limit, found.kind, found.scope) == ("cents", 7, NoteKind.FACT, ScopeKind.REPO)
    assert (found.repository, found.tag, found.model, found.vector) == ("example.org/shop", "money", None, ())
    nothing = search()
    assert (nothing.question, nothing.limit, nothing.kind, nothing.scope) == ("", 5, None, None)
    assert (nothing.repository, nothing.tag) == (None, None)
    by_meaning = search(model="tiny", vector=vector(0.5))
    assert (by_meaning.model, by_meaning.vector) == ("tiny", (0.5,))
    assert search(model="tiny").model is None


SEARCHES = {
    "another field": ({"words": "x"}, "The body may hold question, limit, "),
    "no text": ({"question": 5}, f"question: text of at most {LONGEST_QUESTION} bytes."),
    "too long": ({"question": "x" * (LONGEST_QUESTION + 1)}, f"question: text of at most {LONGEST_QUESTION} bytes."),
    "too long in bytes": ({"question": "é" * (LONGEST_QUESTION // 2 + 1)}, "question: text of at most "),
    "nothing wanted": ({"limit": 0}, f"limit: 1 to {MOST_FOUND}."),
    "too many": ({"limit": MOST_FOUND + 1}, f"limit: 1 to {MOST_FOUND}."),
    "no number": ({"limit": True}, f"limit: 1 to {MOST_FOUND}."),
    "no kind": ({"kind": "song"}, "kind: no such word."),
    "no scope": ({"scope": "world"}, "scope: no such word."),
    "a kind that is no text": ({"kind": 5}, "kind: text."),
    "a repository that is no text": ({"repository": []}, "repository: text."),
    "a tag that is no text": ({"tag": {}}, "tag: text."),
    "a vector of no model": ({"vector": vector(0.5)}, "model: like "),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_what_is_no_search_is_refused_with_a_sentence(name):
    body, words = SEARCHES[name]
    found = refused(parse_search, json.dumps(body).encode())
    assert (found.code, found.message[: len(words)]) == ("invalid", words)


def test_the_longest_question_and_the_most_answers_are_fine():
    assert search(question="x" * LONGEST_QUESTION, limit=MOST_FOUND).limit == MOST_FOUND
    assert search(limit=1).limit == 1


@tabled(
    ("after", "chain", "place"),
    [("0", "", Place(0, "")), (str(2**63 - 1), "a" * 64, Place(2**63 - 1, "a" * 64)),
     ("7", "0" * 64, Place(7, "0" * 64)), (str(2**63), "", "after: a number."),
     ("-1", "", "after: a number."), ("", "", "after: a number."),
     ("1\n", "", "after: a number."), ("0" * 20, "", "after: a number."),
     ("1", "a" * 63, "chain: 64 hexadecimal digits."), ("1", "A" * 64, "chain: 64 hexadecimal digits.")],
)  # fmt: skip
def test_a_place_is_a_number_and_its_chain(after, chain, place):
    if isinstance(place, str):
        assert refused(parse_place, after, chain).message == place
    else:
        assert parse_place(after, chain) == place


@tabled(
    ("limit", "number"),
    [("1", 1), (str(MOST_ENTRIES), MOST_ENTRIES), ("0", None), (str(MOST_ENTRIES + 1), None), ("", None), ("1.5", 0)],
)
def test_a_limit_is_a_number_of_entries(limit, number):
    if not number:
        assert refused(parse_limit, limit).message == f"limit: 1 to {MOST_ENTRIES}."
    else:
        assert parse_limit(limit) == number


@tabled(("entry", "is_vote"), [(VERSION, False), (VOTE, True)])
def test_an_entry_comes_back_as_it_was_kept_with_its_number_and_who_brought_it(entry, is_vote):
    body = body_of(entry)
    assert entry_of(body, is_vote=is_vote) == entry
    assert json.loads(numbered(body, 7, 'ada "x"')) == {"seq": 7, "by": 'ada "x"'} | json.loads(body)


def test_versions_and_votes_are_sent_apart():
    assert parted([VERSION, VOTE]) == {"versions": [to_wire(VERSION)], "votes": [to_wire(VOTE)]}
