"""A repository with specs, whose agents play scripts: by default each hands in a document with full marks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from overmind_core.domain.specs.spec import AGENT_PHASES, PhaseName
from tests.kit import scripted
from tests.kit.overmind import Overmind
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.spec_documents import WHOLE, Value, checked, write_files
from tests.kit.waiting import eventually

Steps = list[Any]

PATIENCE = 60.0
"""Seconds that a spec may take for what it does by itself."""


def handed_in(phase: PhaseName, value: Value | None = None) -> Steps:
    """Return the steps of an agent that hands in a phase's document, and leaves a trace of its attempt."""
    document = (checked("true") if phase is PhaseName.TASKS else WHOLE[phase]) if value is None else value
    return [{"call": f'echo "{phase} $OVERMIND_ATTEMPT" >> ~/attempts'}, {"output": f"{phase}.json", "data": document}]


def done(task: str) -> Steps:
    """Return the steps of an agent that does a task: a file of its own."""
    return [{"call": f'echo "{task} $OVERMIND_ATTEMPT" >> ~/attempts'}, {"write": f"shop/{task}.txt", "text": task}]


def whole_script() -> dict[str, Any]:
    """Return the script of agents that do all of a spec at the first attempt."""
    return {
        "phases": {str(phase): handed_in(phase) for phase in AGENT_PHASES},
        "tasks": {task: done(task) for task in ("TSK-001", "TSK-002")},
    }


class SpecWorld:
    """One home, one repository, and one script for all its agents.

    Args:
        om: The command line.
        git: Whether the folder is a repository.
        settings: More of config.toml.
    """

    def __init__(self, om: Overmind, *, git: bool = True, settings: str = "") -> None:
        self.om = om
        om.environment |= AUTHOR
        self.folder = os.path.join(om.environment["HOME"], "shop")
        if git:
            self.repository = Repository(self.folder)
        write_files(self.folder)
        if git:
            self.repository.commit("first", {})
        self.script = whole_script()
        self.write()
        with open(om.path("config.toml"), "w", encoding="utf-8") as config:
            config.write(f'[queue]\nbackoff = "1ms"\n{settings}')
        om.ok("start")

    # the agents

    def write(self, **changed: Mapping[str, Steps]) -> None:
        """Write the script; `phases` and `tasks` are changed by their names."""
        for kind, sections in changed.items():
            self.script[kind] = {**self.script.get(kind, {}), **sections}
        scripted.write(self.om.environment["HOME"], self.script)

    @property
    def command(self) -> list[str]:
        """What plays it."""
        return scripted.command(os.path.join(self.om.environment["HOME"], "script.json"))

    def attempts(self) -> list[str]:
        """Which attempts have begun, in their order: `design 1`."""
        try:
            with open(os.path.join(self.om.environment["HOME"], "attempts"), encoding="utf-8") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    # specs

    def new(self, title: str = "Carts", *options: str, command: Sequence[str] | None = None) -> str:
        """Create a spec; return its slug."""
        words = self.command if command is None else command
        return str(self.om.json("spec", "new", title, "--json", *options, "--", *words, cwd=self.folder)["slug"])

    def run(self, slug: str = "carts", *options: str) -> str:
        """Have it go on; return what that says."""
        return self.om.ok("spec", "run", slug, *options)

    def show(self, slug: str = "carts") -> dict[str, Any]:
        """Return everything known of it."""
        return dict(self.om.api("spec", id=slug))

    def states(self, slug: str = "carts") -> dict[str, str]:
        """Return how its phases stand."""
        return {one["phase"]: one["state"] for one in self.show(slug)["phases"]}

    def phase(self, name: str, slug: str = "carts") -> dict[str, Any]:
        """Return one of its phases."""
        return dict(next(one for one in self.show(slug)["phases"] if one["phase"] == name))

    def until(self, *states: str, slug: str = "carts") -> dict[str, Any]:
        """Return it once it stands so."""

        def look() -> list[dict[str, Any]]:
            found = self.show(slug)
            return [found] if found["state"] in states else []

        return eventually(look, PATIENCE, what=f"{slug} is {' or '.join(states)}")[0]

    def asked(self, need: str, slug: str = "carts") -> dict[str, Any]:
        """Return the question about it once it is asked."""

        def look() -> list[dict[str, Any]]:
            return [dict(one) for one in self.om.api("inbox") if (one["need"], one["name"]) == (need, slug)]

        return eventually(look, PATIENCE, what=f"{need} is asked about {slug}")[0]

    def answer(self, behaviour: str, *options: str, slug: str = "carts") -> str:
        """Answer the oldest question about it."""
        return self.om.ok("answer", slug, behaviour, *options)

    def quest(self, name: str) -> dict[str, Any]:
        """Return the newest quest of this name."""
        return dict(self.om.api("quest", id=name))

    def quests(self) -> dict[str, str]:
        """Return how each quest stands."""
        return {one["name"]: one["status"] for one in self.om.api("quests")}

    # its folder

    def path(self, name: str, slug: str = "carts") -> str:
        """Return the path of one of its documents."""
        return os.path.join(self.folder, ".overmind", "specs", slug, name)

    def document(self, name: str, slug: str = "carts") -> str:
        """Return what one of its documents says."""
        with open(self.path(name, slug), encoding="utf-8") as file:
            return file.read()

    def edit(self, name: str, old: str, new: str, slug: str = "carts") -> None:
        """Change a document by hand."""
        text = self.document(name, slug)
        assert old in text, text
        with open(self.path(name, slug), "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))


def changed(phase: PhaseName, **fields: object) -> Value:
    """Return a whole document with other fields."""
    return deepcopy(checked("true") if phase is PhaseName.TASKS else WHOLE[phase]) | fields
