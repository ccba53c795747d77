"""An engine is spoken to for the first time: whether one is there, and whether it is one."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence
from typing import Any

from overmind_core.containers.address import Address
from overmind_core.containers.faults import EngineMissing

PROBE_SECONDS = 5.0
"""For an engine to say who it is; one that just starts needs a second."""
CALL_SECONDS = 60
"""For any other answer: a busy engine that makes twenty containers at once is not a dead one."""
OLDEST_API = "1.24"
"""What the SDK speaks at least."""
CONNECTIONS = 32
"""Kept open at once, for so many threads."""

HOW_TO_HAVE_ONE = (
    "Start it (`sudo systemctl start docker`, Docker Desktop, or `systemctl --user start podman.socket`),"
    " install one, or name its socket in DOCKER_HOST."
)


def first_that_answers(addresses: Sequence[Address]) -> str:
    """The URL of the first engine that answers.

    Raises:
        EngineMissing: None does. It tells of the first that is there at all.
    """
    absent, broken = [], []
    for address in addresses:
        if not address.source and not os.path.lexists(_path(address.url)):
            absent.append(_path(address.url))
            continue
        try:
            knock(address.url, f" ({address.source})" if address.source else "")
        except EngineMissing as error:
            broken.append(error)
            continue
        return address.url
    if broken:
        raise broken[0]
    raise EngineMissing(f"no engine of Docker or Podman is on this machine: none of {', '.join(absent)} exists."
                        f" {HOW_TO_HAVE_ONE}")  # fmt: skip


def connected(url: str) -> Any:
    """Return a client of the SDK that speaks the engine's own version.

    Raises:
        EngineMissing: No engine answers at `url`.
    """
    import docker

    knock(url)
    client = docker.APIClient(base_url=url, version=_version(url), timeout=CALL_SECONDS, max_pool_size=CONNECTIONS)
    client.trust_env = False  # a proxy is for the world outside, never for a socket of this machine
    return client


def knock(url: str, source: str = "") -> None:
    """See that something takes connections at `url`.

    Raises:
        EngineMissing: It does not; the sentence ends with `source`, and with what to do.
    """
    try:
        _open(url).close()
    except OSError as error:
        raise EngineMissing(_why_closed(url, source, error)) from error


def _open(url: str) -> socket.socket:
    if url.startswith("unix://"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(PROBE_SECONDS)
        try:
            connection.connect(_path(url))
        except OSError:
            connection.close()
            raise
        return connection
    host, _, port = url.partition("://")[2].partition("/")[0].rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), PROBE_SECONDS)


def _why_closed(url: str, source: str, error: OSError) -> str:
    place = f"{_path(url) if url.startswith('unix://') else url}{source}"
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return (
                f"the engine's socket {place} may not be used by this user: permission denied. Join the docker group"
                " (`sudo usermod -aG docker $USER`, log in again, start Overmind anew), or use a rootless engine."
            )
        case errno.ENOENT:
            return f"no engine of Docker or Podman answers: {place} does not exist. {HOW_TO_HAVE_ONE}"
        case errno.ECONNREFUSED:
            return f"no engine of Docker or Podman answers: nothing listens at {place}. {HOW_TO_HAVE_ONE}"
        case _:
            return f"no engine of Docker or Podman answers at {place}: {error.strerror or error}. {HOW_TO_HAVE_ONE}"


def _version(url: str) -> str:
    """The version of the API that the engine speaks.

    Raises:
        EngineMissing: It is none, is slow, or is too old.
    """
    import docker
    import docker.errors
    import requests.exceptions

    client: Any = docker.APIClient(base_url=url, version=OLDEST_API, timeout=PROBE_SECONDS)
    client.trust_env = False
    try:
        said = client.version(api_version=False)
        version = str(said["ApiVersion"])
        oldest = tuple(int(part) for part in OLDEST_API.split("."))
        if tuple(int(part) for part in version.split(".")) >= oldest:
            return version
    except requests.exceptions.Timeout as error:
        raise EngineMissing(
            f"the engine at {url} takes connections and does not answer within {PROBE_SECONDS:g} s."
            " Look at it with `docker version`, or start it anew."
        ) from error
    except (requests.exceptions.RequestException, docker.errors.DockerException, OSError) as error:
        raise EngineMissing(f"{url} takes connections and is no engine of Docker or Podman: it does not answer as one."
                            f" {HOW_TO_HAVE_ONE}") from error  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise EngineMissing(f"{url} answers, and is no engine of Docker or Podman. {HOW_TO_HAVE_ONE}") from error
    finally:
        client.close()
    raise EngineMissing(f"the engine at {url} is too old: it speaks version {version} of its API, and at least"
                        f" {OLDEST_API} is needed. Upgrade it.")  # fmt: skip


def _path(url: str) -> str:
    return url.removeprefix("unix://")
