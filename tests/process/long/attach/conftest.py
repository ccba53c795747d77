"""Fixtures of the room, for its long tests."""

from __future__ import annotations

from tests.process.attach.conftest import attach, shell

__all__ = ["attach", "shell"]
