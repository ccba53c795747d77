"""What the real programs printed, as files."""

from __future__ import annotations

import json
import os

from overmind_core.domain.agents.agent_events import AgentFact
from overmind_core.providers import registry

DATA = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, "data")


TERMINAL = "interactive"
"""The recording of a full-screen run; its lines are no objects of the program's."""


def names(provider: str) -> list[str]:
    """All recorded runs of a provider without a terminal."""
    found = (name.removesuffix(".ndjson") for name in os.listdir(os.path.join(DATA, "transcripts", provider)))
    return sorted(name for name in found if name != TERMINAL)


def lines(provider: str, name: str) -> list[bytes]:
    """The lines that one run printed; what was written to it (`dir` other than `out`) is left out."""
    with open(os.path.join(DATA, "transcripts", provider, f"{name}.ndjson"), "rb") as file:
        found = file.read().splitlines()
    if b'"dir": ' not in found[0][:40]:
        return found
    return [json.dumps(one["line"]).encode() for one in map(json.loads, found) if one["dir"] == "out"]


def facts(provider: str, name: str) -> list[AgentFact]:
    """What the lines of one run tell."""
    return [fact for line in lines(provider, name) for fact in registry.get(provider).parse(line)]


def readable(provider: str, name: str) -> list[str]:
    """The transcript of one run."""
    renderer = registry.get(provider).renderer()
    return [text for line in lines(provider, name) for text in renderer.feed(line)]


def screen(name: str) -> list[str]:
    """What stood on the screen of an interactive `claude`."""
    with open(os.path.join(DATA, "screens", "claude", f"{name}.txt"), encoding="utf-8") as file:
        return file.read().splitlines()
