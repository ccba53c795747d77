"""Repositories for the tests of git, apart from the machine's own settings."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from overmind_core.git.run import Git
from tests.kit import checkouts
from tests.kit.checkouts import Repo


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    folder = tmp_path_factory.mktemp("template")
    return checkouts.create(str(folder / "repo"), Git(checkouts.world(str(folder)), "template"))


@pytest.fixture
def world(tmp_path: Path) -> dict[str, str]:
    return checkouts.world(str(tmp_path))


@pytest.fixture
def make_repo(template: Repo, tmp_path: Path, world: dict[str, str]) -> Callable[[str], Repo]:
    """Make repositories by name."""

    def make(name: str) -> Repo:
        return checkouts.copy(
            template, os.path.join(os.path.realpath(tmp_path), name), Git(world, f"of-{uuid.uuid4()}")
        )

    return make


@pytest.fixture
def repo(make_repo: Callable[[str], Repo]) -> Repo:
    """A repository with one commit, whose name has a space and letters of another alphabet."""
    return make_repo("größe 1")
