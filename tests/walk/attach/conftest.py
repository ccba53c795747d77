"""Terminals for the walk."""

from __future__ import annotations

from tests.process.attach.conftest import attach, shell

__all__ = ["attach", "shell"]
