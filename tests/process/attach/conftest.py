"""Fixtures of the tests that sit down at a mission's terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.kit.attached import SIZE, Attached
from tests.kit.overmind import Overmind


@pytest.fixture
def attach(om: Overmind) -> Iterator[Callable[..., Attached]]:
    """Attach to a mission, on as many terminals as the test wants, and wait until each is there."""
    with ExitStack() as stack:

        def attach(*words: str, size: tuple[int, int] = SIZE) -> Attached:
            person = stack.enter_context(Attached(om, *words, size=size))
            person.joined()
            return person

        yield attach


@pytest.fixture
def shell(om: Overmind) -> str:
    """A mission with a shell in it that says what it is told."""
    return om.mission(["sh", "-c", "echo ready; exec sh"], "--type", "session", "--name", "shell")
