"""A PostgreSQL to measure with: the one that OVERMIND_TEST_POSTGRES names, else one of `scripts/postgres-server`."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator

import psycopg

from bench.figures import Skipped
from bench.product import REPOSITORY


@contextlib.contextmanager
def server(who: str, *, syncs: bool = False) -> Iterator[str | Skipped]:
    """Run one, by its URL, where one can be had.

    Args:
        who: The measurement that wants it.
        syncs: It must have each commit on the disk before it answers, as servers that people trust do.
    """
    known = os.environ.get("OVERMIND_TEST_POSTGRES")
    if known and not syncs:
        yield known
        return
    with tempfile.TemporaryDirectory(prefix="overmind-bench-") as folder:
        os.chmod(folder, 0o711)  # it runs as somebody else where we are root
        script = os.path.join(REPOSITORY, "scripts", "postgres-server")
        environment = {
            **os.environ,
            "OVERMIND_POSTGRES_FOLDER": os.path.join(folder, "postgres"),
            "OVERMIND_POSTGRES_FSYNC": "on" if syncs else "off",
        }
        started = subprocess.run([script, "start"], env=environment, capture_output=True, text=True, check=False)
        if started.returncode:
            yield Skipped(who, started.stderr.strip().splitlines()[-1])
            return
        try:
            yield started.stdout.strip()
        finally:
            subprocess.run([script, "stop"], env=environment, check=True)


@contextlib.contextmanager
def database(url: str) -> Iterator[str]:
    """Make an empty database of a server, by its URL."""
    name = f"bench_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield url.replace("/postgres?", f"/{name}?")
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
