"""Containers as values: one that is wanted, one that is there; and the errors of engines, images and containers.

The errors are sentences for people that say what to do.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

MISSION, HOME, SERVICE = "overmind.mission", "overmind.home", "overmind.service"
"""Labels of each container and volume: an id, the absolute path of Overmind's home, a name."""
HOST = "overmind.host"
"""Label of a container: the machine of that home; several may use one engine."""
USER = "overmind.user"
"""Label of a container: the number of that home's account on that machine. Older containers have none."""
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
    more_ports: dict[int, int] = field(default_factory=dict)
    """The same of its other ports: port inside → port of this machine."""

    @property
    def published(self) -> dict[int, int]:
        """All that is published: port inside → port of this machine."""
        first = {} if self.port is None or self.host_port is None else {self.port: self.host_port}
        return first | self.more_ports


def recipe(spec: ContainerSpec) -> str:
    """Return a digest of the wanted container: one of another digest is made anew. It hides the values of `env`."""
    parts: list[object] = [
        spec.image,
        spec.port,
        spec.host_port,
        sorted(spec.env.items()),
        sorted(spec.volumes.items()),
    ]
    if spec.more_ports:  # the digest of a container without them is as it always was
        parts.append(sorted(spec.more_ports.items()))
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


class OwnContainer(NamedTuple):
    """A container that Overmind made, by its labels."""

    name: str
    mission: str
    service: str
    home: str
    running: bool
    host: str = ""
    user: str = ""


class EngineMissing(Exception):
    """No engine answers, or none that can be used from here."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
        """Sentences: what is wrong, and what to do."""


class ContainerFailed(Exception):
    """A container could not be made or started, or has died."""

    def __init__(self, message: str, tail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.tail = tail
        """The last lines of its log; "" when there are none."""


class ImageMissing(Exception):
    """An image is not on this machine and could not be pulled."""

    def __init__(self, image: str, why: str, what_to_do: str) -> None:
        super().__init__(f"image {image} could not be pulled: {why}. {what_to_do}")
        self.image = image
        self.why = why
        """A clause."""
        self.what_to_do = what_to_do
        """A sentence."""


@contextlib.contextmanager
def engine_errors(url: str, doing: str) -> Iterator[None]:
    """Turn what the SDK raises into this package's own errors; `doing` says what could not be done.

    Raises:
        EngineMissing: The engine at `url` went away or does not answer.
        ContainerFailed: The engine refused.
    """
    import docker.errors
    import requests.exceptions
    import urllib3.exceptions

    gone = (
        requests.exceptions.RequestException,
        docker.errors.DockerException,
        docker.errors.StreamParseError,  # this one and the next come out of a stream that breaks off
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        OSError,
    )
    try:
        yield
    except docker.errors.APIError as error:
        raise ContainerFailed(f"{doing}: {refusal(error)}") from error
    except requests.exceptions.Timeout as error:
        raise EngineMissing(
            f"{doing}: the engine at {url} does not answer in time. Look at it with `docker ps`, or restart it."
        ) from error
    except gone as error:
        raise EngineMissing(
            f"{doing}: the engine at {url} no longer answers. Start it, for example with"
            " `sudo systemctl start docker`, and try again."
        ) from error


def refusal(error: Exception) -> str:
    """The engine's own words for why it refused, as one line."""
    words = getattr(error, "explanation", None) or str(error)
    if isinstance(words, bytes):
        words = words.decode("utf-8", "replace")
    return " ".join(str(words).split()).rstrip(".")
