"""An agent in the file of the Agent Client Protocol's registry, as the program of an agent of one's own. Pure.

Source: FORMAT.md of github.com/agentclientprotocol/registry. Nothing in it is believed: a package and its version are
names, arguments are words of the program's, and no archive is ever fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from overmind_core.domain.text.problems import hinted
from overmind_core.providers.lines import list_at, object_at, objects_at, text_at

_NAME = re.compile(r"@?[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)?")
_PACKAGE = re.compile(rf"({_NAME.pattern})(?:(@|==)([A-Za-z0-9][A-Za-z0-9.+_-]*))?")
_VERSION = re.compile(r"[0-9][A-Za-z0-9.+_-]*")
_HALF = re.compile("[\ud800-\udfff]")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Unusable(ValueError):
    """An agent can't be taken from the file; the text is the sentence about it, without a full stop."""


class RegistryAgent(NamedTuple):
    """One agent."""

    name: str
    """As people read it."""
    version: str
    program: str
    arguments: tuple[str, ...]
    install: str
    """The command that gets it."""


def agent_of(file: object, name: str) -> RegistryAgent:
    """Return the agent of that id in a file that was parsed.

    Raises:
        Unusable: it is not there, or can't be run.
    """
    agents = objects_at(file, "agents") if isinstance(file, dict) else []
    if not agents:
        raise Unusable('it is not the file of the registry: it has no list "agents"')
    ids = [text_at(one, "id") for one in agents]
    if name not in ids:
        raise Unusable(hinted(f"it has no agent {name!r}", name, filter(None, ids)))
    found = agents[ids.index(name)]
    distribution = object_at(found, "distribution")
    for runner, make in (("npx", _by_npx), ("uvx", _by_uvx)):
        if entry := object_at(distribution, runner):
            return make(found, entry)
    raise Unusable(f"{name} comes as an archive, and none is fetched. Install it, and write its table yourself")


def _by_npx(found: Mapping[str, Any], entry: Mapping[str, Any]) -> RegistryAgent:
    package, version = _pinned(found, entry, "@")
    return _agent(found, entry, version, ("npx", "--yes", package), f"npm install -g {package}")


def _by_uvx(found: Mapping[str, Any], entry: Mapping[str, Any]) -> RegistryAgent:
    package, version = _pinned(found, entry, "@")
    return _agent(found, entry, version, ("uvx", package), f"uv tool install {package}")


def _agent(
    found: Mapping[str, Any], entry: Mapping[str, Any], version: str, command: tuple[str, ...], install: str
) -> RegistryAgent:
    arguments = list_at(entry, "args")
    if not all(map(_is_word, arguments)):
        raise Unusable("its args are not all texts")
    settings = [f"{name}={value}" for name, value in object_at(entry, "env").items() if _is_variable(name, value)]
    program, *words = ("env", *settings, *command) if settings else command
    return RegistryAgent(text_at(found, "name"), version, program, (*words, *arguments), install)


def _is_word(value: object) -> bool:
    """Tell whether it is a text that a program can be given, and a file can hold: no NUL, no half of a character."""
    return isinstance(value, str) and "\0" not in value and not _HALF.search(value)


def _is_variable(name: str, value: object) -> bool:
    if not _VARIABLE.fullmatch(name) or not _is_word(value):
        raise Unusable(f"{name!r} in its env is not a variable")
    return True


def _pinned(found: Mapping[str, Any], entry: Mapping[str, Any], sign: str) -> tuple[str, str]:
    """The package with its version, and that version."""
    written = text_at(entry, "package")
    package = _PACKAGE.fullmatch(written)
    if package is None:
        raise Unusable(f"{written!r} is not the name of a package")
    name, its_sign, pinned = package.groups()
    version = pinned if pinned and _VERSION.fullmatch(pinned) else text_at(found, "version")
    if not _VERSION.fullmatch(version):
        raise Unusable("it has no version")
    return f"{name}{its_sign or sign}{version}", version
