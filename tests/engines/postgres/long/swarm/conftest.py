"""Fixtures of the room, for its long tests."""

from __future__ import annotations

from tests.engines.postgres.swarm.conftest import swarm

__all__ = ["swarm"]
