"""Fixtures of the room, for its long tests."""

from __future__ import annotations

from tests.process.web_server.conftest import site, tab

__all__ = ["site", "tab"]
