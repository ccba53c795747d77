"""The name of a repository: the same for all its clones and worktrees, as far as that can be known. Pure.

A URL gives `host/path`, whatever protocol, user, password, port or ending it was written with. No secret of a URL is in
the name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from overmind_core.domain.memory.redaction import redact

LONGEST_NAME = 1000
"""Characters."""
ORIGIN = "origin"
ROOT = "root:"
"""How the name of a repository begins that is known by its first commit."""


class KnownBy(StrEnum):
    """The source of a repository's name."""

    URL = "url"
    """Of its remote: the only kind that means something on another machine, beside an alias."""
    ROOT = "root"
    """Its first commit; of several the least."""
    PATH = "path"
    """Where it is."""


class RepositoryName(NamedTuple):
    """A repository's name, and its source."""

    name: str
    by: KnownBy


_PORTS: Mapping[str, str] = {
    "ssh": "22",
    "git+ssh": "22",
    "ssh+git": "22",
    "https": "443",
    "http": "80",
    "git": "9418",
    "ftp": "21",
    "ftps": "990",
}
"""The port that needs no mention, by protocol. Others are of no host: `file://`, and what programs of git's read."""
_FOLDED = frozenset({"github.com", "gitlab.com", "bitbucket.org"})
"""Hosts that do not tell capital letters of a path from small ones."""
_URL = re.compile(r"(?P<protocol>[A-Za-z][A-Za-z0-9+.-]*)://(?P<host>[^/?#]*)(?P<path>[^?#]*)(?:[?#].*)?", re.DOTALL)
_SCP = re.compile(r"(?P<host>(?:[^\[\]/:]*@)?(?:\[[^\]/]*\]|[^\[\]/:]+)):(?!:)(?P<path>.*)", re.DOTALL)
"""As ssh's copies have it: `git@host:path`, `[git@host:2222]:path`. Source: git-clone(1), "Git URLs"; connect.c."""
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::(?P<port>[0-9]*))?")


def name_of_remote(url: str) -> str | None:
    """The name that the URL of a remote gives, as in `github.com/team/shop`; None: it is a path, or none that is known.

    What is configured counts, not what `insteadOf` makes of it: somebody's mirror is the same repository.
    """
    url = url.strip()
    found = _URL.fullmatch(url)
    if found is not None:
        protocol = found["protocol"].lower()
        default = _PORTS.get(protocol)
        if default is None:
            return None
        return _name(found["host"], found["path"], default)
    if "://" in url:
        return None
    scp = _SCP.fullmatch(url)
    return None if scp is None else _name(_unbracketed(scp["host"]), scp["path"], _PORTS["ssh"], between=":")


def _unbracketed(host: str) -> str:
    """`[git@host:2222]` is `git@host:2222`; an address of IPv6 keeps its brackets."""
    user, at, rest = ("", "", host) if host.startswith("[") else host.rpartition("@")
    inner = rest[1:-1] if rest.startswith("[") else rest
    is_address = inner.count(":") > 1 and "@" not in inner
    return host if is_address else f"{user}{at}{inner}"


def _name(authority: str, path: str, default_port: str, *, between: str = "/") -> str | None:
    user, at, rest = authority.rpartition("@")
    host = _HOST.fullmatch(rest)
    if host is None or (
        at and ":" in user and "@" in path
    ):  # a password with a slash in it: its end may be in the path
        return None
    port = "" if host["port"] in {None, "", default_port} else f":{host['port']}"
    place = host["name"].lower()
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if not parts or ".." in parts:
        return None
    parts[-1] = parts[-1].removesuffix(".git")
    if not parts[-1]:
        parts.pop()
    whole = "/".join(parts)
    name = f"{place}{port}/{whole.lower() if place in _FOLDED else whole}"
    is_plain = whole and name.isprintable() and len(name) <= LONGEST_NAME
    # As it was written, too: a token in small letters is none, nor is one whose colon has become a slash.
    written = {f"{rest}/{whole}", f"{rest}{between}{whole}"}
    is_secret = is_plain and redact(" ".join((name, *written))).secrets
    return name if is_plain and not is_secret else None


def chosen_name(remotes: Mapping[str, str]) -> str | None:
    """The name that the remotes give, URL by name: `origin`, else the only one."""
    url = remotes.get(ORIGIN) if ORIGIN in remotes or len(remotes) != 1 else next(iter(remotes.values()))
    return None if url is None else name_of_remote(url)
