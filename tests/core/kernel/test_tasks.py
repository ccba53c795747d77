"""Looks at file systems: shared, remembered for a moment, given up when they hang."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from overmind_core.kernel.tasks import Looks

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

LONG = 60.0


def in_loop(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(test())

    return run


def looks(look: Callable[[str], str], *, patience: float = LONG) -> Looks[str, str]:
    return Looks(ThreadPoolExecutor(max_workers=1), look, patience=patience, true_for=LONG)


@in_loop
async def test_those_who_ask_the_same_at_the_same_time_share_one_look():
    asked: list[str] = []
    go_on = threading.Event()

    def look(question: str) -> str:
        asked.append(question)
        go_on.wait()
        return question.upper()

    shared = looks(look)
    answers = asyncio.gather(*(shared.find("a") for _ in range(3)))
    await asyncio.sleep(0)
    go_on.set()
    assert await answers == ["A", "A", "A"]
    assert await shared.find("a") == "A"
    assert asked == ["a"]


@in_loop
async def test_what_was_found_is_looked_for_again_once_it_is_forgotten():
    asked: list[str] = []

    def look(question: str) -> str:
        asked.append(question)
        return "x"

    found = looks(look)
    await found.find("a")
    found.forget()
    await found.find("a")
    assert asked == ["a", "a"]


@in_loop
async def test_a_look_that_fails_is_not_remembered():
    outcomes = iter((OSError("gone"), None))

    def look(_question: str) -> str:
        if (error := next(outcomes)) is not None:
            raise error
        return "found"

    found = looks(look)
    with pytest.raises(OSError, match="gone"):
        await found.find("a")
    assert await found.find("a") == "found"


@in_loop
async def test_a_file_system_that_does_not_answer_is_given_up_and_takes_one_thread():
    go_on = threading.Event()
    asked: list[str] = []

    def look(question: str) -> str:
        asked.append(question)
        go_on.wait()
        return "late"

    hung = looks(look, patience=0.001)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await hung.find("a")
    assert asked == ["a"]
    go_on.set()
