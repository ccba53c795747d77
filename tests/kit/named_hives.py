"""Other homes of this machine as named hives: each is reached by a command that runs its gate, as over ssh."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.kit.overmind import PROGRAM, Overmind


def gate_of(om: Overmind) -> list[str]:
    """The command that runs a gate of this home, in the world of its own command line."""
    return ["env", *(f"{name}={value}" for name, value in om.environment.items()), *PROGRAM, "gate"]


def name_hives(om: Overmind, **hives: Overmind) -> None:
    """Write into a home's config.toml that it knows these hives; what stands there else stays."""
    path = os.path.join(om.home, "config.toml")
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(f"[hives.{name}]\ngate = {json.dumps(gate_of(hive))}\n" for name, hive in hives.items())


_NONSENSE = """
import json, sys
say = lambda message: (sys.stdout.write(json.dumps(message) + "\\n"), sys.stdout.flush())
print("Welcome to this machine")
say({"gate": 1, "version": "9.9.9", "home": "/nowhere"})
sys.stdin.readline()
say({"ok": {}})
for line in sys.stdin:
    request = json.loads(line)
    found = ANSWERS.get(request["cmd"], {"version": "9.9.9", "seq": 1})
    say({"id": request["id"], "ok": found})
"""


def name_odd_hive(om: Overmind, folder: Path, answers: Mapping[str, object]) -> None:
    """Write down a hive `odd` that answers requests of these kinds like that, and all others by what is no answer."""
    program = folder / "odd_gate.py"
    program.write_text(f"ANSWERS = {dict(answers)!r}\n{_NONSENSE}")
    with open(os.path.join(om.home, "config.toml"), "a", encoding="utf-8") as file:
        file.write(f"[hives.odd]\ngate = {json.dumps([sys.executable, str(program)])}\n")
