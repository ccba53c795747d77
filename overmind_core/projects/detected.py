"""What was found out about a project that has no `.overmind.yml` yet: values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from overmind_core.domain.isolation.naming import clashes, volume_clashes
from overmind_core.domain.isolation.project import Service
from overmind_core.projects.read import MOST_SERVICES
from overmind_core.projects.service import LONGEST_NAME


@dataclass(frozen=True, slots=True)
class Proposal:
    """A service that the project seems to have."""

    service: Service
    origin: str
    """The file that says so."""
    left_out: tuple[str, ...] = ()
    """What that file says besides, and ours has no word for."""


@dataclass(frozen=True, slots=True)
class Detected:
    """All that was found."""

    proposals: tuple[Proposal, ...] = ()
    copy: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    other_setup: tuple[str, ...] = ()
    """What could be done as well, or instead of a link."""
    main_branch: str | None = None
    found: tuple[str, ...] = ()
    """What was looked at and understood, for people."""
    problems: tuple[str, ...] = ()
    """What was there and not understood, for people."""


def distinct(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """Return them with names that services may have, and that can be told apart; as many as there may be."""
    found: dict[str, Proposal] = {}
    for one in proposals:
        if len(found) == MOST_SERVICES:
            break
        plain = _plain(one.service.name)
        name, number = plain, 1
        while name in found or clashes([*found, name]):
            number += 1
            end = f"-{number}"
            name = plain[: LONGEST_NAME - len(end)] + end
        found[name] = replace(one, service=replace(one.service, name=name))
    doubled = volume_clashes(one.service for one in found.values())
    return tuple(
        replace(one, service=_without(one.service, {key[1] for key in doubled if key[0] == name}))
        for name, one in found.items()
    )


def _without(service: Service, volumes: set[str]) -> Service:
    return replace(service, volumes={name: path for name, path in service.volumes.items() if name not in volumes})


def _plain(name: str) -> str:
    plain = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-") or "service"
    return (plain if plain[0].isalpha() else f"s-{plain}")[:LONGEST_NAME]
