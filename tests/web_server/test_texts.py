"""Logs as text: who goes away before the first line holds up nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Message

from overmind_web.rest.texts import ReadingResponse

SCOPE = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}}


def sent_to(receive: list[Message]) -> tuple[int, list[Message]]:
    """How often a log was released, and what was sent, for a client that says this."""
    released: list[None] = []
    sent: list[Message] = []

    async def content() -> AsyncIterator[bytes]:
        yield b"one\n"
        yield b"two\n"

    async def hear() -> Message:
        if receive:
            return receive.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        await ReadingResponse(content(), lambda: released.append(None))(SCOPE, hear, send)

    asyncio.run(run())
    return len(released), sent


def test_a_log_that_was_sent_is_read_no_longer():
    released, sent = sent_to([])
    assert released == 1
    assert b"".join(message.get("body", b"") for message in sent) == b"one\ntwo\n"


def test_a_client_that_was_gone_before_the_first_line_releases_its_log():
    released, _ = sent_to([{"type": "http.disconnect"}])
    assert released == 1
