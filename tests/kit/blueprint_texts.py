"""Blueprints without files: read a text as if it stood in a folder, and see what is wrong where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from overmind_core import plan_file
from overmind_core.blueprint_file.keys import FetchedFile
from overmind_core.blueprint_file.read import ReadBlueprint, read
from overmind_core.domain.plans.blueprint import Blueprint
from overmind_core.domain.plans.genome import GenomeAddress
from overmind_core.domain.text.problems import Problem, Problems
from overmind_core.errors import OvermindError

FOLDER = "/project"
MARK = "§"
"""Stands in a text where a problem is expected; it is taken out before the text is read."""


class FakeDisk:
    """The folder of the blueprint, `src` in it, and the files that a test gives."""

    def __init__(self, files: Mapping[str, Mapping[str, str]]) -> None:
        self._files = files

    def folder_problem(self, path: str) -> str | None:
        """Only these two are there."""
        return None if path in {FOLDER, f"{FOLDER}/src"} else "does not exist"

    def variables(self, path: str) -> Mapping[str, str]:
        """What the test gave.

        Raises:
            OvermindError: there is no such file.
        """
        if path not in self._files:
            raise OvermindError("invalid", f"{path}: No such file or directory.")
        return self._files[path]

    def genome(self, address: GenomeAddress) -> FetchedFile:
        """Fetched with the real git: see `plan_file.RealDisk`."""
        return plan_file.RealDisk().genome(address)


def reading(
    text: str,
    *,
    name: str = "release",
    variables: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    files: Mapping[str, Mapping[str, str]] | None = None,
) -> ReadBlueprint:
    """Read a blueprint, by default in a world with the variable HOME and nothing else."""
    return read(
        text,
        name=name,
        folder=FOLDER,
        variables=variables or {},
        environ={"HOME": "/home/ada"} if environ is None else environ,
        disk=FakeDisk(files or {}),
    )


def blueprint(text: str, **world: Any) -> Blueprint:
    """The blueprint that a text says."""
    return reading(text, **world).blueprint


def start(text: str, **world: Any) -> dict[str, Any]:
    """The request of the agent `a`, whose keys the text has."""
    return blueprint(f"[agents.a]\n{text}", **world).by_name["a"].start


def problems(text: str, **world: Any) -> list[Problem]:
    """All that is wrong with a text, in its order."""
    try:
        reading(text, **world)
    except Problems as wrong:
        return list(wrong.problems)
    return []


def marked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without its marks, and line and column of each."""
    places = []
    for number, line in enumerate(text.split("\n"), 1):
        found = line.split(MARK)[:-1]
        places += [(number, sum(map(len, found[: end + 1])) + 1) for end in range(len(found))]
    return text.replace(MARK, ""), places
