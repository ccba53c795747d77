"""Where the engine is: what `docker` itself would use, else the sockets that engines are known to have."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from overmind_core.containers.faults import EngineMissing

WHAT_CAN_BE_REACHED = (
    "Overmind speaks to an engine on this machine, by unix:///path/of/docker.sock or tcp://127.0.0.1:port"
)

PORT = 2375
"""Of an engine without TLS, by agreement."""


class Address(NamedTuple):
    """An engine's place, and who named it."""

    url: str
    source: str
    """As a person knows it: `DOCKER_HOST`, `the docker context colima`; "" for a well-known place."""


def candidates(environ: Mapping[str, str]) -> list[Address]:
    """The places to try, in this order; one alone when somebody named it.

    Raises:
        EngineMissing: What was named cannot be used.
    """
    named = _named(environ)
    if named is not None:
        if environ.get("DOCKER_TLS_VERIFY") and not named.url.startswith("unix://"):
            raise EngineMissing(f"DOCKER_TLS_VERIFY is set, and TLS is not supported. {WHAT_CAN_BE_REACHED}.")
        return [Address(usable(named.url, named.source), named.source)]
    return [Address(f"unix://{path}", "") for path in well_known(environ)]


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
        raise EngineMissing(f"{where}, which is no address. {WHAT_CAN_BE_REACHED}.") from None
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
            f"{where}, which is another machine: ports that it publishes on 127.0.0.1 are not reachable from here."
            f" {WHAT_CAN_BE_REACHED}."
        )
    return address if port is not None else f"{address.rstrip('/')}:{PORT}"


def _named(environ: Mapping[str, str]) -> Address | None:
    """What DOCKER_HOST says, else the context that `docker` uses."""
    if host := environ.get("DOCKER_HOST", "").strip():
        return Address(host, "DOCKER_HOST")
    folder = environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".docker")
    context = environ.get("DOCKER_CONTEXT") or _field(os.path.join(folder, "config.json"), "currentContext")
    if not context or context == "default":
        return None
    digest = hashlib.sha256(context.encode("utf-8", "surrogateescape")).hexdigest()
    url = _field(os.path.join(folder, "contexts", "meta", digest, "meta.json"), "Endpoints", "docker", "Host")
    if not url:
        raise EngineMissing(
            f"the docker context {context} is selected, and it does not exist. See `docker context ls`, and select"
            " one with `docker context use default`."
        )
    return Address(url, f"the docker context {context}")


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
