"""A real engine: `make test-docker` finds or starts one, makes the images, and sets OVERMIND_TEST_DOCKER.

Where none can be had it sets OVERMIND_NO_DOCKER to the reason, and each test here is skipped with it, or fails
where OVERMIND_TEST_MUST names docker.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from overmind_core.containers.engine import Engine
from tests.kit.containers import Containers
from tests.kit.engines import leave_out

HERE = os.path.join(os.path.dirname(__file__), "")


@pytest.hookimpl(tryfirst=True)  # before `-m docker` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of this folder."""
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(pytest.mark.docker)


@pytest.hookimpl(tryfirst=True)  # before its fixtures
def pytest_runtest_setup() -> None:
    """Leave out a test, unless somebody asked for a real engine."""
    if not os.environ.get("OVERMIND_TEST_DOCKER"):
        leave_out("docker", os.environ.get("OVERMIND_NO_DOCKER") or "a real engine of Docker: make test-docker")


@pytest.fixture
def engine() -> Iterator[Engine]:
    """The engine that this environment names."""
    found = Engine.connect(os.environ)
    yield found
    found.close()


@pytest.fixture
def containers(engine: Engine) -> Iterator[Containers]:
    """Containers and volumes of this test alone; none of them is left."""
    made = Containers(engine, f"/homes/{uuid.uuid4().hex}")
    yield made
    made.end()
