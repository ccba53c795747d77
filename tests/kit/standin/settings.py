"""What the person, the project and the command line have set: hooks and permissions, added to each other."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

from tests.kit.standin.options import Refused

Settings = dict[str, Any]


def load(home: str, cwd: str, argument: str) -> list[Settings]:
    """Return all settings that hold, the person's own first.

    Args:
        home: The person's.
        cwd: The project's folder.
        argument: Of `--settings`: a path or JSON; "" = none.

    Raises:
        Refused: the argument is neither.
    """
    paths = [
        os.path.join(home, ".claude", "settings.json"),
        os.path.join(cwd, ".claude", "settings.json"),
        local_path(cwd),
    ]
    found = [json.loads(text) for path in paths if (text := _read(path))]
    return found + ([_argument(argument)] if argument else [])


def local_path(cwd: str) -> str:
    """Where the answers "don't ask again" are kept."""
    return os.path.join(cwd, ".claude", "settings.local.json")


def keep_rule(cwd: str, rule: str) -> None:
    """Add a rule that allows something in this project from now on."""
    path = local_path(cwd)
    settings = json.loads(_read(path) or "{}")
    settings.setdefault("permissions", {}).setdefault("allow", []).append(rule)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(settings, file, indent=2)


def _argument(argument: str) -> Settings:
    text = argument if argument.lstrip().startswith("{") else _read(argument)
    if not text:
        raise Refused(f"Error: Settings file not found: {argument}")
    try:
        return dict(json.loads(text))
    except ValueError:
        raise Refused("Error: Invalid JSON provided to --settings") from None


def _read(path: str) -> str:
    with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as file:
        return file.read()
    return ""
