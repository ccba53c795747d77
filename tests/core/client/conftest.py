"""Clients of a home of their own, closed at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from overmind_core.client.client import Client
from overmind_core.system.paths import Home


@pytest.fixture
def place(tmp_path) -> Home:
    """A home that nobody has used yet."""
    return Home(str(tmp_path / "h"))


@pytest.fixture
def join() -> Iterator[Callable[..., Client]]:
    """Make clients as `Client` does."""
    made: list[Client] = []

    def make(*args, **options) -> Client:
        made.append(Client(*args, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()
