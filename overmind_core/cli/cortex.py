"""Commands of a team's server: cortex serve, cortex token, cortex migrate, cortex backup, cortex restore.

They need no daemon and no home. Neither the database's password nor a token is ever an argument: whoever lists the
processes of a machine sees their arguments.
"""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, argument, flag, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps, or_absent, table
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Self

DB = option("--db", "URL", "env:NAME, file:PATH, or postgresql://… without a password")
FILE = argument("file", "the file of the backup", metavar="FILE")
_ROLES = ("read", "write", "admin")
_LISTEN = "127.0.0.1:7337"
_ACTIONS = ("new", "list", "revoke")


def _check_installed() -> None:
    """Say how to install what the server needs.

    Raises:
        OvermindError: it is missing, or can't be loaded.
    """
    try:
        import psycopg  # noqa: F401 - whether it can be loaded is known only then
    except ImportError as error:
        from overmind_core.system.installation import what_is_missing

        raise OvermindError("invalid", what_is_missing(error, "cortex") or str(error)) from None


def database_address(given: str | None, environ: Mapping[str, str]) -> str:
    """Return the connection string that `--db` names.

    Raises:
        UsageError: it names none, or holds a password; the message does not repeat it.
    """
    if given is None:
        raise UsageError("Missing --db. For example: overmind cortex serve --db env:CORTEX_DB")
    kind, _, rest = given.partition(":")
    if kind == "env":
        found = environ.get(rest, "").strip()
        if not found:
            raise UsageError(f"--db: the variable {rest} is not set.")
    elif kind == "file":
        try:
            with open(rest, encoding="utf-8") as file:
                found = file.read().strip()
        except OSError as error:
            raise UsageError(f"--db: {rest}: {error.strerror}.") from None
    elif kind in {"postgresql", "postgres"}:
        found = given
    else:
        raise UsageError("--db: write env:NAME, file:PATH or postgresql://host/database")
    if "password" in _parsed(found) and found is given:
        raise UsageError("--db: a password is not an argument. Put the URL into a variable or a file: --db env:NAME")
    return found


def _parsed(conninfo: str) -> Mapping[str, object]:
    _check_installed()
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        return conninfo_to_dict(conninfo)
    except ProgrammingError:
        raise UsageError("--db: this is not a connection string of PostgreSQL.") from None


class _Database:
    """A connection for one command; what goes wrong with it is said in a sentence."""

    def __init__(self, args: Namespace, context: Context) -> None:
        self.conninfo = database_address(args.db, context.environ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        from psycopg import Error

        from overmind_core.cortex.backup import ProgramFailed
        from overmind_core.cortex.schema import SchemaNewer

        if isinstance(error, SchemaNewer):
            raise OvermindError("schema_newer", str(error)) from None
        if isinstance(error, OSError) and error.filename:
            raise OvermindError("invalid", f"{error.filename}: {error.strerror}.") from None
        if isinstance(error, ProgramFailed):
            raise OvermindError("internal", self._without_password(str(error))) from None
        if isinstance(error, Error):
            said = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise OvermindError("cortex_unreachable", f"PostgreSQL: {self._without_password(said)}") from None

    def _without_password(self, text: str) -> str:
        password = _parsed(self.conninfo).get("password")
        return text.replace(str(password), "…") if password else text


def serve(args: Namespace, context: Context) -> int:
    """Serve until a signal."""
    from overmind_core.domain.text.address import parse_address

    _check_installed()
    try:
        address = parse_address(args.listen or _LISTEN)
    except ValueError as error:
        raise UsageError(f"--listen: {error}") from None
    certificate = _certificate(args)
    is_local = address.host in {"localhost", "::1"} or address.host.startswith("127.")
    if not (certificate or args.behind_proxy or is_local):
        raise UsageError(
            f"{address.host} is not this machine alone, and tokens would be readable on the way. Give --cert and "
            "--key, or --behind-proxy when a proxy in front of it speaks TLS."
        )
    with _Database(args, context) as database:
        from overmind_core.cortex.server import Cortex
        from overmind_core.cortex.serving import Service, prepare
        from overmind_core.system.tcp import listen

        prepared = prepare(database.conninfo)
        service = Service(Cortex(database.conninfo), listen(*address), certificate=certificate)
        search = f"pgvector {prepared.pgvector}" if prepared.pgvector else "words only"
        context.print(f"Listening on http{'s' if certificate else ''}://{address} (schema {prepared.schema}, {search})")
        service.run()
    return 0


def _certificate(args: Namespace) -> tuple[str, str] | None:
    if bool(args.cert) != bool(args.key):
        raise UsageError("--cert and --key go together.")
    if not args.cert:
        return None
    if args.behind_proxy:
        raise UsageError("--behind-proxy is for plain HTTP; leave out --cert and --key.")
    import ssl

    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(args.cert, args.key)
    except OSError as error:  # also what TLS itself refuses
        reason = (error.reason or "no PEM") if isinstance(error, ssl.SSLError) else error.strerror
        raise OvermindError("invalid", f"The certificate or its key can't be used: {reason}.") from None
    return args.cert, args.key


SERVE = Command(
    name="cortex serve",
    options=[
        DB,
        option("--listen", "ADDRESS", f"host:port; default: {_LISTEN}"),
        option("--cert", "FILE", "the certificate, as PEM, with those that signed it"),
        option("--key", "FILE", "its private key, as PEM"),
        flag("--behind-proxy", "speak plain HTTP: a proxy in front of it speaks TLS"),
    ],
    examples=[
        "overmind cortex serve --db env:CORTEX_DB",
        "overmind cortex serve --db file:/etc/cortex/db --listen 0.0.0.0:7337 --cert cert.pem --key key.pem",
    ],
    notes="Needs PostgreSQL; pgvector is used where it is there. The command says what else is to be installed.",
    run=serve,
)


def token(args: Namespace, context: Context) -> int:
    """Make, list or revoke tokens."""
    if (args.action == "list") != (args.name is None):
        raise UsageError("Give the name of one token." if args.name is None else "cortex token list takes no name.")
    if args.action != "new" and (args.role or args.colony or args.expires):
        raise UsageError("--role, --colony and --expires are for cortex token new.")
    with _Database(args, context) as database:
        from overmind_core.cortex import database as connecting
        from overmind_core.cortex import schema, tokens

        with connecting.connect(database.conninfo) as connection:
            schema.migrate(connection)
            if args.action == "new":
                return _new(args, context, connection)
            if args.action == "revoke":
                if not tokens.revoke_token(connection, args.name):
                    raise OvermindError("not_found", f"There is no token {args.name!r}.")
                context.print(dumps({"name": args.name}) if args.json else f"Revoked {args.name}")
                return 0
            rows = tokens.list_tokens(connection)
    if args.json:
        names = ("name", "role", "colony", "expires_at", "used_at")
        context.print(dumps([dict(zip(names, _cells(one), strict=True)) for one in rows]))
    elif rows:
        shown = [[or_absent(cell) for cell in _cells(one)] for one in rows]
        context.print(table(["NAME", "ROLE", "COLONY", "EXPIRES", "USED"], shown))
    return 0


def _cells(row: object) -> list[str | None]:
    from overmind_core.cortex.tokens import TokenRow

    assert isinstance(row, TokenRow)
    return [row.name, row.role.value, row.colony, _iso(row.expires_at), _iso(row.used_at)]


def _iso(at: datetime | None) -> str | None:
    from datetime import UTC

    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _new(args: Namespace, context: Context, connection: object) -> int:
    from datetime import timedelta

    from psycopg import Connection

    from overmind_core.cortex import tokens
    from overmind_core.domain.text.duration import parse_duration

    assert isinstance(connection, Connection)
    if not args.role or not args.colony:
        raise UsageError(
            "Give --role and --colony. For example: overmind cortex token new ada --role write --colony shop"
        )
    for word in (args.name, args.colony):
        if not tokens.NAME.fullmatch(word):
            raise UsageError(f"{word!r} is not a name: up to 64 letters, digits and . _ @ -")
    lifetime = timedelta(seconds=parse_duration(args.expires)) if args.expires else None
    try:
        made, expires = tokens.new_token(connection, args.name, tokens.Role(args.role), args.colony, lifetime=lifetime)
    except tokens.NameTaken:
        raise OvermindError("name_taken", f"There is a token {args.name!r} already.") from None
    facts = {"name": args.name, "role": args.role, "colony": args.colony, "expires_at": _iso(expires), "token": made}
    context.print(dumps(facts) if args.json else made)
    return 0


def _duration(word: str) -> str:
    from overmind_core.domain.text.duration import parse_duration

    parse_duration(word)
    return word


TOKEN = Command(
    name="cortex token",
    arguments=[
        argument("action", "new, list or revoke", choices=_ACTIONS),
        argument("name", "of the token: it is the author of all that is sent with it", nargs="?", metavar="NAME"),
    ],
    options=[
        DB,
        option("--role", "ROLE", "read, write or admin", choices=_ROLES),
        option("--colony", "NAME", "the team that it belongs to: those who share notes with each other"),
        option("--expires", "DURATION", "refuse it from then on; default: never", parse=_duration),
        JSON,
    ],
    examples=[
        "overmind cortex token new ada --role write --colony shop --expires 90d --db env:CORTEX_DB",
        "overmind cortex token list --db env:CORTEX_DB",
        "overmind cortex token revoke ada --db env:CORTEX_DB",
    ],
    notes="A new token is printed once, alone; only its hash is kept.",
    run=token,
)


def migrate(args: Namespace, context: Context) -> int:
    """Bring the database to today's schema."""
    with _Database(args, context) as database:
        from overmind_core.cortex.serving import prepare

        prepared = prepare(database.conninfo)
    facts = {"schema": prepared.schema, "pgvector": prepared.pgvector}
    context.print(dumps(facts) if args.json else f"Schema {prepared.schema}")
    return 0


MIGRATE = Command(
    name="cortex migrate",
    options=[DB, JSON],
    examples=["overmind cortex migrate --db env:CORTEX_DB"],
    notes="`cortex serve` does the same when it starts.",
    run=migrate,
)


def backup(args: Namespace, context: Context) -> int:
    """Write a backup."""
    with _Database(args, context) as database:
        from overmind_core.cortex.backup import back_up

        back_up(database.conninfo, args.file)
    context.print(f"Backed up to {args.file}")
    return 0


BACKUP = Command(
    name="cortex backup",
    arguments=[FILE],
    options=[DB],
    examples=["overmind cortex backup cortex.dump --db env:CORTEX_DB"],
    notes="Runs pg_dump. The file holds all notes, and the hashes of tokens; only its owner may read it.",
    run=backup,
)


def restore(args: Namespace, context: Context) -> int:
    """Put a backup in the place of what is there."""
    with _Database(args, context) as database:
        from overmind_core.cortex.backup import restore as put_back
        from overmind_core.cortex.serving import prepare

        put_back(database.conninfo, args.file)
        prepared = prepare(database.conninfo)
    context.print(f"Restored from {args.file} (schema {prepared.schema})")
    return 0


RESTORE = Command(
    name="cortex restore",
    arguments=[FILE],
    options=[DB],
    examples=["overmind cortex restore cortex.dump --db env:CORTEX_DB"],
    notes=(
        "Runs pg_restore: the backup takes the place of what the database holds. Machines that are connected notice by "
        "themselves, and offer what the backup lacks."
    ),
    run=restore,
)

COMMANDS = (SERVE, TOKEN, MIGRATE, BACKUP, RESTORE)
