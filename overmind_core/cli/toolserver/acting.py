"""Tools that act on missions: `send`, `interrupt`, `stop`, `kill`. Inside a mission, on its own descendants only."""

from __future__ import annotations

import os
from typing import Annotated, Any

from pydantic import Field

from overmind_core.cli.commands.send import DELIVERY, fail_if_failed, progress
from overmind_core.cli.toolserver.answers import Ended, Interrupted, Message, Named, picked
from overmind_core.cli.toolserver.calls import Calls
from overmind_core.cli.toolserver.looking import PATIENCE, Id, Seconds
from overmind_core.client.calls import Client

_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""
Cascade = Annotated[bool, Field(description="everything below it too, leaves first")]


class Acting:
    """The tools, over the daemon that `calls` reaches."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def send(
        self,
        id: Id,  # noqa: A002  (the tool's argument is called so)
        text: str,
        timeout_seconds: Seconds = PATIENCE,
        *,
        wait: Annotated[bool, Field(description="for the answer; when the time runs out the message stays")] = False,
        queue: Annotated[bool, Field(description="also while a person has taken the session over")] = False,
    ) -> Message:
        """Send a session a message. It gets one at a time, when it is idle; others queue, in order."""
        request = {"id": id, "text": text, "queue": queue, "request": os.urandom(_REQUEST_KEY).hex()}
        until, limit = ("answered", timeout_seconds) if wait else ("delivered", DELIVERY)
        return await self._calls.do(lambda client: _sent(client, request, until, limit))

    async def interrupt(self, id: Id) -> Interrupted:  # noqa: A002  (as above)
        """End the turn that a session is in; the session stays."""
        return Interrupted(**picked(Interrupted, await self._calls.ask("interrupt", id=id)))

    async def stop(
        self,
        id: Id,  # noqa: A002  (as above)
        grace_seconds: Annotated[float | None, Field(ge=0, description="until it is killed")] = None,
        *,
        cascade: Cascade = False,
    ) -> Ended:
        """End a mission gracefully, and return when no process of it is left."""
        grace = None if grace_seconds is None else f"{grace_seconds}s"
        answer = await self._calls.ask("stop", id=id, cascade=cascade, grace=grace)
        return _ended([*answer["also"], answer])

    async def kill(self, id: Id, *, cascade: Cascade = False) -> Ended:  # noqa: A002  (as above)
        """End a mission at once, and return when no process of it is left."""
        return _ended((await self._calls.ask("kill", id=id, cascade=cascade))["killed"])


def _sent(client: Client, request: dict[str, Any], until: str, limit: float) -> Message:
    message = client.call("send", request)
    message = {**message, **progress(client, message, until, limit)}
    fail_if_failed(message)
    return Message(**picked(Message, message))


def _ended(missions: list[dict[str, Any]]) -> Ended:
    return Ended(missions=[Named(**picked(Named, mission)) for mission in missions])
