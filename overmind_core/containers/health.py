"""The readiness of a container: one check, which blocks for a moment. Who checks again, and until when, is not here."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import quote

from overmind_core.containers.engine import LOOPBACK, Engine
from overmind_core.containers.model import ContainerFailed
from overmind_core.domain.isolation.project import ReadyCheck, ReadyKind

CONNECT_SECONDS = 2.0
"""For an answer from a port of this machine."""
HELD_SECONDS = 0.2
"""That a connection has to last: the engine's proxy takes one for a port where nothing listens, and closes it then."""
ALIVE_SECONDS = 0.3
"""That a container has to last of which nothing else is known."""
LONGEST_WORDS = 200
"""Characters of another program's words in a clause."""


def readiness_problem(engine: Engine, name: str, host_port: int | None, ready: ReadyCheck | None) -> str:
    """Return "" when the container is ready, else a clause that says why it is not yet.

    The image's own health check has to be healthy in any case.

    Args:
        engine: Where it runs.
        name: Its name.
        host_port: Where its port is published on 127.0.0.1.
        ready: What the project says; None: it has only to stay alive.

    Raises:
        ContainerFailed: It has died, or is gone.
        EngineMissing: The engine went away.
    """
    health = _alive(engine, name)
    if health in {"starting", "unhealthy"}:
        return f"its own health check reports {health}"
    if ready is None:
        if not health:
            time.sleep(ALIVE_SECONDS)
            _alive(engine, name)
        return ""
    try:
        return LOOKS[ready.kind](engine, name, host_port, ready.target)
    except ContainerFailed:
        _alive(engine, name)  # when it has died meanwhile, that is the reason
        raise


def _alive(engine: Engine, name: str) -> str:
    """What its own health check reports.

    Raises:
        ContainerFailed: It does not run.
    """
    state = engine.state(name)
    if state.running:
        return state.health
    if not state.exists:
        raise ContainerFailed(f"container {name} was removed by someone else")
    ended = f"ended with exit code {state.exit_code}" if state.exit_code is not None else "was never started"
    because = f" ({state.error})" if state.error else ""
    raise ContainerFailed(f"container {name} {ended}{because} before it was ready", engine.log_tail(name))


def _tcp(_engine: Engine, _name: str, host_port: int | None, _target: str) -> str:
    closed = f"nothing answers at port {host_port} yet"
    if host_port is None:
        return "its port is not published"
    try:
        connection = socket.create_connection((LOOPBACK, host_port), CONNECT_SECONDS)
    except OSError:
        return closed
    with connection:
        connection.settimeout(HELD_SECONDS)
        try:
            return "" if connection.recv(1) else closed
        except TimeoutError:
            return ""  # held, and waiting for the client to speak first
        except OSError:
            return closed


def _http(_engine: Engine, _name: str, host_port: int | None, target: str) -> str:
    if host_port is None:
        return "its port is not published"
    path = quote("/" + target.lstrip("/"), safe="/?&=%#:@!$'()*+,;~[]")
    connection = http.client.HTTPConnection(LOOPBACK, host_port, timeout=CONNECT_SECONDS)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except TimeoutError:
        return f"GET {path} at port {host_port} is not answered within {CONNECT_SECONDS:g} s"
    except (OSError, http.client.HTTPException):
        return f"nothing answers HTTP at port {host_port} yet"
    finally:
        connection.close()
    return "" if HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST else f"GET {path} answers {status}"


def _exec(engine: Engine, name: str, _host_port: int | None, target: str) -> str:
    code, written = engine.run_inside(name, target)
    if code == 0:
        return ""
    last = written.rpartition("\n")[2].strip()[:LONGEST_WORDS]
    return f"`{target[:LONGEST_WORDS]}` ends with {code}{': ' if last else ''}{last}"


def _log(engine: Engine, name: str, _host_port: int | None, target: str) -> str:
    return "" if engine.log_has(name, target) else f"its output does not match {target[:LONGEST_WORDS]} yet"


LOOKS: Mapping[ReadyKind, Callable[[Engine, str, int | None, str], str]] = {
    ReadyKind.TCP: _tcp,
    ReadyKind.HTTP: _http,
    ReadyKind.EXEC: _exec,
    ReadyKind.LOG: _log,
}
