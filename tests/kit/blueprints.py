"""Plans in files, and what became of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.kit.overmind import REPOSITORY, Overmind

EXAMPLES = os.path.join(REPOSITORY, "examples")


def written(folder: Path, text: str, name: str = "plan") -> str:
    """Write a blueprint and return its path."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def applied(om: Overmind, folder: Path, text: str, name: str = "plan") -> str:
    """Start a plan and return the id of its mission."""
    answer = om.json("apply", "--json", written(folder, text, name))
    assert answer["status"] == "started", answer
    return str(answer["id"])


def ended(om: Overmind, plan: str, timeout: float = 30.0) -> dict[str, Any]:
    """Wait for a plan's end and return where all stands."""
    om.wait_status(plan, "stopped", "crashed", "killed", timeout=timeout)
    return dict(om.api("plan", id=plan))


def stages(found: dict[str, Any]) -> dict[str, str]:
    """Agent → where it stands."""
    return {agent["name"]: agent["stage"] for agent in found["agents"]}
