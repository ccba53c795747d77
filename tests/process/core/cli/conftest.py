"""The command line against a daemon that says what a table tells it to, for tests that start programs as well."""

from __future__ import annotations

from tests.core.cli.conftest import overmind

__all__ = ["overmind"]
