"""MCP tools that read (`list`, `info`, `logs`, `wait`, `result`, `messages`) and that act on missions.

`send`, `interrupt`, `stop`, `kill`: inside a mission, on its own descendants only.
"""

from __future__ import annotations

import os
import time
from typing import Annotated, Any, Literal

from pydantic import Field

from overmind_core.cli.agents.mcp_calls import (
    Calls,
    End,
    Ended,
    Interrupted,
    Message,
    Missions,
    Named,
    Row,
    Waited,
    picked,
)
from overmind_core.cli.agents.talk import DELIVERY, await_message, fail_if_failed
from overmind_core.cli.follow_logs import line_renderer
from overmind_core.cli.missions.watch import EndWaiter
from overmind_core.client.client import Client
from overmind_core.client.stream import await_answer, follow
from overmind_core.errors import OvermindError
from overmind_core.logs.transcript import LogSelection, Transcript

WAIT_LIMIT = 55.0
"""Seconds that a call waits unless it says otherwise: many programs give up on a tool after a minute."""
MOST_LINES = 5000
Id = Annotated[str, Field(description="id or name of a mission, or at least 3 characters of its id")]
Seconds = Annotated[float, Field(ge=0, le=86400, description="wait at most this many seconds")]


class ReadTools:
    """The tools that change nothing, over the daemon that `calls` reaches."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def list_missions(
        self,
        label: Annotated[str | None, Field(description="only missions with this label: name, or name=value")] = None,
        status: Annotated[str | None, Field(description="only missions with this status")] = None,
        children_of: Annotated[str | None, Field(description="only children of this mission")] = None,
        *,
        killed_too: bool = False,
    ) -> Missions:
        """List missions by start time, with status, activity and cost. Killed missions are listed on request."""
        rows = await self._calls.ask(
            "ps",
            all=killed_too,
            children=children_of,
            status=[] if status is None else [status],
            label=[] if label is None else [label],
            wide=True,
        )
        return Missions(missions=[Row(**picked(Row, row)) for row in rows])

    async def info(self, id: Id) -> dict[str, Any]:  # noqa: A002  (the tool's argument is called so)
        """Show all facts of a mission: status, reason, exit code, runs, children, activity, cost."""
        return dict(await self._calls.ask("info", id=id))

    async def logs(
        self,
        id: Id,  # noqa: A002  (as above)
        tail: Annotated[int, Field(ge=1, le=MOST_LINES, description="number of lines, counted from the end")] = 100,
    ) -> str:
        """Show the output of a mission as text; for an agent, its words and actions."""
        answer = await self._calls.ask("logs", ids=[id])
        selection = LogSelection(tail=tail, renderers=line_renderer)
        transcripts = [Transcript(mission, selection) for mission in answer["missions"]]
        lines = [text for transcript in transcripts for _, _, text in transcript.begin(follow=False)]
        return "\n".join(lines[-tail:])

    async def wait(
        self,
        ids: Annotated[list[str], Field(min_length=1, description="ids or names")],
        timeout_seconds: Seconds = WAIT_LIMIT,
        *,
        any_one: Annotated[bool, Field(description="return when the first mission ends")] = False,
    ) -> Waited:
        """Wait until missions end for good, restarts included. After a timeout, call it again."""
        return await self._calls.do(lambda client: _waited(client, ids, timeout_seconds, any_one=any_one))

    async def result(self, id: Id) -> dict[str, Any]:  # noqa: A002  (as above)
        """Show the last result of an agent, as its program gave it: the answer is in `result`. {} for a program."""
        return dict(await self._calls.ask("result", id=id))

    async def messages(self, id: Id) -> dict[str, Any]:  # noqa: A002  (as above)
        """List the messages sent to a session, with the status of each."""
        return {"messages": await self._calls.ask("messages", id=id)}


def _waited(client: Client, ids: list[str], timeout: float, *, any_one: bool) -> Waited:
    ends, found = EndWaiter(ids, any_one=any_one), []
    deadline = time.monotonic() + timeout
    try:
        for kind, item in follow(client, ends.request, deadline=deadline):
            if kind == "ok":
                ends.resolve_names(item)
            elif kind == "item" and ends.add(item):
                found.append(End(**picked(End, item)))
            if ends.is_done:
                break
    except OvermindError as error:
        if error.code != "timeout":
            raise
    return Waited(ended=found, waiting=ends.pending)


_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""
Cascade = Annotated[bool, Field(description="its descendants too, leaves first")]


ReportKindWord = Literal["bug", "security", "missing", "question", "debt", "perf", "idea", "decision"]


class ActionTools:
    """The tools that act on missions, over the daemon that `calls` reaches."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def send(
        self,
        id: Id,  # noqa: A002  (the tool's argument is called so)
        text: str,
        timeout_seconds: Seconds = WAIT_LIMIT,
        *,
        wait: Annotated[bool, Field(description="wait for the answer; the message stays after a timeout")] = False,
        queue: Annotated[bool, Field(description="queue it even while a person has taken over the session")] = False,
    ) -> Message:
        """Send a session a message. It gets one at a time, when it is idle; others queue, in order."""
        request = {"id": id, "text": text, "queue": queue, "request": os.urandom(_REQUEST_KEY).hex()}
        until, limit = ("answered", timeout_seconds) if wait else ("delivered", DELIVERY)
        return await self._calls.do(lambda client: _sent(client, request, until, limit))

    async def interrupt(self, id: Id) -> Interrupted:  # noqa: A002  (as above)
        """End the current turn of a session: an agent stays, other programs get ctrl-c."""
        return Interrupted(**picked(Interrupted, await self._calls.ask("interrupt", id=id)))

    async def report(
        self,
        kind: Annotated[ReportKindWord, Field(description="bug, security and missing become quests")],
        text: Annotated[str, Field(min_length=1, description="the finding")],
        evidence: Annotated[list[str] | None, Field(description="places that show it: PATH or PATH:LINE")] = None,
        because: Annotated[str | None, Field(description="why it matters")] = None,
        title: Annotated[str | None, Field(description="title of the quest that it becomes")] = None,
        *,
        block: Annotated[bool, Field(description="this quest can't go on without it")] = False,
    ) -> dict[str, Any]:
        """Report what you found beside your task: it is queued, asked, counted or recorded. Don't do it yourself."""
        request = {
            "kind": kind,
            "text": text,
            "evidence": evidence or [],
            "because": because,
            "title": title,
            "block": block,
            "request": os.urandom(_REQUEST_KEY).hex(),
        }
        return dict(await self._calls.do(lambda client: await_answer(client, lambda: ("report", request))))

    async def stop(
        self,
        id: Id,  # noqa: A002  (as above)
        grace_seconds: Annotated[float | None, Field(ge=0, description="seconds before it is killed")] = None,
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
    message = {**message, **await_message(client, message, until, limit)}
    fail_if_failed(client, message)
    return Message(**picked(Message, message))


def _ended(missions: list[dict[str, Any]]) -> Ended:
    return Ended(missions=[Named(**picked(Named, mission)) for mission in missions])
