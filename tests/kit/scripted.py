"""An agent that plays a script: `scripted.py SCRIPT`, as a plain command or behind the stand-in for `claude`.

The steps and how a script is written: `overmind_core/demo/script.py`. A test writes one with `write` and either runs
`command(path)`, or has every `claude` of its home play it with `behind`.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.kit.overmind import Overmind


def write(folder: str | os.PathLike[str], script: Any, name: str = "script") -> str:
    """Write a script into a folder, whole or not at all, and return its path."""
    path = os.path.join(folder, f"{name}.json")
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(script, file)
    os.replace(f"{path}.new", path)
    return path


def command(script: str) -> list[str]:
    """Return the command that plays the script of this path."""
    return [sys.executable, "-IS", os.path.abspath(__file__), script]


def behind(om: Overmind, script: str) -> Overmind:
    """Have each stand-in for `claude` that `om` starts play its part of the script of this path; return `om`."""
    om.environment["STAND_IN_SCRIPT"] = script
    return om


def main() -> None:
    """Play the script of the command line."""
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    from overmind_core.demo import script_player

    script_player.main(sys.argv[1:])


if __name__ == "__main__":
    main()
