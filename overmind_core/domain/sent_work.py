"""Work that is sent to another hive: what its repository and its branches are called there. Pure.

A run elsewhere begins at a branch of its own, `sent/<key>/<branch>`: nothing moves it but what lands of that run, and
it goes with it. The last part is the branch from which the work was sent, and to which it comes back.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

SENT = "sent/"
"""How the branches begin that are sent."""
KEY_RANDOM = 4
"""Bytes of a key that make it one of a kind; its time is before them."""
_REPOSITORY = re.compile(r"[a-z0-9][a-z0-9-]{0,63}(?!\n)")
_KEY = re.compile(r"[0-9a-f]{16}(?!\n)")
_TIME = 8
"""Digits of a key that are its time, in seconds since the epoch; the others are random."""
_LONGEST_SLUG = 32
_DIGEST = 12
LEFT_SECONDS = 86_400
"""After so long a sent branch that no run has begun at is left over: a run is asked for at once."""


def repository_name(folder: str, owner: str, place: str) -> str:
    """Return what a repository is called on all hives that it is sent to.

    Args:
        folder: Name of the folder that it is in, for people.
        owner: The id of the home that sends it.
        place: Git's common folder there.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:_LONGEST_SLUG].strip("-") or "repository"
    from hashlib import sha256  # noqa: PLC0415 - it loads OpenSSL: 4 MB, for those who send work

    digest = sha256(f"{owner} {place}".encode(errors="surrogateescape")).hexdigest()
    return f"{slug}-{digest[:_DIGEST]}"


def is_repository_name(name: object) -> bool:
    """Whether a repository may be called so: no path, and nothing that git takes for an option."""
    return isinstance(name, str) and _REPOSITORY.fullmatch(name) is not None


def new_key(now: float, random: bytes) -> str:
    """Return the key of one run's branch: when it was sent (seconds since the epoch), and four random bytes."""
    return f"{int(now) & 0xFFFFFFFF:08x}{random.hex()}"


def sent_branch(key: str, branch: str | None) -> str:
    """Return the branch at which a run begins there; `branch`: from which it was sent, None: it had no name."""
    return f"{SENT}{key}" if branch is None else f"{SENT}{key}/{branch}"


def is_sent(base: str | None) -> bool:
    """Whether this is the name of a branch that was sent."""
    return base is not None and base.startswith(SENT) and _KEY.fullmatch(_key_of(base)) is not None


def branch_of_sent(base: str) -> str | None:
    """Return the branch from which the work was sent; None: it had no name."""
    return base.removeprefix(SENT).partition("/")[2] or None


def left_over(branches: Iterable[str], *, used: Iterable[str], gone: str, now: float) -> list[str]:
    """Return the sent branches that nobody needs any more.

    Args:
        branches: All of the repository, or more.
        used: Those at which runs began that are still known.
        gone: The one of a run that was removed.
        now: Seconds since the epoch.
    """
    kept = frozenset(used)
    return [
        one
        for one in branches
        if is_sent(one) and one not in kept and (one == gone or now - int(_key_of(one)[:_TIME], 16) > LEFT_SECONDS)
    ]


def _key_of(base: str) -> str:
    return base.removeprefix(SENT).partition("/")[0]
