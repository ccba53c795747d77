"""Fixtures of the room, for its long tests."""

from __future__ import annotations

from tests.process.contract.conftest import lock

__all__ = ["lock"]
