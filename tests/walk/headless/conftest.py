"""Headless runs for the walk."""

from __future__ import annotations

from tests.process.headless.conftest import headless, lock

__all__ = ["headless", "lock"]
