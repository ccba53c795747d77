"""Real engines of pools: `make test-pools` installs Slurm and Ray where it may, and sets OVERMIND_TEST_POOLS.

Each test is skipped without what it needs, with the reason that `make test-pools` found, or fails where
OVERMIND_TEST_MUST names pools.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.kit import ray, slurm
from tests.kit.engines import leave_out

HERE = os.path.join(os.path.dirname(__file__), "")


@pytest.hookimpl(tryfirst=True)  # before `-m pools` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of this folder."""
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(pytest.mark.pools)


@pytest.hookimpl(tryfirst=True)  # before its fixtures
def pytest_runtest_setup() -> None:
    """Leave out a test, unless somebody asked for real engines."""
    if not os.environ.get("OVERMIND_TEST_POOLS"):
        leave_out("pools", "real engines: make test-pools")


@pytest.fixture(scope="module")
def cluster(marker: str) -> Iterator[slurm.Slurm]:
    """A cluster of Slurm for the tests of one file."""
    if without := os.environ.get("OVERMIND_NO_SLURM") or ", ".join(slurm.missing()):
        leave_out("pools", f"without Slurm: {without}")
    with slurm.running(marker) as running:
        yield running


@pytest.fixture(scope="module")
def ray_head(marker: str) -> Iterator[ray.Ray]:
    """A cluster of Ray for the tests of one file."""
    program = os.environ.get("OVERMIND_TEST_RAY")
    if not program:
        leave_out("pools", f"without Ray: {os.environ.get('OVERMIND_NO_RAY') or 'make test-pools'}")
    with ray.running(program, marker) as running:
        yield running
