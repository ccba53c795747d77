"""Backups of a Cortex, by PostgreSQL's programs. What they need is told in their environment, never in argv."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from psycopg.conninfo import conninfo_to_dict

_VARIABLES = {
    "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD",
    "dbname": "PGDATABASE", "passfile": "PGPASSFILE", "service": "PGSERVICE", "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT", "channel_binding": "PGCHANNELBINDING",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}  # fmt: skip
"""Word of a connection string → variable of libpq."""
_PRIVATE = 0o077


class ProgramFailed(Exception):
    """A program of PostgreSQL is missing, or has failed; the text says which, and its last line."""


def back_up(conninfo: str, file: str, environ: Mapping[str, str] = os.environ) -> None:
    """Write all of the database into a file that only its owner may read; an older one is replaced when it is whole.

    Raises:
        ProgramFailed: `pg_dump` did not do it.
        OSError: the file can't be written.
    """
    partial = f"{file}.partial"
    before = os.umask(_PRIVATE)
    try:
        _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={partial}"], conninfo, environ)
        os.replace(partial, file)
    finally:
        os.umask(before)
        if os.path.exists(partial):
            os.unlink(partial)


def restore(conninfo: str, file: str, environ: Mapping[str, str] = os.environ) -> None:
    """Put a backup in the place of what the database holds, all of it or nothing.

    Raises:
        ProgramFailed: `pg_restore` did not do it.
        OSError: the file can't be read.
    """
    with open(file, "rb"):
        pass
    name = conninfo_to_dict(conninfo).get("dbname") or ""
    words = ["pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges", "--no-comments"]
    words += ["--single-transaction", "--exit-on-error", f"--dbname={name}", file]
    _run(words, conninfo, environ)


def _run(words: Sequence[str], conninfo: str, environ: Mapping[str, str]) -> None:
    known = conninfo_to_dict(conninfo)
    variables = {_VARIABLES[word]: str(value) for word, value in known.items() if word in _VARIABLES}
    others = {name: value for name, value in environ.items() if not name.startswith("PG")}
    try:
        done = subprocess.run(
            words,
            env={**others, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise ProgramFailed(f"{words[0]} is missing. Install the client programs of PostgreSQL.") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise ProgramFailed(f"{words[0]}: {lines[-1].removeprefix(f'{words[0]}: ')}")
