"""A quest as the swarm holds it: what a hive is told of it, and what it makes of that. Pure.

The poster's environment, folder and umask stay where they are; so do names that mean something in its home alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from overmind_core.domain.swarm.beginnings import beginnings

_AT_HOME = frozenset({"cwd", "env", "umask", "request", "parent", "needs", "needs_min", "ref", "deadline", "isolate",
                      "base", "name"})  # fmt: skip
"""Fields of a new quest that are the hive's to say, or the swarm's."""
_URL = re.compile(r"[^-\x00-\x20\x7f][^\x00-\x1f\x7f]{0,2047}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class PostError(ValueError):
    """A post says what no quest can be."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a post may go, and what becomes of it when its hive is silent."""

    labels: Mapping[str, str] = field(default_factory=dict)
    cpu: float = 0.0
    memory: int = 0
    """Bytes."""
    pack: bool = False
    on_lost: str = "move"
    lease: float = 600.0
    """Seconds."""
    secrets: Sequence[str] = ()
    """Names of those that its hive must have."""


@dataclass(frozen=True, slots=True)
class Source:
    """The code on which a quest works."""

    remote: str
    """URL of a repository that each hive can fetch by itself."""
    commit: str
    """At which it was posted; the remote has it."""
    inside: str = ""
    """The folder in which it works, relative to the top."""


@dataclass(frozen=True, slots=True)
class PostedQuest:
    """What a hive reads of a post."""

    fields: Mapping[str, Any]
    """Of a new quest, as in the request `quest_add`."""
    source: Source | None
    has_needs: bool


def definition(
    *,
    post: str,
    name: str,
    given: Mapping[str, Any],
    needs: Sequence[str],
    deadline_at: float | None,
    placement: Placement,
    source: Source | None,
) -> dict[str, Any]:
    """Return a quest as the swarm's `post` takes it.

    Args:
        post: Its id.
        name: Its name.
        given: Fields of a new quest, checked.
        needs: Ids of the posts that it needs.
        deadline_at: Seconds since the epoch.
        placement: Where it may go.
        source: Its code; None: it needs none.
    """
    provider = given.get("provider")
    made: dict[str, Any] = {
        "id": post, "kind": "quest", "name": name,
        "labels": dict(placement.labels), "cpu": placement.cpu, "memory": placement.memory, "pack": placement.pack,
        "on_lost": placement.on_lost, "lease": placement.lease,
        "secrets": list(placement.secrets),
        "provider": None if provider in {None, "", "raw"} else provider,
        "priority": given.get("priority", "medium"), "deadline_at": deadline_at, "retries": given.get("retries", 2),
        "needs": list(needs), "needs_min": given.get("needs_min", 0),
        "quest": {field: value for field, value in given.items() if field not in _AT_HOME},
    }  # fmt: skip
    if source is not None:
        made["source"] = {"remote": source.remote, "commit": source.commit, "inside": source.inside}
        made["repository"] = source.remote
        made["owned"] = list(beginnings(given.get("owns", ())))
    return made


def read(made: Mapping[str, Any]) -> PostedQuest:
    """Return what a definition says, however it came about.

    Raises:
        PostError: it says what no quest can be; the message says what.
    """
    fields = made.get("quest")
    if not isinstance(fields, dict):
        raise PostError("it has no quest")
    given = {field: value for field, value in fields.items() if field not in _AT_HOME}
    return PostedQuest(given, _source(made.get("source")), bool(made.get("needs")))


def _source(given: object) -> Source | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise PostError("its source is none")
    words = [given.get(name, "") for name in ("remote", "commit", "inside")]
    if not all(isinstance(word, str) for word in words):
        raise PostError("its source has no words")
    source = Source(*words)
    check_source(source)
    return source


def check_source(source: Source) -> None:
    """Refuse what is no address of a repository, or what git would take for an option or a program.

    Raises:
        PostError: as it says.
    """
    if not _URL.fullmatch(source.remote):
        raise PostError(f"the remote {source.remote!r} is not a URL")
    if "::" in source.remote.partition("/")[0]:
        raise PostError(f"the remote {source.remote!r} names a program of git, not a place")
    if not _COMMIT.fullmatch(source.commit):
        raise PostError("its commit is not a whole hash")
    inside = source.inside
    if inside.startswith("/") or ".." in inside.split("/") or "\0" in inside:
        raise PostError(f"the folder {inside!r} is not inside of a repository")
