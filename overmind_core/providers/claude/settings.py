"""The settings that a `claude` on a terminal gets as an argument: our hooks beside the person's own.

Hooks of all sources run side by side, so a person's settings files keep theirs. `--settings` is one value, though:
what a person passes by `--agent-arg --settings` is merged with ours here.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from overmind_core.providers.base import Start
from overmind_core.providers.objects import Object, items, part, read

OPTION = "--settings"

EVENTS = (
    "SessionStart",
    "UserPromptSubmit",
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "PermissionRequest",
    "Notification",
    "Stop",
    "StopFailure",
    "SessionEnd",
)
"""The events of which our hook is told."""

ASKING = "PermissionRequest"
PATIENCE = 7 * 24 * 3600
"""Seconds that our hook may take over a question before the program stops waiting for it; a person may be away."""
BRIEFLY = 10
"""Seconds that our hook may take over any other event."""


def arguments(start: Start) -> tuple[str, ...]:
    """`--settings` with our hooks and the person's settings in one, then the person's other arguments."""
    theirs, others = _split(start.agent.arguments)
    if not start.hook:
        return start.agent.arguments
    merged: Object = {"hooks": {event: [_entry(event, start.hook)] for event in EVENTS}}
    for value in theirs:
        merged = merge(_settings(value, start.texts), merged)
    return (OPTION, json.dumps(merged, separators=(",", ":")), *others)


def files(given: Sequence[str]) -> tuple[str, ...]:
    """The settings files among a person's arguments, as they are named there."""
    return tuple(value for value in _split(given)[0] if isinstance(read(value.encode("utf-8", "replace")), str))


def merge(first: Object, second: Object) -> Object:
    """Both settings in one: objects key by key, lists one behind the other, else `second` wins."""
    merged: dict[str, Any] = dict(first)
    for key, value in second.items():
        if isinstance(value, dict):
            merged[key] = merge(part(first, key), value)
        elif isinstance(value, list):
            merged[key] = [*items(first, key), *value]
        else:
            merged[key] = value
    return merged


def _entry(event: str, hook: Sequence[str]) -> Object:
    patience = PATIENCE if event == ASKING else BRIEFLY
    return {"hooks": [{"type": "command", "command": shlex.join(hook), "timeout": patience}]}


def _settings(value: str, texts: Mapping[str, str]) -> Object:
    """A value of `--settings`: JSON itself, or a file whose text was read; nothing when that is no settings."""
    found = read(texts.get(value, value).encode("utf-8", "replace"))
    return found if not isinstance(found, str) else {}


def _split(given: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The values of `--settings`, and the other arguments."""
    values: list[str] = []
    return values, tuple(_others(iter(given), values))


def _others(given: Iterator[str], values: list[str]) -> Iterator[str]:
    for argument in given:
        if argument == OPTION:
            values.extend(value for value in [next(given, None)] if value is not None)
        elif argument.startswith(f"{OPTION}="):
            values.append(argument.removeprefix(f"{OPTION}="))
        else:
            yield argument
