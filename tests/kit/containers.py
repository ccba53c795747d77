"""Containers of one test: names, labels and ports that are nobody else's, and the proof that nothing is left."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

from overmind_core.containers.engine import Engine
from overmind_core.containers.model import HOME, MISSION, SERVICE, ContainerSpec

BUSYBOX, HEALTHY, REDIS = "overmind-test/busybox:1", "overmind-test/healthy:1", "overmind-test/redis:7"
"""What scripts/test-images makes; what the first two do is the variable RUN."""
REDIS_PORT = 6379


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Containers:
    """What one test makes in an engine."""

    def __init__(self, engine: Engine, home: str) -> None:
        self.engine = engine
        self.home = home
        self.mission = home.rpartition("/")[2][:8]
        self.told: list[str] = []
        """Progress, as it was told."""

    def spec(self, service: str = "db", image: str = BUSYBOX, run: str = "", **more: Any) -> ContainerSpec:
        """A container of this test's mission."""
        env = {**more.pop("env", {}), **({"RUN": run} if run else {})}
        volumes = {f"overmind-{self.mission}-{service}-{name}": path for name, path in more.pop("volumes", {}).items()}
        labels = {MISSION: self.mission, HOME: self.home, SERVICE: service}
        name = f"overmind-{self.mission}-{service}"
        return ContainerSpec(name, image, env=env, volumes=volumes, labels=labels, **more)

    def start(self, service: str = "db", image: str = BUSYBOX, run: str = "", **more: Any) -> ContainerSpec:
        """The same, running."""
        spec = self.spec(service, image, run, **more)
        self.ensure(spec)
        return spec

    def ensure(self, spec: ContainerSpec) -> None:
        """Have it run."""
        self.engine.ensure(spec, self.told.append)

    def inspect(self, name: str) -> dict[str, Any]:
        """What the engine itself says about a container."""
        found: dict[str, Any] = self.engine._client.inspect_container(name)
        return found

    def end(self) -> None:
        """Remove everything, and see that it is gone."""
        for one in self.engine.own_containers(self.home):
            self.engine.remove(one.name)
        self.engine.remove_volumes(self.engine.volumes_of(self.mission, self.home))
        assert self.engine.own_containers(self.home) == []
        assert self.engine.volumes_of(self.mission, self.home) == []


def redis(port: int, *words: str) -> str:
    """Ask the redis at `port` of this machine; what it answers, "" when it does not."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.settimeout(5)
        connection.sendall((" ".join(words) + "\r\n").encode())
        return connection.recv(4096).decode().strip()
    return ""
