"""The server of notes, asked without a socket and without a database: who may what, and what each refusal says."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from overmind_core.cortex import database, server
from overmind_core.cortex.protocol import PROTOCOL, STATUS, Refused
from overmind_core.cortex.server import Cortex, RateLimit
from overmind_core.cortex.tokens import Caller, Role
from overmind_core.domain.memory.sync import MOST_BYTES, MOST_ENTRIES, Place

CALLERS = {role.value: Caller(f"{role.value}er", role, "team") for role in Role}


@pytest.fixture
def cortex(monkeypatch):
    """An application whose database does what `script` says; `ask` is one request."""
    script = SimpleNamespace(pushed=[], pulled=[], fails=None, connections=0, body_seconds=30.0, limit=None)

    def connect(_conninfo):
        script.connections += 1
        return SimpleNamespace(broken=False, close=lambda: None)

    def find_caller(_connection, token):
        if script.fails is not None:
            raise script.fails
        return CALLERS.get(token)

    def push(_connection, caller, pushed):
        script.pushed.append((caller.name, pushed))
        return database.Pushed(7, 2, 1)

    def pull(_connection, caller, place, limit):
        script.pulled.append((caller.colony, place, limit))
        return database.Pulled(['{"seq":1}'], ['{"seq":2}', '{"seq":3}'], Place(3, "c" * 64), more=False)

    monkeypatch.setattr(database, "connect", connect)
    monkeypatch.setattr(server, "find_caller", find_caller)
    monkeypatch.setattr(database, "push", push)
    monkeypatch.setattr(database, "pull", pull)
    monkeypatch.setattr(database, "cortex_id", lambda _: "cortex-1")
    monkeypatch.setattr(database, "end_of", lambda _connection, colony: Place(9, colony))
    monkeypatch.setattr(server, "search", lambda *_: SimpleNamespace(hits=[], with_meaning=False))
    made: list[Cortex] = []

    def ask(method, path, *parts, token="write", header=None, query="", waits=False):
        if not made:
            made.append(Cortex("", limit=script.limit, body_seconds=script.body_seconds))
        return asyncio.run(_asked(made[0], method, path, parts, header or f"Bearer {token}", query, waits=waits))

    script.ask = ask
    yield script
    for one in made:
        one.close()


async def _asked(cortex, method, path, parts, authorization, query, *, waits):
    coming = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    coming.append({"type": "http.request", "body": b"", "more_body": False})
    sent = []

    async def receive():
        if waits and len(coming) == 1:
            await asyncio.Event().wait()
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "scheme": "http", "root_path": "",
        "headers": [(b"authorization", authorization.encode())] if authorization != "none" else [],
        "server": ("box", 80), "client": ("box", 1),
    }  # fmt: skip
    await cortex.application()(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"]), dict(sent[0]["headers"])


def test_hello_says_who_the_token_is_and_what_the_server_takes(cortex):
    status, hello, headers = cortex.ask("GET", "/v1/hello", token="read")
    assert (status, headers[b"connection"]) == (200, b"close")
    assert hello == {
        "cortex": "cortex-1", "colony": "team", "name": "reader", "role": "read", "protocol": PROTOCOL, "seq": 9,
        "limits": {"entries": MOST_ENTRIES, "bytes": MOST_BYTES, "found": 50, "requests": 600},
    }  # fmt: skip


TOKENS = {
    "none": ("none", "A token is missing."),
    "another scheme": ("Basic write", "A token is missing."),
    "an empty one": ("Bearer ", "A token is missing."),
    "a long one": ("Bearer " + "x" * 201, "A token is missing."),
    "an unknown one": ("Bearer x", "The token is unknown, has expired or was revoked."),
    "the longest": ("Bearer " + "x" * 200, "The token is unknown, has expired or was revoked."),
}


@pytest.mark.parametrize("name", TOKENS)
def test_nobody_comes_in_without_a_token_that_counts(cortex, name):
    header, words = TOKENS[name]
    status, answer, _ = cortex.ask("GET", "/v1/pull", header=header)
    assert (status, answer) == (401, {"error": "token_refused", "message": words})
    assert cortex.pulled == []


def test_a_scheme_is_one_in_any_case(cortex):
    assert cortex.ask("GET", "/v1/hello", header="bearer read")[0] == 200


@pytest.mark.parametrize(("token", "status"), [("read", 403), ("write", 200), ("admin", 200)])
def test_who_may_only_read_sends_nothing(cortex, token, status):
    found, answer, _ = cortex.ask("POST", "/v1/push", b"{}", token=token)
    assert found == status
    assert answer == ({"seq": 7, "taken": 2, "known": 1} if status == 200 else
                      {"error": "forbidden", "message": "This token may only read."})  # fmt: skip
    assert bool(cortex.pushed) is (status == 200)


@pytest.mark.parametrize("token", ["read", "write"])
def test_everybody_reads_what_lies_after_their_place(cortex, token):
    _, answer, _ = cortex.ask("GET", "/v1/pull", token=token, query=f"after=3&chain={'a' * 64}&limit=10")
    assert answer == {
        "versions": [{"seq": 1}], "votes": [{"seq": 2}, {"seq": 3}], "next": 3, "chain": "c" * 64, "more": False,
    }  # fmt: skip
    cortex.ask("GET", "/v1/pull", token=token)
    assert cortex.pulled == [("team", Place(3, "a" * 64), 10), ("team", Place(0, ""), 500)]


def test_a_search_says_whether_it_went_by_meaning(cortex):
    assert cortex.ask("POST", "/v1/search", b'{"question":"cents"}', token="read")[1] == {
        "notes": [], "with_meaning": False,
    }  # fmt: skip


def test_a_body_is_taken_up_to_its_limit_and_no_further(cortex):
    fits = b'{"versions":[]' + b" " * (MOST_BYTES - 15) + b"}"
    assert len(fits) == MOST_BYTES
    assert cortex.ask("POST", "/v1/push", fits[:9], fits[9:])[0] == 200
    status, answer, _ = cortex.ask("POST", "/v1/push", fits, b" ", b"more", b"and more")
    assert (status, answer["error"]) == (413, "too_large")
    assert len(cortex.pushed) == 1


def test_a_body_that_does_not_come_is_given_up(cortex):
    cortex.body_seconds = 0.01
    status, answer, _ = cortex.ask("POST", "/v1/push", b"{", waits=True)
    assert (status, answer) == (400, {"error": "invalid", "message": "The body has not come within 0.01 seconds."})


def test_what_is_wrong_inside_is_no_business_of_who_asks(cortex, capsys):
    cortex.fails = ValueError("select secret")
    status, answer, _ = cortex.ask("GET", "/v1/hello")
    assert (status, answer) == (500, {"error": "internal", "message": "Internal error."})
    told = capsys.readouterr().err
    assert told.startswith("Error: ValueError at ")
    assert "secret" not in told


def test_a_database_that_is_away_is_worth_another_try(cortex):
    cortex.fails = psycopg.OperationalError("no route to secret host")
    status, answer, _ = cortex.ask("GET", "/v1/hello")
    assert (status, answer) == (503, {"error": "busy", "message": "The database does not answer. Try again."})


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/nothing", 404), ("PUT", "/v1/push", 405)])
def test_what_there_is_not_is_told_in_the_same_form(cortex, method, path, status):
    found, answer, _ = cortex.ask(method, path)
    assert (found, answer["error"]) == (status, "not_found")


def test_each_token_has_so_many_requests_in_a_minute():
    now = SimpleNamespace(seconds=60.0)
    limit = RateLimit(2, lambda: now.seconds)
    for name in ("a", "b", "a", "b"):
        limit.check(name)
    with pytest.raises(Refused) as refused:
        limit.check("a")
    assert refused.value.code == "busy"
    now.seconds = 119.0
    with pytest.raises(Refused):
        limit.check("b")
    now.seconds = 120.0
    limit.check("a")


def test_the_limit_of_a_token_is_an_answer(cortex):
    cortex.limit = RateLimit(1, lambda: 0.0)
    assert cortex.ask("GET", "/v1/hello")[0] == 200
    assert cortex.ask("GET", "/v1/hello")[0] == 429
    assert cortex.ask("GET", "/v1/hello", token="read")[0] == 200


class Connection:
    """One that fails so often, lost or not."""

    def __init__(self, fails, *, broken):
        self.fails, self.broken = fails, broken

    def close(self):
        pass

    def answer(self):
        if self.fails:
            self.fails -= 1
            raise psycopg.OperationalError
        return "answer"


@pytest.mark.parametrize(("broken", "again"), [(True, "answer"), (False, None)])
def test_a_lost_connection_is_made_again_once_and_an_error_of_a_good_one_is_none_of_that(monkeypatch, broken, again):
    made = [Connection(0, broken=False), Connection(0, broken=False)]
    opened: list[Connection] = []

    def connect(_conninfo):
        opened.append(made.pop(0))
        return opened[-1]

    monkeypatch.setattr(database, "connect", connect)
    cortex: Any = Cortex("")
    try:
        assert cortex._ask_now(Connection.answer) == "answer"
        opened[0].fails, opened[0].broken = 1, broken
        if again is None:
            with pytest.raises(psycopg.OperationalError):
                cortex._ask_now(Connection.answer)
        else:
            assert cortex._ask_now(Connection.answer) == again
        assert len(opened) == (2 if broken else 1)
    finally:
        cortex.close()


def test_every_error_has_a_status_of_its_kind():
    assert STATUS == {
        "invalid": 400, "token_refused": 401, "forbidden": 403, "not_found": 404, "gone": 409, "too_large": 413,
        "busy": 429, "internal": 500,
    }  # fmt: skip
