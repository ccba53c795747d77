"""What a container is to be, and what one is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import NamedTuple

MISSION, HOME, SERVICE = "overmind.mission", "overmind.home", "overmind.service"
"""Labels of each container and volume: an id, the absolute path of Overmind's home, a name."""
HOST = "overmind.host"
"""Label of a container: the machine of that home; several may use one engine."""
RECIPE = "overmind.recipe"
"""Label of a container: what it was made from, see `recipe`."""


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """A container as it is wanted."""

    name: str
    image: str
    port: int | None = None
    """Where it listens, inside."""
    host_port: int | None = None
    """Where it is reached, on 127.0.0.1 of this machine; it is published when both ports are there."""
    env: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    """Name of a volume → path in the container."""
    labels: dict[str, str] = field(default_factory=dict)


def recipe(spec: ContainerSpec) -> str:
    """Tell two wants apart: a container of another recipe is made anew. It gives no value of `env` away."""
    parts = [spec.image, spec.port, spec.host_port, sorted(spec.env.items()), sorted(spec.volumes.items())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class ContainerState(NamedTuple):
    """What the engine knows of a container now."""

    exists: bool
    running: bool = False
    exit_code: int | None = None
    """Of its last run; None while it runs, and before its first one."""
    health: str = ""
    """starting, healthy or unhealthy by the image's own check; "" without one."""
    error: str = ""
    """Why the engine could not start it, or ended it."""


class Ours(NamedTuple):
    """A container that Overmind made, by its labels."""

    name: str
    mission: str
    service: str
    home: str
    running: bool
    host: str = ""
