"""Tokens of a Cortex, with colony and role. A token is shown once, when it is made; only its hash is kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import psycopg
from psycopg.errors import UniqueViolation

from overmind_core.domain.memory.sync import first_chain

RANDOM_BYTES = 32
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
"""Of a token and of a colony."""
_BEGINNING = 8
"""Bytes of a hash by which its row is found; all of it is then compared in constant time."""
_USED_EVERY = "1 minute"
"""How exactly it is kept when a token was used: a write for each request would cost more than the request."""


class Role(StrEnum):
    """The permissions of a token."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def may_write(self) -> bool:
        """Whether notes may be sent with it."""
        return self is not Role.READ


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the token tells it and not the request."""

    name: str
    """Of the token: the author of all that is sent with it."""
    role: Role
    colony: str


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token in a list."""

    name: str
    role: Role
    colony: str
    expires_at: datetime | None
    used_at: datetime | None


class NameTaken(Exception):
    """There is a token with this name."""


def digest_of(token: str) -> bytes:
    """Return the hash of a token, as it is stored."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def new_token(
    connection: psycopg.Connection,
    name: str,
    role: Role,
    colony: str,
    *,
    lifetime: timedelta | None = None,
    random: Callable[[int], bytes] = os.urandom,
) -> tuple[str, datetime | None]:
    """Make a token, its colony too when there is none yet; return it, and when it expires.

    Raises:
        NameTaken: there is one with this name.
    """
    token = base64.urlsafe_b64encode(random(RANDOM_BYTES)).rstrip(b"=").decode()
    with connection.transaction():
        server = connection.execute("select id from cortex").fetchone()
        assert server is not None
        connection.execute(
            "insert into colony (name, chain) values (%s, %s) on conflict do nothing",
            [colony, first_chain(server[0], colony)],
        )
        try:
            row = connection.execute(
                "insert into token (name, colony, role, digest, expires_at)"
                " values (%s, %s, %s, %s, now() + %s) returning expires_at",
                [name, colony, role.value, digest_of(token), lifetime],
            ).fetchone()
        except UniqueViolation:
            raise NameTaken from None
    assert row is not None
    return token, row[0]


def find_caller(connection: psycopg.Connection, token: str) -> Caller | None:
    """Return the caller with this token; None: it is unknown, expired or revoked."""
    digest = digest_of(token)
    row = connection.execute(
        "select name, role, colony, digest, used_at is null or used_at < now() - %s::interval from token"
        " where substr(digest, 1, 8) = %s and (expires_at is null or expires_at > now())",
        [_USED_EVERY, digest[:_BEGINNING]],
    ).fetchone()
    if row is None or not hmac.compare_digest(row[3], digest):
        return None
    if row[4]:
        connection.execute("update token set used_at = now() where name = %s", [row[0]])
    return Caller(row[0], Role(row[1]), row[2])


def list_tokens(connection: psycopg.Connection) -> list[TokenRow]:
    """Return all tokens, by name."""
    rows: list[tuple[Any, ...]] = connection.execute(
        "select name, role, colony, expires_at, used_at from token order by name"
    ).fetchall()
    return [TokenRow(name, Role(role), colony, expires, used) for name, role, colony, expires, used in rows]


def revoke_token(connection: psycopg.Connection, name: str) -> bool:
    """Remove a token; return whether there was one. From the next request on it is refused."""
    return connection.execute("delete from token where name = %s", [name]).rowcount > 0
