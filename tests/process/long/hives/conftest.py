"""Fixtures of the room, for its long tests."""

from __future__ import annotations

from tests.process.hives.conftest import far, hives, sshd

__all__ = ["far", "hives", "sshd"]
