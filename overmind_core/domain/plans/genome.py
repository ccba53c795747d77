"""A genome: an agent that a blueprint takes from a file in git, at a commit. Pure.

`https://example.com/agents.git//team/review.toml@v3#review` names a repository as git takes it, a file in it, a branch,
tag or commit, and an agent of that file, which is a blueprint itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from overmind_core.domain.missions.names import name_problem

LARGEST = 1024 * 1024
"""Bytes of the file."""
FORM = "URL//FILE@REF#AGENT"
_URL = re.compile(r"[^-\x00-\x20\x7f][^\x00-\x1f\x7f]{0,2047}")
_REF = re.compile(r"[^-\x00-\x20\x7f~^:?*\[\\][^\x00-\x20\x7f~^:?*\[\\]{0,254}")
_FILE = re.compile(r"[^-\x00-\x1f\x7f:][^\x00-\x1f\x7f]{0,1023}")


class GenomeError(ValueError):
    """An address names no genome; the message says why, without a full stop."""


class GenomeAddress(NamedTuple):
    """Where an agent is taken from."""

    url: str
    """Of a repository, as git takes it."""
    file: str
    """Relative to its top."""
    ref: str
    agent: str

    @property
    def place(self) -> str:
        """The file, whatever its commit: what is trusted."""
        return f"{self.url}//{self.file}"

    def __str__(self) -> str:
        return f"{self.place}@{self.ref}#{self.agent}"


@dataclass(frozen=True, slots=True)
class Genome:
    """What an agent was taken from."""

    file: str
    """`URL//FILE`."""
    ref: str
    """As it was written."""
    commit: str
    """That it meant when it was read."""
    agent: str
    """As that file calls it."""
    sha256: str
    """Of the file, in hex: what is trusted."""
    commands: tuple[str, ...] = ()
    """What the agents of the file run, as people see it before they trust it."""

    def __str__(self) -> str:
        return f"{self.file}@{self.ref}#{self.agent}"


def is_address(text: str) -> bool:
    """Whether it is no name of an agent, but meant as an address."""
    return "//" in text


def parse(text: str, folder: str = "/") -> GenomeAddress:
    """Read an address; a path counts from `folder`.

    Raises:
        GenomeError: it is none, or git would take a part of it for an option or a program.
    """
    before, hash_, agent = text.rpartition("#")
    url, slashes, file_at = before.rpartition("//")
    file, at, ref = file_at.rpartition("@")
    if not (hash_ and slashes and at and url and not url.endswith(":")):
        raise GenomeError(f"{text!r} is not {FORM}")
    problem = name_problem(agent)
    if problem is not None:
        raise GenomeError(f"{problem}: {agent!r}")
    if "::" in url.partition("/")[0]:
        raise GenomeError(f"{url!r} names a program of git, not a place")
    if not _URL.fullmatch(url):
        raise GenomeError(f"{url!r} is not the URL of a repository")
    if not _FILE.fullmatch(file) or file.startswith("/") or ".." in file.split("/"):
        raise GenomeError(f"{file!r} is not a file of a repository")
    if not _REF.fullmatch(ref) or ".." in ref or "@{" in ref:
        raise GenomeError(f"{ref!r} is not a branch, tag or commit")
    if ":" not in url.partition("/")[0] and not url.startswith("/"):
        url = f"{folder.rstrip('/')}/{url}"
    return GenomeAddress(url, file, ref, agent)


def commands_of(agents: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the agents of a file run: their commands, probes and tools' servers, as far as they are there."""
    found: list[str] = []
    for table in agents.values():
        if not isinstance(table, dict):
            continue
        ready = table.get("ready")
        probe = ready.get("exec") if isinstance(ready, dict) else None
        for one in (table.get("command"), probe, table.get("mcp_config"), table.get("agent_arg")):
            words = [one] if isinstance(one, str) else one if isinstance(one, list) else []
            line = " ".join(str(word) for word in words)
            if line.strip():
                found.append(line)
    return tuple(dict.fromkeys(found))
