"""What is said on overmind.sock. Newline-delimited JSON; cli.md's command names with underscores.

A request is `{"cmd": …, "args": {…}, "id": …?}`. A command answers once, `{"ok": …}` or `{"error": code,
"message": …}`; a stream answers `{"ok": …}`, then `{"item": …}` lines, then `{"end": …}`. Each carries the id.
"""

from __future__ import annotations

API_VERSION = 1
MAX_LINE = 16 * 1024 * 1024
"""Bytes of one request; longer ones are answered `too_large`."""

STREAMS = frozenset({"attach", "events", "hook", "merge", "quest_wait", "subscribe", "wait"})
"""Commands that answer with a stream; `logs` does with `follow`."""
