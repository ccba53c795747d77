"""Hives for the walk."""

from __future__ import annotations

from tests.process.hives.conftest import far, hives, sshd

__all__ = ["far", "hives", "sshd"]
