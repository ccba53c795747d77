"""A real PostgreSQL: `make test-postgres` starts one, and sets OVERMIND_TEST_POSTGRES to where it answers.

Where none can be had it sets OVERMIND_NO_POSTGRES to the reason, and each test here is skipped with it,
or fails where OVERMIND_TEST_MUST names postgres.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.kit.engines import leave_out

if TYPE_CHECKING:
    from tests.kit.cortex import RunningCortex

HERE = os.path.join(os.path.dirname(__file__), "")


@pytest.hookimpl(tryfirst=True)  # before `-m postgres` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of this folder."""
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(pytest.mark.postgres)


@pytest.hookimpl(tryfirst=True)  # before its fixtures
def pytest_runtest_setup() -> None:
    """Leave out a test, unless somebody asked for a real server."""
    if not os.environ.get("OVERMIND_TEST_POSTGRES"):
        leave_out("postgres", os.environ.get("OVERMIND_NO_POSTGRES") or "a real PostgreSQL: make test-postgres")


@contextlib.contextmanager
def empty_database() -> Iterator[str]:
    """An empty database; it is dropped afterwards, whoever is still connected."""
    import psycopg

    server = os.environ["OVERMIND_TEST_POSTGRES"]
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    try:
        yield server.replace("/postgres?", f"/{name}?")
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def database_url() -> Iterator[str]:
    """An empty database of this test alone; it is dropped afterwards, whoever is still connected."""
    with empty_database() as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url() -> Iterator[str]:
    """An empty database of the tests of one file."""
    with empty_database() as url:
        yield url


@pytest.fixture(scope="module")
def server(module_database_url: str) -> Iterator[RunningCortex]:
    """A Cortex for the tests of one file."""
    from tests.kit import cortex

    with cortex.running(module_database_url) as running:
        yield running
