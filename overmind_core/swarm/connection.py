"""A connection with a swarm's database, that never waits for longer than it may, and whose errors are words for people.

A frozen server keeps its TCP connections alive, and no limit of its own runs out: so the time that an answer may take
is measured here.
"""

from __future__ import annotations

import ipaddress
import os
import re
import select
import time
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import conninfo, errors
from psycopg.waiting import Ready

from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg.abc import PQGen

ANSWER_SECONDS = 10.0
"""How long a statement may take, the way there and back included."""
CONNECT_SECONDS = 10
Answer = TypeVar("Answer")


class SwarmSilent(OvermindError):
    """The database does not answer, takes no writes, or is another version's.

    `unknown`: what was asked may have been done.
    """

    def __init__(self, message: str, *, unknown: bool = False) -> None:
        super().__init__("swarm_silent", message)
        self.unknown = unknown


class NotLetIn(OvermindError):
    """The server lets this home not in, as with a login that it refuses or a database that is not there.

    Nothing was asked, so this says nothing of what the swarm knows.
    """


_READS = 64
"""Most pieces of input that are taken in at once: a server that talks without end is heard next time."""


class BoundedConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that is closed when an answer takes too long."""

    answer_seconds = ANSWER_SECONDS

    def wait(self, gen: PQGen[Answer], *_args: object, **_kwargs: object) -> Answer:
        """Wait for an answer.

        Raises:
            psycopg.OperationalError: there was none in time; the connection is closed.
        """
        end = time.monotonic() + self.answer_seconds
        try:
            wanted = next(gen)
            while True:
                wanted = gen.send(self._ready(int(wanted), end))
        except StopIteration as ended:
            return ended.value  # type: ignore[no-any-return]

    def read_all(self) -> None:
        """Take in what has come, without waiting.

        Raises:
            psycopg.OperationalError: the other side has hung up.
        """
        come = select.poll()
        come.register(self.pgconn.socket, select.POLLIN)
        for _ in range(_READS):  # a server that ends says so first, and hangs up behind it
            self.pgconn.consume_input()
            if not come.poll(0):
                return

    def _ready(self, wanted: int, end: float) -> Ready:
        """What the socket is ready for of what is wanted: 1 to be read, 2 to be written."""
        poll = select.poll()
        poll.register(self.pgconn.socket, (select.POLLIN if wanted & 1 else 0) | (select.POLLOUT if wanted & 2 else 0))
        try:
            found = poll.poll(max(0.0, end - time.monotonic()) * 1000)
        except BaseException:  # whoever interrupts leaves a question without its answer
            self.close()
            raise
        if not found:
            self.close()
            raise psycopg.OperationalError(f"no answer within {self.answer_seconds:g} s")
        happened = found[0][1]
        # An error or a hang-up is to be read, so that libpq says what it is.
        ready = (1 if happened & ~select.POLLOUT else 0) | (2 if happened & ~select.POLLIN else 0)
        return Ready(ready & wanted or wanted)


def checked(url: str) -> dict[str, Any]:
    """Return the parameters of a URL, made safe: TLS with a checked name, but for loopback and sockets.

    Raises:
        OvermindError: `invalid`, it is no URL of PostgreSQL, asks for less, or names a file by a part of its path.
    """
    try:
        found: dict[str, Any] = dict(conninfo.conninfo_to_dict(url))
    except psycopg.Error:
        found = {}
    if not found:  # of an empty one libpq would make the server that is nearest
        raise OvermindError(
            "invalid", "The URL of a PostgreSQL database looks like this: postgresql://NAME@HOST/DATABASE"
        )
    if "service" in found:
        raise OvermindError("invalid", "The URL of a swarm names its host itself, not by service")
    for name in _FILES:
        path = str(found.get(name) or "/")
        if not path.startswith("/") and (name, path) != ("sslrootcert", "system"):
            # The daemon has another current folder than whoever typed it, and no shell has put a home for ~.
            raise OvermindError("invalid", f"{name} names a file by its whole path, not {path}")
    hosts = _hosts(found)
    far = [host for host in hosts if not _is_near(host)]
    if far:
        mode = found.setdefault("sslmode", "verify-full")
        if mode != "verify-full":
            raise OvermindError(
                "invalid", f"The way to {far[0]} would not be safe with sslmode={mode}. Use sslmode=verify-full"
            )
    return found


_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
"""Parameters that name files."""


def _hosts(found: Mapping[str, Any]) -> list[str]:
    """The hosts that libpq would connect with; of a host with an address it is the address that counts."""
    named = str(found.get("host") or os.environ.get("PGHOST", ""))
    addresses = str(found.get("hostaddr") or os.environ.get("PGHOSTADDR", ""))
    return [*named.split(","), *addresses.split(",")]


def _is_near(host: str) -> bool:
    """Whether nobody can listen in on the way to a host."""
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_with_login(url: str, login: str, password: str) -> str:
    """Return the URL of the same database for somebody else."""
    from urllib.parse import quote, urlencode  # noqa: PLC0415 - once in a while

    found = {name: value for name, value in conninfo.conninfo_to_dict(url).items() if value is not None}
    hosts, ports = str(found.pop("host", "")).split(","), str(found.pop("port", "")).split(",")
    database = found.pop("dbname", "")
    found.pop("user", None)
    found.pop("password", None)
    if any(host.startswith("/") for host in hosts):
        where = ""
        found["host"] = ",".join(hosts)
        if any(ports):
            found["port"] = ",".join(ports)
    else:
        ports += ports[-1:] * (len(hosts) - len(ports))
        where = ",".join(
            (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
            for host, port in zip(hosts, ports, strict=False)
        )
    more = f"?{urlencode(found, quote_via=quote)}" if found else ""
    return (
        f"postgresql://{quote(login, safe='')}:{quote(password, safe='')}@{where}/{quote(str(database), safe='')}{more}"
    )


def connect(url: str, *, answer_seconds: float = ANSWER_SECONDS) -> BoundedConnection:
    """Connect; each statement is a transaction of its own.

    Raises:
        OvermindError: `invalid`, see `checked`.
        NotLetIn: the server refuses the login, or has no such database.
        SwarmSilent: nobody answers there, or takes writes.
    """
    parameters = checked(url)
    parameters.update(
        connect_timeout=CONNECT_SECONDS,
        tcp_user_timeout=int(answer_seconds * 1000),
        keepalives=1,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        target_session_attrs="read-write",
        application_name="overmind",
        options=f"-c statement_timeout={int(answer_seconds * 1000)} -c idle_in_transaction_session_timeout=10s"
        " -c default_transaction_isolation=read\\ committed -c client_min_messages=warning",
    )
    try:
        connection = BoundedConnection.connect(**parameters, autocommit=True)
    except psycopg.Error as error:
        said = in_words(error)
        if not isinstance(said, SwarmSilent):
            raise NotLetIn(said.code, said.message) from None
        said.unknown = False  # nothing was asked yet
        raise said from None
    connection.answer_seconds = answer_seconds
    return connection


def in_words(error: psycopg.Error) -> OvermindError:
    """Return an error of the database as one for people."""
    said = error.diag.message_primary or str(error).strip().splitlines()[0].removeprefix("connection failed: ")
    if error.sqlstate == "OM000":  # a function's own
        return OvermindError(error.diag.message_hint or "internal", said)
    if "recovery is in progress" in said or "session is read-only" in said:
        return SwarmSilent(_READ_ONLY)
    if error.sqlstate is None and (found := _of_connecting(said)) is not None:
        return found
    for kinds, code, text in _WORDS:
        if isinstance(error, kinds):
            message = text.format(_not_allowed(said) if isinstance(error, errors.InsufficientPrivilege) else said)
            # What a server refuses it has not done; what it says of its own end tells nothing.
            unknown = isinstance(error, _UNKNOWN) and (error.sqlstate or "08")[:2] in {"08", "57"}
            return SwarmSilent(message, unknown=unknown) if code == "swarm_silent" else OvermindError(code, message)
    return OvermindError("internal", f"The swarm's database refused: {said}")


def _of_connecting(said: str) -> OvermindError | None:
    """Return an error of connecting, which has no code; None: it is one like others."""
    if missing := _NO_DATABASE.search(said):
        return OvermindError(
            "invalid", f"There is no database {missing[1]} on that server. Make it first: createdb {missing[1]}"
        )
    if _NOT_TRUSTED.search(said):
        return SwarmSilent(_NOT_TRUSTED_TEXT.format(said))
    return OvermindError("forbidden", _REFUSED_TEXT.format(said)) if _REFUSED.search(said) else None


def _not_allowed(said: str) -> str:
    """Return what a login may not do, and which role may; a server says no more than the name of a function."""
    found = _DENIED.search(said)
    if found is not None and found[1] == "schema":
        return (
            "This login has no part in a swarm of that database: its schema overmind is not open to it. Ask an owner of"
            " the swarm for an invitation, or name another database."
        )
    what, role = ("look at the swarm", "viewer")
    if found is not None and found[1] == "function":
        what, role = _DEEDS.get(found[2], ("take part in the swarm's work", "worker"))
    article = "an" if role[0] in "ao" else "a"
    return (
        f"This login may not {what}: that takes the role {role}. An owner can make it {article} {role}:"
        f" overmind swarm invite NAME --role {role}"
    )


_DENIED = re.compile(r"permission denied for (\w+) (\w+)")
_DEEDS = {
    "drain": ("drain hives", "worker"),
    "post": ("post to the swarm", "operator"),
    "cancel": ("cancel posts", "operator"),
    "retry": ("queue posts again", "operator"),
    "answer": ("answer questions of posts", "operator"),
    "set_limit": ("set limits", "operator"),
    "apply_fleets": ("change fleets", "operator"),
    "scale": ("change fleets", "operator"),
    "delete_fleet": ("end fleets", "operator"),
    "put_secret": ("set secrets", "operator"),
    "drop_secret": ("remove secrets", "operator"),
    "add_to_pool": ("start instances of pools", "operator"),
    "end_instances": ("end instances of pools", "operator"),
    "invite": ("invite to the swarm", "owner"),
    "uninvite": ("remove logins", "owner"),
    "remove_hive": ("remove hives", "owner"),
}
"""Function → what it does, and the role that it takes; all others are what hives do for their work."""
_READ_ONLY = "The swarm's database takes no writes: it is a standby, or read-only."
_REFUSED_TEXT = "The swarm refuses this login: {}. Check its password in the URL. Ask an owner for a new invitation."
_NO_DATABASE = re.compile(r'database "([^"]*)" does not exist')
_REFUSED = re.compile(r"authentication failed|role .* (does not exist|is not permitted)|no password supplied")
_NOT_TRUSTED = re.compile(r"root certificate file .* does not exist|certificate verify failed")
_NOT_TRUSTED_TEXT = (
    "The swarm's database does not answer: {}. Give the URL the certificate of who has signed the server's:"
    " sslrootcert=FILE, or sslrootcert=system where this machine trusts them. An expired one is not believed either"
)
_UNKNOWN = (psycopg.OperationalError, psycopg.InterfaceError)
_WORDS: tuple[tuple[tuple[type[psycopg.Error], ...], str, str], ...] = (
    ((errors.InsufficientPrivilege,), "forbidden", "{}"),
    (
        (errors.InvalidSchemaName, errors.UndefinedTable, errors.UndefinedFunction, errors.UndefinedColumn),
        "swarm_silent",
        "The database has no swarm, or one of another version ({}). Its owner makes it: overmind swarm init URL",
    ),
    ((errors.ReadOnlySqlTransaction,), "swarm_silent", _READ_ONLY),
    ((errors.DiskFull,), "swarm_silent", "The disk of the swarm's database is full: {}"),
    (
        (errors.InvalidPassword, errors.InvalidAuthorizationSpecification),
        "forbidden",
        _REFUSED_TEXT,
    ),
    ((errors.DataError, errors.IntegrityError), "invalid", "The swarm's database does not take this: {}"),
    (_UNKNOWN, "swarm_silent", "The swarm's database does not answer: {}"),
)
"""Of the first that an error is one of: code and sentence."""
