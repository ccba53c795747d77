"""Two locks: requirements-run.lock, which `make run` installs, is a part of requirements.lock."""

from __future__ import annotations

import os
import re
import tomllib
from importlib.metadata import requires
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.kit.overmind import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable

LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; (.+?))? \\\n((?: +--hash=\S+(?: \\)?\n)+)", re.MULTILINE)


def locked(name: str) -> dict[tuple[str, str], tuple[str, list[str]]]:
    """The packages of a lock by name and version, each with its condition and its hashes."""
    with open(os.path.join(REPOSITORY, name)) as file:
        text = file.read()
    found = {
        (package, version): (condition, re.findall(r"--hash=(\S+)", hashes))
        for package, version, condition, hashes in LOCKED.findall(text)
    }
    assert len(found) == len(re.findall("^[a-z]", text, re.MULTILINE))
    return found


def needed(lines: Iterable[str]) -> set[str]:
    """The names of these packages and of all that they need here."""
    found: set[tuple[str, str]] = set()
    waiting = [(line, "") for line in lines]
    while waiting:
        line, of_extra = waiting.pop()
        one = Requirement(line)
        if one.marker is not None and not one.marker.evaluate({"extra": of_extra}):
            continue
        name = canonicalize_name(one.name)
        for extra in ("", *one.extras):
            if (name, extra) not in found:
                found.add((name, extra))
                waiting += [(line, extra) for line in requires(name) or ()]
    return {name for name, _ in found}


def test_what_both_locks_name_is_the_same():
    run, whole = locked("requirements-run.lock"), locked("requirements.lock")
    assert {one: hashes for one, (_, hashes) in run.items()} == {
        one: hashes for one, (_, hashes) in whole.items() if one in run
    }
    assert len(run) < len(whole)


def test_the_lock_to_run_names_what_the_program_the_dashboard_and_the_build_need_and_nothing_else():
    with open(os.path.join(REPOSITORY, "pyproject.toml"), "rb") as file:
        parsed = tomllib.load(file)
    project = parsed["project"]
    wanted = [*project["dependencies"], *parsed["build-system"]["requires"]]
    here = {
        name
        for (name, _), (condition, _) in locked("requirements-run.lock").items()
        if not condition or Requirement(f"{name} ; {condition}").marker.evaluate()  # type: ignore[union-attr]
    }
    assert here == needed(wanted)
