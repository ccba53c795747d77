"""Connecting to a container engine: where it is, whether it answers, and a client that speaks its version.

It is where `docker` itself would look, else at the sockets that engines are known to have.
"""

from __future__ import annotations

import errno
import hashlib
import ipaddress
import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from overmind_core.containers.model import EngineMissing

WHAT_CAN_BE_REACHED = (
    "Overmind connects to an engine on this machine, through unix:///path/of/docker.sock or tcp://127.0.0.1:port"
)

PORT = 2375
"""Of an engine without TLS, by agreement."""


class EngineAddress(NamedTuple):
    """The address of an engine, and where it was configured."""

    url: str
    source: str
    """As a person knows it: `DOCKER_HOST`, `the docker context colima`; "" for a well-known place."""


def candidates(environ: Mapping[str, str]) -> list[EngineAddress]:
    """The addresses to try, in this order; a configured one alone.

    Raises:
        EngineMissing: What was named cannot be used.
    """
    named = _named(environ)
    if named is not None:
        if environ.get("DOCKER_TLS_VERIFY") and not named.url.startswith("unix://"):
            raise EngineMissing(f"DOCKER_TLS_VERIFY is set, and TLS is not supported. {WHAT_CAN_BE_REACHED}.")
        return [EngineAddress(usable(named.url, named.source), named.source)]
    return [EngineAddress(f"unix://{path}", "") for path in well_known(environ)]


def well_known(environ: Mapping[str, str]) -> list[str]:
    """Paths of the sockets of Docker (system, rootless, Desktop) and of Podman."""
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    home = environ.get("HOME") or os.path.expanduser("~")
    return [
        "/var/run/docker.sock",
        f"{runtime}/docker.sock",
        f"{home}/.docker/run/docker.sock",
        f"{home}/.docker/desktop/docker.sock",
        f"{runtime}/podman/podman.sock",
        "/run/podman/podman.sock",
    ]


def usable(url: str, source: str) -> str:
    """Return `url` with its scheme.

    Raises:
        EngineMissing: It is no address, or that of an engine on another machine.
    """
    address = url if "://" in url else f"tcp://{url}"
    where = f"{source} is {_shown(address)}"
    try:
        scheme, host, port = urlsplit(address).scheme, urlsplit(address).hostname, urlsplit(address).port
    except ValueError:
        raise EngineMissing(f"{where}, which is not an address. {WHAT_CAN_BE_REACHED}.") from None
    if scheme == "unix":
        return address
    if scheme == "https":
        raise EngineMissing(f"{where}, and TLS is not supported. {WHAT_CAN_BE_REACHED}.")
    if scheme not in {"tcp", "http"}:
        raise EngineMissing(
            f"{where}, and {scheme}:// is not supported. {WHAT_CAN_BE_REACHED}; forward a socket of another machine,"
            " and its ports, or use an engine here."
        )
    if host is None or not _is_here(host):
        raise EngineMissing(
            f"{where}, which is another machine: ports published on its 127.0.0.1 can't be reached from here."
            f" {WHAT_CAN_BE_REACHED}."
        )
    return address if port is not None else f"{address.rstrip('/')}:{PORT}"


def _named(environ: Mapping[str, str]) -> EngineAddress | None:
    """What DOCKER_HOST says, else the context that `docker` uses."""
    if host := environ.get("DOCKER_HOST", "").strip():
        return EngineAddress(host, "DOCKER_HOST")
    folder = environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".docker")
    context = environ.get("DOCKER_CONTEXT") or _field(os.path.join(folder, "config.json"), "currentContext")
    if not context or context == "default":
        return None
    digest = hashlib.sha256(context.encode("utf-8", "surrogateescape")).hexdigest()
    url = _field(os.path.join(folder, "contexts", "meta", digest, "meta.json"), "Endpoints", "docker", "Host")
    if not url:
        raise EngineMissing(
            f"the docker context {context} is selected but does not exist. See `docker context ls`, and select"
            " one with `docker context use default`."
        )
    return EngineAddress(url, f"the docker context {context}")


def _field(path: str, *keys: str) -> str:
    """A text in a file of JSON; "" when it cannot be had."""
    try:
        with open(path, "rb") as file:
            value = json.load(file)
    except (OSError, ValueError):
        return ""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(url: str) -> str:
    """An address without the password that it may hold."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


PROBE_SECONDS = 5.0
"""For an engine to say who it is; one that just starts needs a second."""
CALL_SECONDS = 60
"""For any other answer: a busy engine that makes twenty containers at once is not a dead one."""
OLDEST_API = "1.24"
"""What the SDK speaks at least."""
CONNECTIONS = 32
"""Kept open at once, for so many threads."""

HOW_TO_HAVE_ONE = (
    "Start the engine (`sudo systemctl start docker`, Docker Desktop, or `systemctl --user start podman.socket`),"
    " install one, or name its socket in DOCKER_HOST."
)


def first_that_answers(addresses: Sequence[EngineAddress]) -> str:
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
            check_reachable(address.url, f" ({address.source})" if address.source else "")
        except EngineMissing as error:
            broken.append(error)
            continue
        return address.url
    if broken:
        raise broken[0]
    raise EngineMissing(f"no Docker or Podman engine on this machine: none of {', '.join(absent)} exists."
                        f" {HOW_TO_HAVE_ONE}")  # fmt: skip


def connected(url: str) -> Any:
    """Return a client of the SDK that speaks the engine's own version.

    Raises:
        EngineMissing: No engine answers at `url`.
    """
    import docker

    check_reachable(url)
    client = docker.APIClient(base_url=url, version=_version(url), timeout=CALL_SECONDS, max_pool_size=CONNECTIONS)
    client.trust_env = False  # a proxy is for the world outside, never for a socket of this machine
    return client


def check_reachable(url: str, source: str = "") -> None:
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
                f"the engine's socket {place} can't be opened: permission denied. Join the docker group"
                " (`sudo usermod -aG docker $USER`, log in again, restart the daemon), or use a rootless engine."
            )
        case errno.ENOENT:
            return f"no Docker or Podman engine answers: {place} does not exist. {HOW_TO_HAVE_ONE}"
        case errno.ECONNREFUSED:
            return f"no Docker or Podman engine answers: nothing listens at {place}. {HOW_TO_HAVE_ONE}"
        case _:
            return f"no Docker or Podman engine answers at {place}: {error.strerror or error}. {HOW_TO_HAVE_ONE}"


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
        answer = client.version(api_version=False)
        version = str(answer["ApiVersion"])
        oldest = tuple(int(part) for part in OLDEST_API.split("."))
        if tuple(int(part) for part in version.split(".")) >= oldest:
            return version
    except requests.exceptions.Timeout as error:
        raise EngineMissing(
            f"the engine at {url} accepts connections but does not answer within {PROBE_SECONDS:g} s."
            " Look at it with `docker version`, or restart it."
        ) from error
    except (requests.exceptions.RequestException, docker.errors.DockerException, OSError) as error:
        raise EngineMissing(f"{url} accepts connections but is not a Docker or Podman engine."
                            f" {HOW_TO_HAVE_ONE}") from error  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise EngineMissing(f"{url} answers, but is not a Docker or Podman engine. {HOW_TO_HAVE_ONE}") from error
    finally:
        client.close()
    raise EngineMissing(f"the engine at {url} is too old: it supports API version {version}, and at least"
                        f" {OLDEST_API} is required. Upgrade it.")  # fmt: skip


def _path(url: str) -> str:
    return url.removeprefix("unix://")
