"""A Cortex: what it takes, what it gives back, and whom it refuses."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from random import Random
from urllib.parse import quote, urlencode

import pytest

from overmind_core.cortex import database, tokens
from overmind_core.cortex.server import RateLimit
from overmind_core.domain.memory.entries import to_wire
from overmind_core.domain.memory.notes import (
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
from overmind_core.domain.memory.sync import next_chain
from overmind_core.domain.memory.versions import purge
from tests.kit import cortex
from tests.kit.waiting import eventually

HOSTILE = ["'; drop table entry; --", "%s %(x)s {0}", "\\", "\x01\x1b[31m", "$1", "\U0001f40d", "NULL", '"', "a" * 60]
RANDOM = Random(11)


def version(text, number=1, *, note=None, replaces=(), author="ada", **content):
    note = note or note_id(RANDOM.getrandbits(50))
    made = Content(text, scope=Scope(ScopeKind.COLONY), **content)
    identity = f"{RANDOM.getrandbits(128):032x}"
    return Version(identity, note, number, replaces, Standing.LIVE, made, Author(author), Origin.CORTEX, 1.5)


def vote(of, **changes):
    identity = f"{RANDOM.getrandbits(128):032x}"
    return Vote(identity, of.note, of.id, "ada@box", 1, helped=True, **changes)


def half(*numbers):
    return base64.b64encode(struct.pack(f"<{len(numbers)}e", *numbers)).decode()


@pytest.fixture
def colony(server, request):
    """A colony of this test alone, and a token that may write there."""
    name = f"c{abs(hash(request.node.name))}"
    return name, server.token(f"{name}-writer", colony=name)


def test_what_was_pushed_is_pulled_in_order_once_with_its_chain_and_author(server, colony):
    name, token = colony
    first, second = version("one"), version("two")
    vote_of_first = vote(first)
    status, hello = server.ask(token, "/v1/hello")
    assert (status, hello["seq"], hello["role"], hello["colony"], hello["name"]) == (
        200, 0, "write", name, f"{name}-writer",
    )  # fmt: skip
    start = server.pull(token)[1]
    assert (start["versions"], start["next"], start["more"]) == ([], 0, False)
    assert server.push(token, [to_wire(first)]) == (200, {"seq": 1, "taken": 1, "known": 0})
    both = [to_wire(one) for one in (first, second)]
    assert server.push(token, both, [to_wire(vote_of_first)]) == (200, {"seq": 3, "taken": 2, "known": 1})
    pulled = server.pull(token)[1]
    chain = start["chain"]
    for entry in sorted([*pulled["versions"], *pulled["votes"]], key=lambda one: one["seq"]):
        chain = next_chain(chain, entry["id"])
    assert (pulled["chain"], pulled["next"], pulled["more"]) == (chain, 3, False)
    assert pulled["versions"][0] == {"seq": 1, "by": f"{name}-writer", **to_wire(first)}
    assert pulled["votes"] == [{"seq": 3, "by": f"{name}-writer", **to_wire(vote_of_first)}]
    page = server.pull(token, limit=1)[1]
    assert (page["next"], page["more"]) == (1, True)
    assert server.pull(token, 1, page["chain"])[1]["next"] == 3
    assert server.pull(token, 1, chain)[0] == server.pull(token, 4, chain)[0] == 409
    assert server.pull(token, 1, chain)[1]["error"] == "gone"


def test_a_purge_empties_what_was_and_what_comes_later(server, colony):
    _, token = colony
    first = version("planted words")
    second = version("planted again", 2, note=first.note, replaces=(first.id,))
    assert server.push(token, [to_wire(first)], [to_wire(vote(first, why="planted why"))])[0] == 200
    purging = purge(first.note, [first], Author("ada"), Origin.CORTEX, 1.0)
    assert server.push(token, [to_wire(purging)])[1]["taken"] == 1
    assert server.push(token, [to_wire(second)])[1]["taken"] == 1
    assert "planted" not in json.dumps(server.pull(token)[1])
    assert server.ask(token, "/v1/search", {"question": "planted"})[1]["notes"] == []
    with database.connect(server.conninfo) as connection:
        rows = connection.execute("select * from entry where note = %s", [first.note]).fetchall()
    assert len(rows) == 4
    assert "plant" not in str(rows)


def test_notes_are_found_by_words_that_they_have_now_and_by_meaning(server, colony):
    _, token = colony
    redis = version("The rate limiter needs getUserName of Redis", kind=NoteKind.GOTCHA, tags=("cache",))
    old = version("The pelican was here")
    new = version("The heron is here", 2, note=old.note, replaces=(old.id,))
    votes = [to_wire(vote(redis))]
    vectors = {"model": "m-1.0", "values": {redis.id: half(1, 0, 0), new.id: half(0, 1, 0)}}
    assert server.push(token, [to_wire(one) for one in (redis, old, new)], votes, vectors=vectors)[0] == 200

    def found(question="", **more):
        status, answer = server.ask(token, "/v1/search", {"question": question, **more})
        assert status == 200
        return [one["note"] for one in answer["notes"]], answer["with_meaning"]

    assert found("why do limiters need it?") == ([redis.note], False)
    assert found("user name") == ([redis.note], False)
    assert found("pelican") == ([], False)
    assert found("heron", kind="gotcha") == ([], False)
    assert found("redis heron", tag="cache", scope="colony") == ([redis.note], False)
    assert found(vector=half(0, 1, 0.1), model="m-1.0", limit=1) == ([new.note], True)
    assert found("redis", vector=half(0, 1), model="m-1.0") == ([redis.note], False)
    answer = server.ask(token, "/v1/search", {"question": "redis"})[1]["notes"][0]
    assert (answer["why"], answer["versions"], answer["votes"]) == (["words"], [to_wire(redis)], votes)
    assert server.push(token, vectors={"model": "m-1.0", "values": {redis.id: half(1)}})[0] == 400


# who is refused


def test_a_token_that_is_unknown_expired_revoked_or_none_is_refused(server, colony):
    _, token = colony
    gone = server.token("gone", lifetime=timedelta(microseconds=1))
    revoked = server.token("revoked")
    assert server.ask(revoked, "/v1/hello")[0] == 200
    server.revoke("revoked")
    for wrong in (None, gone, revoked, token[:-1], token + "A", "x" * 43, "'; drop table token; --", "x" * 5000):
        status, answer = server.ask(wrong, "/v1/hello")
        assert (status, answer["error"]) == (401, "token_refused")
        assert wrong is None or wrong not in json.dumps(answer)
    assert server.ask(token, "/v1/hello", headers={"Authorization": f"Basic {token}"})[0] == 401
    assert server.ask(token, "/v1/hello")[0] == 200


def test_a_token_is_kept_as_a_hash_alone(server, colony):
    _, token = colony
    with database.connect(server.conninfo) as connection:
        rows = connection.execute("select t::text from token t").fetchall()
        assert token not in str(rows)
        assert tokens.digest_of(token).hex() in str(rows)


def test_nobody_reads_or_changes_what_is_of_another_colony(server, colony):
    _, token = colony
    other = server.token("stranger", colony="elsewhere")
    mine = version("a word of mine")
    server.push(token, [to_wire(mine)])
    before = server.pull(token)[1]
    assert server.pull(other)[1]["versions"] == []
    assert server.pull(other, before["next"], before["chain"])[0] == 409
    assert server.ask(other, "/v1/search", {"question": "word mine"})[1]["notes"] == []
    assert server.push(other, [to_wire(mine)])[1] == {"seq": 1, "taken": 1, "known": 0}
    purging = purge(mine.note, [mine], Author("eve"), Origin.CORTEX, 1.0)
    assert server.push(other, [to_wire(purging)])[0] == 200
    assert server.pull(token)[1] == before


def test_who_may_only_read_does_not_write_and_nobody_writes_as_another(server, colony):
    name, token = colony
    reader = server.token(f"{name}-reader", "read", colony=name)
    one = to_wire(version("text"))
    status, answer = server.push(reader, [one])
    assert (status, answer["error"]) == (403, "forbidden")
    status, answer = server.push(token, [one | {"by": f"{name}-reader"}])
    assert (status, answer["error"]) == (403, "forbidden")
    assert server.push(token, [one | {"by": f"{name}-writer"}])[0] == 200
    assert server.pull(reader)[1]["versions"][0]["by"] == f"{name}-writer"


def test_a_version_that_holds_a_secret_is_refused_by_its_id_and_nothing_with_it_is_taken(server, colony):
    _, token = colony
    secret = "ghp_" + "".join(Random(5).choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=36))
    held = version(f"use {secret} here")
    status, answer = server.push(token, [to_wire(version("fine")), to_wire(held)])
    assert (status, answer["error"], answer["id"]) == (400, "invalid", held.id)
    assert secret not in json.dumps(answer)
    assert server.push(token, [], [to_wire(vote(held, why=secret))])[0] == 400
    assert server.pull(token)[1]["next"] == 0


def with_hostile_fields(entry, words):
    """The entry with these words in each of its fields, one after the other; also in those below."""
    for field, value in entry.items():
        yield entry | {field: words}
        yield entry | {field: [words]}
        if isinstance(value, dict):
            yield from (entry | {field: below} for below in with_hostile_fields(value, words))
    yield entry | {words: words}


def test_hostile_words_are_text_in_every_field(server, colony):
    name, token = colony
    stored = []
    writers = [f"{name}-{number}" for number in range(len(HOSTILE))]
    for writer, words in zip(writers, HOSTILE, strict=True):
        own = server.token(writer, colony=name)  # each may ask so often in a minute
        one = version(words, author=words, tags=(words,), files=(words,))
        stored.append(to_wire(one))
        assert server.push(own, [stored[-1]], [to_wire(vote(one, why=words))])[0] == 200
        for field in ("question", "repository", "tag"):
            assert server.ask(own, "/v1/search", {field: words})[0] == 200
        for field in ("kind", "scope", "limit", "model", "vector"):
            assert server.ask(own, "/v1/search", {"question": "a", field: words})[0] in {200, 400}
        for changed in with_hostile_fields(to_wire(version("text")), words):
            assert server.push(own, [changed])[0] in {200, 400, 403}
        for changed in with_hostile_fields(to_wire(vote(one)), words):
            assert server.push(own, [], [changed])[0] in {200, 400, 403}
        for vectors in ({"model": words, "values": {one.id: half(1)}}, {"model": "m", "values": {words: half(1)}}):
            assert server.push(own, vectors=vectors)[0] in {200, 400}
        query = urlencode(dict.fromkeys(("after", "chain", "limit", words), words))
        assert server.ask(own, f"/v1/pull?{query}")[0] == 400
        assert server.ask(quote(words), "/v1/hello")[0] == 401
    for query in ("after=1%27&chain=x", "after=-1", "after=9999999999999999999", "limit=0", "limit=1e9", "chain=%00"):
        assert server.ask(token, f"/v1/pull?{query}")[0] == 400
    for body in (b"", b"[]", b"\xff", b"[" * 100_000, b'{"versions": 1}', b'{"x": 1}', b'{"votes": [[]]}', b"1" * 9999):
        status, answer = server.ask(token, "/v1/push", body)
        assert (status, answer["error"]) == (400, "invalid")
    assert server.ask(token, "/v1/nothing")[0] == 404
    assert server.ask(token, "/v1/push")[0] == 405
    there = server.pull_all(token)
    kept = {one["id"]: {key: one[key] for key in one if key not in {"seq", "by"}} for one in there["versions"]}
    assert [kept[one["id"]] for one in stored] == stored
    assert {one["by"] for one in (*there["versions"], *there["votes"])} <= {*writers}
    with database.connect(server.conninfo) as connection:
        assert connection.execute("select count(*) from colony where name = %s", [name]).fetchone() == (1,)


def test_a_body_that_is_too_large_is_refused_whether_or_not_it_says_so_and_others_are_served(server, colony):
    name, token = colony
    other = server.token(f"{name}-other", colony=name)
    with ThreadPoolExecutor() as threads:
        pushing = threads.submit(server.ask, token, "/v1/push", b" " * 100_000_000)
        served = 0
        while not pushing.done():
            assert server.ask(other, "/v1/hello")[0] == 200
            served += 1
    assert served > 1
    status, answer = pushing.result()
    assert (status, answer["error"]) == (413, "too_large")
    with server.connect() as connection:
        head = (
            f"POST /v1/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        connection.sendall(head.encode() + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 40 + b"0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
    many = [to_wire(version("x")) for _ in range(501)]
    assert server.push(token, many)[1]["error"] == "too_large"


def test_slow_and_many_clients_are_refused_while_others_are_served(database_url):
    limit = RateLimit(30)
    with cortex.running(database_url, connections=cortex.ImpatientConnection, limit=limit, body_seconds=0.5) as server:
        token = server.token("ada")
        head = f"POST /v1/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 99\r\n"
        silent = [server.connect() for _ in range(3)]
        slow = server.connect()
        slow.sendall((head + "\r\n{").encode())
        half_a_header = server.connect()
        half_a_header.sendall(head.encode())
        assert server.ask(token, "/v1/hello")[0] == 200
        assert slow.recv(1000).startswith(b"HTTP/1.1 400 ")
        for one in (*silent, half_a_header):  # each is closed, with a reset or without
            with suppress(ConnectionResetError):
                assert one.recv(100) == b""
        several = [server.connect() for _ in range(8)]

        def is_refused():
            with server.connect() as one_more:
                return one_more.recv(100).startswith(b"HTTP/1.1 429 ")

        eventually(is_refused)
        for one in (*several, *silent, slow, half_a_header):
            one.close()
        eventually(lambda: server.ask(token, "/v1/hello")[0] == 200)
        statuses = [server.ask(token, "/v1/hello") for _ in range(40)]
        assert statuses[-1][0] == 429
        assert statuses[-1][1]["error"] == "busy"
        assert server.ask(server.token("eve"), "/v1/hello")[0] == 200


def test_who_connects_and_speaks_no_tls_is_closed_as_one_who_sends_no_header(database_url, tmp_path):
    certificate = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    cortex.make_certificate(*certificate)
    with cortex.running(database_url, connections=cortex.ImpatientConnection, certificate=certificate) as server:
        silent, half = server.connect(), server.connect()
        half.sendall(b"\x16\x03\x01\x02\x00\x01")
        for one in (silent, half):
            with suppress(ConnectionResetError):
                assert one.recv(100) == b""
            one.close()
        with socket.create_connection(("localhost", server.port), timeout=20) as plain:
            trusted = ssl.create_default_context(cafile=certificate[0])
            with trusted.wrap_socket(plain, server_hostname="localhost") as tls:
                tls.sendall(b"GET /v1/hello HTTP/1.1\r\nHost: x\r\n\r\n")
                assert tls.recv(100).startswith(b"HTTP/1.1 401 ")


def test_a_token_may_be_used_so_often_in_each_minute():
    now = [0.0]
    limit = RateLimit(2, now=lambda: now[0])
    for _ in range(3):
        limit.check("ada")
        limit.check("ada")
        with pytest.raises(Exception, match="More than 2"):
            limit.check("ada")
        limit.check("eve")
        now[0] += 60


def test_nothing_of_a_request_is_printed_when_the_database_fails(server, colony, capfd):
    _, token = colony
    with database.connect(server.conninfo) as connection:
        connection.execute("alter table entry add constraint never check (body not like '%planted%')")
        try:
            status, answer = server.push(token, [to_wire(version("planted words"))])
        finally:
            connection.execute("alter table entry drop constraint never")
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
            " and datname = current_database()"
        )
    assert (status, answer["error"]) == (500, "internal")
    assert server.push(token, [to_wire(version("after all connections were lost"))])[0] == 200
    printed = "".join(capfd.readouterr())
    assert "CheckViolation 23514" in printed
    assert "planted" not in printed + json.dumps(answer)
    assert token not in printed
