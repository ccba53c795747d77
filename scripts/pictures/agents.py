"""Agents that are scripts: they speak as Claude Code does, so each asks the same, and what they have spent is made up.

`overmind_core/demo/script.py` says how a script is written.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from scripts.pictures.colony import Colony

PATIENCE = 60.0


def scripted(here: Colony, script: Mapping[str, Any]) -> Colony:
    """The same home, in a world where `claude` is a script."""
    folder = here.environ["HOME"]
    path, program = os.path.join(folder, "agents.json"), os.path.join(folder, "scripted-claude")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(script, file)
    python = os.path.join(here.environ["PATH"].partition(os.pathsep)[0], "python")
    with open(program, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {python} -P -m overmind_core.demo.spec_agent {path} "$@"\n')
    os.chmod(program, 0o700)
    return here._replace(environ=here.environ | {"OVERMIND_CLAUDE_BIN": program})


def until_asked(here: Colony, who: AbstractSet[str]) -> None:
    """Wait until all of these ask."""
    deadline = time.monotonic() + PATIENCE
    while True:
        asked = {entry["name"] for entry in json.loads(here.overmind("inbox", "--json"))}
        if asked >= who:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"only these ask: {asked}")
        time.sleep(0.2)
