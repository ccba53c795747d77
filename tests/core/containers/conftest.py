"""A folder with a short name, for sockets, and engines in it that answer what a test says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator

import pytest

from tests.kit.fake_engine import VERSION, Answer, FakeEngine


@pytest.fixture
def sockets() -> Iterator[str]:
    """Where sockets fit."""
    with tempfile.TemporaryDirectory(prefix="om-engine-", dir="/tmp") as folder:
        yield folder


@pytest.fixture
def fake(sockets: str) -> Iterator[Callable[..., FakeEngine]]:
    """Start an engine that says its version, and to all else what the test says."""
    running: list[FakeEngine] = []

    def start(
        answer: Callable[[str, str], Answer | None] = lambda _method, _path: (404, {"message": "no such thing"}),
        *,
        version: Answer | None = (200, VERSION),
        name: str = "docker.sock",
    ) -> FakeEngine:
        running.append(
            FakeEngine(f"{sockets}/{name}", lambda how, path: version if path == "/version" else answer(how, path))
        )
        return running[-1]

    yield start
    for one in running:
        one.end()
