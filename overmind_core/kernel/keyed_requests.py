"""Requests with a key: each is done at most once, however often it is sent, and by however many daemons.

That a request has begun is on disk before anything of it is done, and its answer before that is sent. So a repetition

* with the answer known gets that answer, also from a later daemon;
* while the first one is still at work waits for it;
* whose daemon died in between is not done again: it is `outcome_unknown`, for it may have been done, or a part of it.

Errors are answers as well. The newest `KEPT` are known; a repetition comes within seconds.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from overmind_core.errors import OvermindError
from overmind_core.kernel.api_server import HandingOver
from overmind_core.kernel.database import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from overmind_core.kernel.database import Database
    from overmind_core.kernel.journal import Journal

KEPT = 1000
_encode = msgspec.json.Encoder().encode


class KeyedRequest(NamedTuple):
    """What is known of one."""

    digest: bytes
    """Of its command and arguments."""
    answer: bytes | None
    """A JSON object with `ok`, or with `error` and `message`; None: it has begun, and was not answered."""


class KeyedRequestTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: str) -> KeyedRequest | None:
        """Return what is known of a key."""
        row = self._database.read_one("SELECT digest, answer FROM keyed_requests WHERE key = ?", (key,))
        return None if row is None else KeyedRequest(bytes(row[0]), None if row[1] is None else bytes(row[1]))

    def begin(self, key: str, digest: bytes) -> None:
        """Add one that begins; the oldest are forgotten."""
        self._database.write("INSERT INTO keyed_requests (key, digest) VALUES (?, ?)", (key, digest))
        oldest = "DELETE FROM keyed_requests WHERE number <= (SELECT max(number) FROM keyed_requests) - ?"
        self._database.write(oldest, (KEPT,))

    def finish(self, key: str, answer: bytes) -> None:
        """Store its answer."""
        self._database.write("UPDATE keyed_requests SET answer = ? WHERE key = ?", (answer, key))

    def forget(self, key: str) -> None:
        """Nothing of it was done."""
        self._database.write("DELETE FROM keyed_requests WHERE key = ?", (key,))


class KeyedRequests:
    """Does each of them once; used from the loop's thread."""

    def __init__(self, journal: Journal, table: KeyedRequestTable) -> None:
        self._journal = journal
        self._table = table
        self._running: dict[str, tuple[bytes, asyncio.Future[bytes]]] = {}

    async def once(self, key: str, command: str, arguments: bytes, work: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - any JSON
        """Do it, or return what came of it when it was sent before.

        Args:
            key: Of the request.
            command: What is asked for.
            arguments: Its arguments as they came: those of a repetition are the same.
            work: Does it.

        Raises:
            OvermindError: what it was refused with; `outcome_unknown`, see above; `invalid`, the key is another one's.
            HandingOver: nothing was done, and another daemon answers.
        """
        from hashlib import sha256  # noqa: PLC0415 - few daemons get such requests

        digest = sha256(command.encode() + b"\0" + arguments).digest()
        if key in self._running:
            known, answered = self._running[key]
            _check(known, digest, key)
            return _result(await asyncio.shield(answered))
        self._journal.flush()
        row = self._table.find(key)
        if row is not None:
            _check(row.digest, digest, key)
            if row.answer is None:
                raise _unknown(command, key)
            return _result(row.answer)
        answered = asyncio.get_running_loop().create_future()
        self._running[key] = digest, answered
        try:
            return await self._do(key, digest, work, answered)
        finally:
            del self._running[key]
            if not answered.done():
                answered.set_exception(_unknown(command, key))
                answered.exception()  # perhaps nobody waits for it

    async def _do(
        self, key: str, digest: bytes, work: Callable[[], Awaitable[Any]], answered: asyncio.Future[bytes]
    ) -> Any:  # noqa: ANN401 - any JSON
        await self._begun(key, digest)
        try:
            ok = await work()
        except OvermindError as error:
            await self._finished(key, {"error": error.code, "message": error.message, **error.fields}, answered)
            raise
        except HandingOver:
            self._journal.save(lambda: self._table.forget(key))
            self._journal.flush()
            raise
        await self._finished(key, {"ok": ok}, answered)
        return ok

    async def _begun(self, key: str, digest: bytes) -> None:
        change = self._journal.save(lambda: self._table.begin(key, digest))
        try:
            await self._journal.saved()
        except StoreUnavailable:
            raise HandingOver from None  # this daemon is leaving
        except StoreError:
            self._journal.withdraw([change])
            raise

    async def _finished(self, key: str, answer: dict[str, Any], answered: asyncio.Future[bytes]) -> None:
        encoded = _encode(answer)
        self._journal.save(lambda: self._table.finish(key, encoded))
        with suppress(StoreError):  # it was done: whoever waits is told, and it is saved once there is room
            await self._journal.saved()
        answered.set_result(encoded)


def _check(known: bytes, digest: bytes, key: str) -> None:
    if known != digest:
        raise OvermindError("invalid", f"The key {key} is that of another request. Give the same words as before.")


def _unknown(command: str, key: str) -> OvermindError:
    begun = f"{command} with the key {key} had begun when its daemon was lost. It is not done again"
    return OvermindError("outcome_unknown", f"{begun}: it may have been done, or not. Look with: overmind ps --all")


def _result(answer: bytes) -> Any:  # noqa: ANN401 - any JSON
    """What was answered; an error is raised again."""
    fields: dict[str, msgspec.Raw] = msgspec.json.decode(answer, type=dict[str, msgspec.Raw])
    if "error" not in fields:
        return fields["ok"]
    decoded = msgspec.json.decode(answer, type=dict[str, Any])
    raise OvermindError(decoded.pop("error"), decoded.pop("message"), **decoded)
