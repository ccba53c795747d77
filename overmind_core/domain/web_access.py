"""Logins of the web: links, sessions and tokens, when each of them counts, and how they are named. Pure.

A link is used once, within ten minutes, and becomes a session: two secrets, one that the browser keeps as a cookie, one
that its page keeps beside it. A token is one secret, for scripts. What is stored of a secret is its SHA-256: as each
secret is 256 random bits, that is enough, and a slow hash would only cost every request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import NamedTuple, TypeVar

from overmind_core.domain.text.cells import cut, display_safe

RANDOM_BYTES = 32
"""Of each secret."""
LINK_SECONDS = 600.0
"""How long a link can be used."""
MOST_LINKS = 20
"""Links that wait to be used; the oldest is dropped for one more."""
MOST_ACCESSES = 100
"""Sessions and tokens that count at one time."""
SHORTEST = 60.0
"""Seconds that a session or token lasts at least."""
LONGEST = 3650 * 86_400.0
"""The same, at most: ten years."""
CLOCK_SLACK = 120.0
"""Seconds that a clock may be set back, as by a time server, without a new login being refused."""
USED_EVERY = 60.0
"""Seconds between two times at which the use of a login is noted: a write for each request would cost more than it."""
KEPT_SECONDS = 86_400.0
"""Seconds that what has expired is kept: a clock that was wrong for a while ends nobody's login for good."""
LONGEST_NAME = 32
LONGEST_BROWSER = 60
"""Cells."""
BROWSER = "browser"
"""The name of a session whose link has none."""
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
NAME_RULE = "write 1 to 32 lower-case letters, digits and hyphens, beginning with a letter or digit"


class AccessKind(StrEnum):
    """The two ways to be let in."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - no secret


class Link(NamedTuple):
    """A link that waits to be used. Times in seconds since the epoch."""

    digest: bytes
    name: str | None
    """The name of the session that it becomes; None: `browser`, or with a number."""
    read_only: bool
    lifetime: float
    """Seconds that the session lasts, from its login."""
    made_at: float
    expires_at: float


class Access(NamedTuple):
    """A session or a token. Times in seconds since the epoch."""

    name: str
    kind: AccessKind
    digest: bytes
    """Of the session's cookie, or of the token."""
    key_digest: bytes | None
    """Of the session's key; a token has none."""
    read_only: bool
    browser: str
    """The browser, such as `Firefox on Android`; "" for a token."""
    made_at: float
    expires_at: float
    used_at: float | None = None


def encode_secret(random: bytes) -> str:
    """Return a secret as the text that people and programs pass on: 43 characters that need no quoting anywhere."""
    from base64 import urlsafe_b64encode  # noqa: PLC0415 - for those who log in

    return urlsafe_b64encode(random).rstrip(b"=").decode()


def digest_of(secret: str) -> bytes:
    """Return the hash of a secret, as it is stored."""
    from hashlib import sha256  # noqa: PLC0415 - it loads OpenSSL, which no start should wait for

    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def same_digest(first: bytes, second: bytes) -> bool:
    """Whether two hashes are equal, found out in a time that does not depend on where they differ."""
    from hmac import compare_digest  # noqa: PLC0415 - as above

    return compare_digest(first, second)


def has_expired(expires_at: float, now: float) -> bool:
    """Whether its time is over."""
    return now >= expires_at


def counts(one: Link | Access, now: float) -> bool:
    """Whether it lets anybody in at `now`.

    A clock that was set back to before it was made says nothing of how old it is: until the clock is right again it is
    refused.
    """
    return one.made_at - CLOCK_SLACK <= now and not has_expired(one.expires_at, now)


def is_forgotten(one: Link | Access, now: float) -> bool:
    """Whether it has expired so long ago that nothing is kept of it."""
    return has_expired(one.expires_at + KEPT_SECONDS, now)


def is_name(text: str) -> bool:
    """Whether a session or token may have this name."""
    return NAME.fullmatch(text) is not None


def free_name(wanted: str | None, taken: Collection[str]) -> str:
    """Return `wanted`, or with the first number from 2 that makes it a name that is not `taken`."""
    base = wanted or BROWSER
    if base not in taken:
        return base
    for number in range(2, len(taken) + 3):
        ending = f"-{number}"
        found = f"{base[: LONGEST_NAME - len(ending)]}{ending}"
        if found not in taken:
            return found
    raise AssertionError


def find_link(links: Collection[Link], secret: str, now: float) -> Link | None:
    """Return the link with this secret, if it counts at `now`."""
    digest = digest_of(secret)
    return _first(links, lambda one: same_digest(one.digest, digest), now)


def find_session(accesses: Collection[Access], cookie: str, key: str, now: float) -> Access | None:
    """Return the session with these two secrets, if it counts at `now`: one of them alone is nothing."""
    digest, key_digest = digest_of(cookie), digest_of(key)

    def matches(one: Access) -> bool:
        return (
            one.key_digest is not None and same_digest(one.digest, digest) and same_digest(one.key_digest, key_digest)
        )

    return _first([one for one in accesses if one.kind is AccessKind.SESSION], matches, now)


def find_token(accesses: Collection[Access], token: str, now: float) -> Access | None:
    """Return the token, if it counts at `now`."""
    digest = digest_of(token)
    tokens = [one for one in accesses if one.kind is AccessKind.TOKEN]
    return _first(tokens, lambda one: same_digest(one.digest, digest), now)


One = TypeVar("One", Link, Access)


def _first(ones: Collection[One], matches: Callable[[One], bool], now: float) -> One | None:
    return next((one for one in ones if matches(one) and counts(one, now)), None)


def is_use_due(one: Access, now: float) -> bool:
    """Whether it is to be noted that it was used at `now`."""
    return one.used_at is None or now >= one.used_at + USED_EVERY


_PROGRAMS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"), ("Firefox/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
    ("curl/", "curl"),
)  # fmt: skip
"""What a user agent says → the browser: the first counts, as most pretend to be those that follow."""
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"), ("Windows", "Windows"),
    ("Macintosh", "macOS"), ("Linux", "Linux"), ("BSD", "BSD"),
)  # fmt: skip


def browser_of(user_agent: str) -> str:
    """Return what a list shows of a browser: `Firefox on Android`, or the beginning of what it says it is."""
    program = next((name for word, name in _PROGRAMS if word in user_agent), None)
    system = next((name for word, name in _SYSTEMS if word in user_agent), None)
    if program is None:
        return cut(display_safe(user_agent.strip()), LONGEST_BROWSER)
    return program if system is None else f"{program} on {system}"


def needs_address(address: str, *, subject: str, question: int | None) -> str:
    """Return the page of what needs a person: a question, else what a mission, quest or spec waits for.

    Args:
        address: Of the web server.
        subject: The id of that mission, quest or spec.
        question: The number of the question, where it is one.
    """
    from urllib.parse import quote  # noqa: PLC0415 - for those who have a web server

    wanted = f"id={quote(subject, safe='')}" if question is None else f"q={question}"
    return f"{address.rstrip('/')}/#/needs?{wanted}"


def link_address(address: str, link: str) -> str:
    """Return what a person opens: the secret stands behind the `#`, which no browser sends to any server."""
    return f"{address.rstrip('/')}/#link={link}"
