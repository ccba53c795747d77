"""Other homes of this machine as named hives: each is reached by a command that runs its gate, as over ssh."""

from __future__ import annotations

import json
import os

from tests.kit.overmind import PROGRAM, Overmind


def gate_of(om: Overmind) -> list[str]:
    """The command that runs a gate of this home, in the world of its own command line."""
    return ["env", *(f"{name}={value}" for name, value in om.environment.items()), *PROGRAM, "gate"]


def name_hives(om: Overmind, **hives: Overmind) -> None:
    """Write into a home's config.toml that it knows these hives; what stands there else stays."""
    path = os.path.join(om.home, "config.toml")
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(f"[hives.{name}]\ngate = {json.dumps(gate_of(hive))}\n" for name, hive in hives.items())
