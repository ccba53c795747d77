"""Fixtures of the tests that hold the product to its contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.inherited_lock import InheritedLock
from tests.kit.overmind import Overmind


@pytest.fixture
def lock(om: Overmind) -> Iterator[InheritedLock]:
    """What a mission's processes are held by; whoever slipped it is killed when the test is over."""
    one = InheritedLock(om.environment["HOME"])
    yield one
    one.free()
