"""What isolated missions need besides git: ports of their own, and an engine where a project has containers."""

from __future__ import annotations

import socket

from overmind_core.cli.doctor.finding import Finding, World, fail, ok, warn
from overmind_core.domain.isolation.project import FIRST_PORT, LAST_PORT

FEW_PORTS = 50
"""Of the range; each mission takes one, and one for each of its services."""
_HOST = "127.0.0.1"
_OTHER_RANGE = "another range in .overmind.yml: isolation: { port_range: 13100-13999 }"


def engine(world: World) -> Finding:
    """Whether the engine that containers of missions would be made by answers; it needs no docker command."""
    from overmind_core.containers.engine import Engine, EngineMissing

    try:
        found = Engine.connect(world.environ)
    except EngineMissing as error:
        what, _, mend = error.why.partition(". ")
        return warn(what, f"only for projects with containers: {mend or 'start Docker or Podman'}")
    found.close()
    return ok(found.url)


def ports(_world: World) -> Finding:
    """How many ports of the range that is taken where a project names none are free."""
    return judge_ports(sum(map(_is_free, range(FIRST_PORT, LAST_PORT + 1))))


def judge_ports(free: int) -> Finding:
    """Judge the number of free ports of that range."""
    found = f"{free} of {FIRST_PORT}-{LAST_PORT} are free"
    if not free:
        return fail(found, _OTHER_RANGE)
    return warn(found, _OTHER_RANGE) if free < FEW_PORTS else ok(found)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
        return True
