"""Fixtures of the room, for its long tests."""

from __future__ import annotations

from tests.process.faults.conftest import attacked, moments, target

__all__ = ["attacked", "moments", "target"]
