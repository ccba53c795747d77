"""A quest as the swarm holds it: what a hive is told of it, and what it makes of that. Pure.

The poster's environment, folder and umask stay where they are; so do names that mean something in its home alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from overmind_core.domain.swarm.beginnings import beginnings

if TYPE_CHECKING:
    from overmind_core.domain.swarm.placement import Placement

_AT_HOME = frozenset({"cwd", "env", "umask", "request", "parent", "needs", "needs_min", "ref", "deadline", "isolate",
                      "base", "name"})  # fmt: skip
"""Fields of a new quest that are the hive's to say, or the swarm's."""
_URL = re.compile(r"[^-\x00-\x20\x7f][^\x00-\x1f\x7f]{0,2047}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class PostError(ValueError):
    """A post says what no quest can be."""


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
class SpecPart:
    """A phase or a task of a spec of another home."""

    spec: str
    """The spec's slug."""
    phase: str | None = None
    task: str | None = None


@dataclass(frozen=True, slots=True)
class PostedQuest:
    """What a hive reads of a post."""

    fields: Mapping[str, Any]
    """Of a new quest, as in the request `quest_add`."""
    source: Source | None
    has_needs: bool
    brought: str | None = None
    """The commit of the remote whose files it is given to read, see `definition`; None: it has none."""
    collects: Sequence[str] = ()
    """Files that it hands on if it has written them, besides its outputs."""
    feedback: str = ""
    """What its first attempt is told of earlier ones, in Markdown."""
    part: SpecPart | None = None
    """The part of a spec that it is."""


def definition(
    *,
    post: str,
    name: str,
    given: Mapping[str, Any],
    needs: Sequence[str],
    deadline_at: float | None,
    placement: Placement,
    source: Source | None,
    more: Mapping[str, Any] | None = None,
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
        more: Of a part of a spec, as `part_of_spec` returns it.
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
    return {**made, **(more or {})}


def part_of_spec(part: SpecPart, *, brought: str, collects: Sequence[str], feedback: str) -> dict[str, Any]:
    """Return what a definition says besides, where the quest is a part of a spec.

    Args:
        part: Which one.
        brought: The commit of the source's remote with what its attempts are to read: `spec/design.md`.
        collects: Files that it hands on if they are there.
        feedback: Of attempts before it was posted.
    """
    return {
        "spec": {"spec": part.spec, "phase": part.phase, "task": part.task},
        "brought": brought,
        "collects": list(collects),
        "feedback": feedback,
    }


def read(made: Mapping[str, Any]) -> PostedQuest:
    """Return what a definition says, however it came about.

    Raises:
        PostError: it says what no quest can be; the message says what.
    """
    fields = made.get("quest")
    if not isinstance(fields, dict):
        raise PostError("it has no quest")
    given = {field: value for field, value in fields.items() if field not in _AT_HOME}
    source, brought = _source(made.get("source")), made.get("brought")
    if brought is not None and (source is None or not isinstance(brought, str) or not _COMMIT.fullmatch(brought)):
        raise PostError("its inputs are no commit of its remote")
    feedback = made.get("feedback", "")
    if not isinstance(feedback, str):
        raise PostError("its feedback is no text")
    names, part = _names(made.get("collects", [])), _part(made.get("spec"))
    return PostedQuest(given, source, bool(made.get("needs")), brought, names, feedback, part)


def _names(given: object) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(one, str) and _WORD.fullmatch(one) for one in given):
        raise PostError("the files that it hands on have no plain names")
    return tuple(given)


def _part(given: object) -> SpecPart | None:
    if given is None:
        return None
    words = given if isinstance(given, dict) else {}
    spec, phase, task = (words.get(name) for name in ("spec", "phase", "task"))
    given_words = [one for one in (spec, phase, task) if one is not None]
    if spec is None or not all(isinstance(one, str) and _WORD.fullmatch(one) for one in given_words):
        raise PostError("it is no part of a spec")
    return SpecPart(spec, phase, task)


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
