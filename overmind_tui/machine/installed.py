"""Which agents' programs are on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from overmind_core.providers import registry

PLAIN = "raw"
"""The provider that needs no program of its own."""


def agents(environ: Mapping[str, str]) -> dict[str, bool]:
    """Each agent, and whether its program is found. Looks at many files: for a thread."""
    found = {}
    for name in registry.names():
        if name != PLAIN:
            program = environ.get(f"OVERMIND_{name.upper()}_BIN") or registry.get(name).program
            found[name] = shutil.which(program, path=environ.get("PATH", "")) is not None
    return found
