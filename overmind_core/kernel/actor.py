"""The actor: who asked for what is being recorded, a person or a process inside a mission.

Known only in the task that serves a request, and in one that it hands its work on to. What follows from a commit or a
timer was asked for by nobody, though it may run in a context that was copied from that task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class _Acting(NamedTuple):
    """`name` looks it up: only acts that are recorded pay for that."""

    task: asyncio.Task[Any] | None
    name: Callable[[], str]


_ACTING: ContextVar[_Acting | None] = ContextVar("acting", default=None)


def acts(name: Callable[[], str]) -> None:
    """From here on this task does what somebody asked for; `name` returns who."""
    _ACTING.set(_Acting(asyncio.current_task(), name))


def actor() -> str | None:
    """Return who asked for what is done now; None: nobody did."""
    acting = _ACTING.get()
    return None if acting is None or acting.task is not asyncio.current_task() else acting.name()


def handed_on(work: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
    """Return `work` for a task of its own, done for who asks now."""
    acting = _ACTING.get()
    if acting is None or acting.task is not asyncio.current_task():
        return work

    async def act() -> T:
        acts(acting.name)
        return await work

    return act()


@contextmanager
def nobody() -> Iterator[None]:
    """What is recorded in the block was asked for by nobody: it follows from what was saved."""
    before = _ACTING.set(None)
    try:
        yield
    finally:
        _ACTING.reset(before)
