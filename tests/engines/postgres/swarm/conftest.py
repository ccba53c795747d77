"""A swarm of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kit.swarm import TestSwarm


@pytest.fixture
def swarm(database_url: str) -> Iterator[TestSwarm]:
    """A swarm in a database of this test alone."""
    from tests.kit.swarm import swarm_in

    with swarm_in(database_url) as made:
        yield made
