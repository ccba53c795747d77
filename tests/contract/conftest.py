"""Fixtures of the tests that hold the product to its contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.cases import Cases
from tests.kit.leash import Leash
from tests.kit.overmind import Overmind


@pytest.fixture
def leash(om: Overmind) -> Iterator[Leash]:
    """What a mission's processes are held by; whoever slipped it is killed when the test is over."""
    one = Leash(om.environment["HOME"])
    yield one
    one.free()


@pytest.fixture
def cases() -> Iterator[Cases]:
    """A table of cases in one home."""
    table = Cases()
    yield table
    table.verdict()
