"""What the MCP tools share: calls of the API that hold up no other call, and the shapes of answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from pydantic import BaseModel, Field

from overmind_core.client.client import Client
from overmind_core.system.paths import Home

MOST_AT_ONCE = 256
"""Calls under way; more wait for one of them."""
T = TypeVar("T")


class Calls:
    """Calls of a home's daemon, each in a thread and on a connection of its own: one that waits holds up no other."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="tool")

    async def do(self, work: Callable[[Client], T], *, start: bool = False) -> T:
        """Let `work` talk to the daemon; a call that is cancelled hangs up.

        Args:
            work: Gets a client of its own; runs in a thread.
            start: A daemon is started when there is none.

        Raises:
            OvermindError: as `work` does.
        """
        client = Client(self._home, start=start)

        def one() -> T:
            try:
                return work(client)
            finally:
                client.close()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, one)
        except asyncio.CancelledError:
            client.abandon()
            raise

    async def ask(self, command: str, /, *, start: bool = False, **args: object) -> Any:  # noqa: ANN401  (any JSON)
        """Return the answer to one request.

        Raises:
            OvermindError: the daemon said no, or is not there.
        """
        return await self.do(lambda client: client.call(command, args), start=start)


class Named(BaseModel):
    """A mission."""

    id: str
    name: str


class Row(Named):
    """A mission in a list."""

    type: str = Field(description="task: runs until it ends; session: waits for messages")
    status: str = Field(
        description="preparing starting running paused restarting stopping, or ended: stopped crashed killed"
    )
    reason: str | None = Field(description="why it failed")
    exit_code: int | None
    parent: str | None
    children: list[str]
    labels: dict[str, str]
    provider: str = Field(description="raw for any program, or the agent's, such as claude")
    activity: str | None = Field(description="activity of an agent: working idle waiting limited unknown")
    need: str | None = Field(description="answer needed from a person: permission question plan setup")
    now: str | None = Field(description="current activity, in one line")
    cost_usd: float | None
    cost_source: str | None = Field(default=None, description="reported by its program, or estimated from tokens")
    command: str
    uptime_seconds: float


class Missions(BaseModel):
    """A list."""

    missions: list[Row]


class End(Named):
    """How a mission ended."""

    status: str
    exit_code: int | None
    reason: str | None


class Waited(BaseModel):
    """What has ended, and what has not."""

    ended: list[End]
    waiting: list[str] = Field(description="still running at the timeout: call wait again")


class Message(Named):
    """A message on its way, or its answer."""

    message: int = Field(description="number of the message")
    state: str = Field(description="queued delivered answered failed cancelled")
    ahead: int = Field(description="number of messages ahead of it")
    text: str | None = Field(default=None, description="answer of the session")
    cost_usd: float | None = None
    cost_source: str | None = None


class Interrupted(Named):
    """Whether a turn was under way."""

    interrupted: bool


class Ended(BaseModel):
    """Missions of which no process is left."""

    missions: list[Named]


def picked(shape: type[BaseModel], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return of an answer of the daemon what the shape has room for."""
    return {name: fields[name] for name in shape.model_fields if name in fields}
