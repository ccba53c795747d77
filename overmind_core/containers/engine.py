"""Containers of missions through an engine of Docker or Podman: made, started, asked, removed. All of it blocks.

Call it in a thread. The SDK costs megabytes, so it is imported when an engine is first spoken to, never with this file.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from overmind_core.containers import images, inside
from overmind_core.containers.connect import candidates, connected, first_that_answers, usable
from overmind_core.containers.model import (
    HOME,
    HOST,
    MISSION,
    RECIPE,
    SERVICE,
    USER,
    ContainerFailed,
    ContainerSpec,
    ContainerState,
    EngineMissing,
    ImageMissing,
    OwnContainer,
    engine_errors,
    recipe,
    refusal,
)

LOOPBACK = "127.0.0.1"
"""A mission's database is nobody's on the network."""
PORT_TAKEN = re.compile(r"port is already allocated|address already in use|ports are not available", re.IGNORECASE)


def configuration(spec: ContainerSpec) -> dict[str, Any]:
    """Arguments of the API's `containers/create`, but for the name."""
    host: dict[str, Any] = {
        "Binds": [f"{name}:{path}" for name, path in sorted(spec.volumes.items())],
        "RestartPolicy": {"Name": "no"},  # the supervisor alone decides what runs
    }
    wanted: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{name}={value}" for name, value in sorted(spec.env.items())],
        "Labels": {**spec.labels, RECIPE: recipe(spec)},
        "HostConfig": host,
    }
    if spec.published:
        wanted["ExposedPorts"] = {f"{port}/tcp": {} for port in spec.published}
        host["PortBindings"] = {
            f"{port}/tcp": [{"HostIp": LOOPBACK, "HostPort": str(here)}] for port, here in spec.published.items()
        }
    return wanted


def port_taken(words: str) -> bool:
    """Whether the engine refuses since the port on this machine is another program's."""
    return PORT_TAKEN.search(words) is not None


def port_taken_error(spec: ContainerSpec) -> str:
    """The error for a port of this machine that is taken, and what to do."""
    ports = ", ".join(map(str, spec.published.values()))
    which = f"port {ports}" if len(spec.published) == 1 else f"one of the ports {ports}"
    return (
        f"container {spec.name} could not be started: {which} of {LOOPBACK} is in use by another program."
        " Stop that program, or change isolation.port_range in .overmind.yml."
    )


__all__ = [
    "ContainerFailed",
    "ContainerSpec",
    "ContainerState",
    "Engine",
    "EngineMissing",
    "ImageMissing",
    "OwnContainer",
]

LINES_SEARCHED = 10_000
"""Of a container's newest output."""
INSIDE_SECONDS = 10.0
"""For a command inside of a container."""
GONE_SECONDS = 15.0
"""For a container that somebody else makes or removes at the same moment."""


class Engine:
    """One engine. Its methods may be called from several threads.

    Each of them raises EngineMissing when the engine went away, and ContainerFailed when it refuses.
    """

    def __init__(self, url: str, client: Any) -> None:
        self.url = url
        """As DOCKER_HOST would have it."""
        self._client = client

    @classmethod
    def connect(cls, environ: Mapping[str, str]) -> Self:
        """Find the engine that a person with this environment uses.

        Raises:
            EngineMissing: There is none, or none that can be used.
        """
        return cls.at(first_that_answers(candidates(environ)))

    @classmethod
    def at(cls, url: str) -> Self:
        """Speak to the engine at `url` (unix:// or tcp://).

        Raises:
            EngineMissing: None answers there.
        """
        url = usable(url, "the engine's address")
        return cls(url, connected(url))

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()

    def has_image(self, image: str) -> bool:
        """Whether `image` is on this machine."""
        from docker.errors import NotFound

        with engine_errors(self.url, f"image {image} could not be searched for"):
            try:
                self._client.inspect_image(image)
            except NotFound:
                return False
            return True

    def pull(self, image: str, progress: Callable[[str], None]) -> None:
        """Fetch `image` from its registry; `tell` takes short lines of progress.

        Raises:
            ImageMissing: It cannot be had.
            EngineMissing: The engine went away.
        """
        from docker.errors import APIError, InvalidRepository

        progress(f"pulling {image}")
        with engine_errors(self.url, f"image {image} could not be pulled"):
            try:
                images.pull_progress(image, self._client.pull(image, stream=True, decode=True), progress)
            except (APIError, InvalidRepository) as error:
                raise images.image_missing(image, refusal(error)) from error
        if not self.has_image(image):
            raise images.image_missing(image, "the engine closed the connection")

    def ensure(self, spec: ContainerSpec, progress: Callable[[str], None]) -> None:
        """Make the container run as `spec` wants it; one that was made otherwise is made anew, on the same volumes.

        Raises:
            ContainerFailed: It cannot be made or started.
            ImageMissing: Its image is not on this machine: `pull` comes first.
            EngineMissing: The engine went away.
        """
        deadline = time.monotonic() + GONE_SECONDS
        while time.monotonic() < deadline:
            found = self._usable(spec)
            if found is None:
                progress(f"creating {spec.name}")
            if (found is not None or self._create(spec)) and self._start(spec, found, progress):
                return
            time.sleep(0.1)
        raise ContainerFailed(
            f"container {spec.name} is being created and removed by another program at the same time. Try again."
        )

    def state(self, name: str) -> ContainerState:
        """What is known of a container now."""
        found = self._inspect(name)
        if found is None:
            return ContainerState(exists=False)
        state = found["State"]
        running = bool(state.get("Running"))
        ran = inside.seconds(state.get("StartedAt", "")) is not None
        return ContainerState(
            exists=True,
            running=running,
            exit_code=state.get("ExitCode") if ran and not running else None,
            health=_health(state),
            error=state.get("Error") or ("it ran out of memory" if state.get("OOMKilled") else ""),
        )

    def log_tail(self, name: str, lines: int = 20) -> str:
        """The last lines that a container wrote; "" when there are none."""
        return inside.tail(self._log(name, tail=lines))

    def log_has(self, name: str, pattern: str) -> bool:
        """Whether a line that the container wrote since its last start matches the regular expression."""
        found = self._inspect(name)
        if found is None:
            return False
        since = inside.run_began(found["State"])
        wanted = re.compile(pattern)
        which = {} if since is None else {"since": since}
        lines = inside.text(self._log(name, tail=LINES_SEARCHED, **which)).split("\n")
        return any(wanted.search(line) for line in lines)

    def run_inside(self, name: str, command: str) -> tuple[int, str]:
        """Run a shell command in a running container; returns its exit code and output (both streams).

        Raises:
            ContainerFailed: The container does not run, or has no shell.
        """
        with engine_errors(self.url, f"a command could not be run in container {name}"):
            code, written = inside.run(self._client, name, command, INSIDE_SECONDS)
        return code, inside.tail(written)

    def stop(self, name: str, seconds: int = 5) -> None:
        """End a container: SIGTERM, and SIGKILL after `seconds`. One that is not there is stopped."""
        from docker.errors import NotFound

        if not self._is_made_here(name):
            return
        with engine_errors(self.url, f"container {name} could not be stopped"):
            try:
                self._client.stop(name, timeout=seconds)
            except NotFound:
                return

    def remove(self, name: str) -> None:
        """Remove a container at once, running or not; its named volumes stay. One that is not there is removed."""
        from docker.errors import APIError, NotFound

        deadline = time.monotonic() + GONE_SECONDS
        while self._is_made_here(name):
            with engine_errors(self.url, f"container {name} could not be removed"):
                try:
                    self._client.remove_container(name, v=True, force=True)
                except NotFound:
                    return
                except APIError as error:
                    if "already in progress" not in refusal(error) or time.monotonic() > deadline:
                        raise
            time.sleep(0.05)

    def remove_volumes(self, names: Iterable[str]) -> None:
        """Remove volumes with what is in them. One that is not there is removed."""
        from docker.errors import NotFound

        for name in names:
            with engine_errors(self.url, f"volume {name} could not be removed"):
                try:
                    self._client.remove_volume(name)
                except NotFound:
                    continue

    def own_containers(self, home: str) -> list[OwnContainer]:
        """Containers that the Overmind at `home` made, stopped ones too."""
        return self._labelled(f"{HOME}={home}")

    def all_labelled(self) -> list[OwnContainer]:
        """The same for every home."""
        return self._labelled(HOME)

    def volumes_of(self, mission: str, home: str) -> list[str]:
        """Names of the volumes that were made for a mission."""
        with engine_errors(self.url, "volumes could not be listed"):
            found = self._client.volumes(filters={"label": [f"{MISSION}={mission}", f"{HOME}={home}"]})
        return sorted(one["Name"] for one in found.get("Volumes") or [])

    def _labelled(self, label: str) -> list[OwnContainer]:
        with engine_errors(self.url, "containers could not be listed"):
            found = self._client.containers(all=True, filters={"label": label})
        return sorted(_ours(one) for one in found)

    def _inspect(self, name: str) -> dict[str, Any] | None:
        from docker.errors import NotFound

        with engine_errors(self.url, f"container {name} could not be inspected"):
            try:
                found: dict[str, Any] = self._client.inspect_container(name)
            except NotFound:
                return None
            return found

    def _is_made_here(self, name: str) -> bool:
        """Whether it is there and an Overmind made it: nobody else's container is ever stopped or removed."""
        found = self._inspect(name)
        return found is not None and RECIPE in (found["Config"].get("Labels") or {})

    def _log(self, name: str, **which: float) -> bytes:
        from docker.errors import APIError

        with engine_errors(self.url, f"the log of container {name} could not be read"):
            try:
                written: bytes = self._client.logs(name, **which)
            except APIError:  # not there, or a log driver that cannot be read: no lines
                return b""
            return written

    def _usable(self, spec: ContainerSpec) -> dict[str, Any] | None:
        """What is there already and is as `spec` wants it; what is there otherwise is removed.

        Raises:
            ContainerFailed: Somebody else's container has the name.
        """
        found = self._inspect(spec.name)
        if found is None:
            return None
        labels = found["Config"].get("Labels") or {}
        if labels.get(HOME) != spec.labels.get(HOME) or RECIPE not in labels:
            raise ContainerFailed(
                f"container {spec.name} already exists and belongs to another program."
                f" Remove it: docker rm -f {spec.name}"
            )
        if labels[RECIPE] == recipe(spec):
            return found
        self.remove(spec.name)
        return None

    def _create(self, spec: ContainerSpec) -> bool:
        """Make it and its volumes; whether nobody else took the name meanwhile."""
        from docker.errors import APIError, ImageNotFound

        with engine_errors(self.url, f"container {spec.name} could not be created"):
            for volume in spec.volumes:
                self._client.create_volume(volume, labels=dict(spec.labels))
            try:
                self._client.create_container_from_config(configuration(spec), spec.name)
            except ImageNotFound as error:
                raise ImageMissing(
                    spec.image, "it is not on this machine", f"Pull it: docker pull {spec.image}"
                ) from error
            except APIError as error:
                if "already in use" not in refusal(error):
                    raise
                return False
            return True

    def _start(self, spec: ContainerSpec, found: Mapping[str, Any] | None, progress: Callable[[str], None]) -> bool:
        """Have it run; whether it was still there. One that was made for this (`found` is None) goes when it fails."""
        from docker.errors import APIError

        state = found["State"] if found is not None else {}
        if state.get("Paused"):
            with engine_errors(self.url, f"container {spec.name} could not be resumed"):
                self._client.unpause(spec.name)
            return True
        if state.get("Running"):
            return True
        progress(f"starting {spec.name}")
        with engine_errors(self.url, f"container {spec.name} ({spec.image}) could not be started"):
            try:
                self._client.start(spec.name)
            except APIError as error:
                words = refusal(error)
                if "no such container" in words.lower():
                    return False
                if found is None:
                    self.remove(spec.name)  # half a container would keep its name and its share of the port
                if not port_taken(words):
                    raise
                raise ContainerFailed(port_taken_error(spec)) from error
            return True


def _health(state: Mapping[str, Any]) -> str:
    """What the image's own check says; Docker says "none", and Podman "", when there is no check."""
    status = (state.get("Health") or {}).get("Status", "")
    return status if status in {"starting", "healthy", "unhealthy"} else ""


def _ours(listed: Mapping[str, Any]) -> OwnContainer:
    labels = listed.get("Labels") or {}
    names = listed.get("Names") or [listed["Id"]]
    return OwnContainer(
        name=names[0].lstrip("/"),
        mission=labels.get(MISSION, ""),
        service=labels.get(SERVICE, ""),
        home=labels.get(HOME, ""),
        running=listed.get("State") == "running",
        host=labels.get(HOST, ""),
        user=labels.get(USER, ""),
    )
