"""What the engine is told when a container is made, and what it means when it refuses."""

from __future__ import annotations

import re
from typing import Any

from overmind_core.containers.spec import RECIPE, ContainerSpec, recipe

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
    if spec.port is not None and spec.host_port is not None:
        wanted["ExposedPorts"] = {f"{spec.port}/tcp": {}}
        host["PortBindings"] = {f"{spec.port}/tcp": [{"HostIp": LOOPBACK, "HostPort": str(spec.host_port)}]}
    return wanted


def port_taken(words: str) -> bool:
    """Whether the engine refuses since the port on this machine is another program's."""
    return PORT_TAKEN.search(words) is not None


def taken(spec: ContainerSpec) -> str:
    """Say that, and what to do."""
    return (
        f"container {spec.name} could not be started: port {spec.host_port} of {LOOPBACK} is taken by another program."
        " End that program, or change isolation.port_range in .overmind.yml."
    )
