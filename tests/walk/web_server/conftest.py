"""Web servers for the walk."""

from __future__ import annotations

from tests.process.web_server.conftest import site, tab

__all__ = ["site", "tab"]
