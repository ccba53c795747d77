"""Presses: what a page or a script asks to be done, in the name of who is logged in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from overmind_core.errors import OvermindError
from overmind_web.server import offered, plan_files
from overmind_web.server.credentials import Visitor
from overmind_web.supervisor import Supervisor

PANES = frozenset({"events", "logs", "subscribe"})
"""What a page shows as a pane, and does not press: their streams last as long as somebody looks."""


async def press(
    supervisor: Supervisor, visitor: Visitor, verb: str, args: Mapping[str, Any]
) -> AsyncGenerator[tuple[str, Any], None]:
    """Do what a page asks for; yield `("ok", answer)`, and of a stream `("item", …)` for each line that follows.

    Raises:
        OvermindError: this login may not, or the daemon said no.
    """
    if verb in PANES:
        raise OvermindError("forbidden", f"{verb} is shown by a pane.")
    async with aclosing(passed_on(supervisor, visitor, verb, args)) as lines:
        async for line in lines:
            yield line


async def passed_on(
    supervisor: Supervisor, visitor: Visitor, verb: str, args: Mapping[str, Any]
) -> AsyncGenerator[tuple[str, Any], None]:
    """Have the daemon do it; yield `("ok", answer)`, and of a stream `("item", …)` …, `("end", {})`.

    Raises:
        OvermindError: this login may not, or the daemon said no.
    """
    row = offered.checked(verb, args, read_only=visitor.read_only)
    complete = offered.completed(verb, args)
    if plan_files.is_named(verb, args):
        plan = await plan_files.read(complete)
        yield "ok", {**await supervisor.call(verb, plan.arguments, by=visitor.by), **plan.facts}
        return
    if not row.is_stream(complete):
        yield "ok", await supervisor.call(verb, complete, by=visitor.by)
        return
    async with aclosing(supervisor.stream(verb, complete, by=visitor.by)) as lines:
        async for line in lines:
            yield line
