"""Fixtures of the room, for its long tests."""

from __future__ import annotations

from tests.process.headless.conftest import headless, lock

__all__ = ["headless", "lock"]
