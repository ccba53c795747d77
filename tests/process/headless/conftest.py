"""Headless runs as CI starts them: with a temporary folder of their own, in which nothing may be left."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit import processes
from tests.kit.inherited_lock import InheritedLock
from tests.kit.overmind import PROGRAM, Finished, Overmind
from tests.kit.waiting import eventually


class Headless:
    """`overmind --headless …` with its private homes in `folder`."""

    def __init__(self, overmind: Overmind, folder: str) -> None:
        self.overmind = overmind
        self.folder = folder
        self.environment = {**overmind.environment, "TMPDIR": folder}

    def __call__(self, *words: str, **how: Any) -> Finished:
        """Run it to its end."""
        return self.overmind("--headless", *words, **self._with_folder(how))

    def popen(self, *words: str, **how: Any) -> subprocess.Popen[str]:
        """Start it."""
        return self.overmind.popen("--headless", *words, **self._with_folder(how))

    def raw(self, *words: str, **how: Any) -> subprocess.Popen[bytes]:
        """Start it with files as the caller wants them."""
        return subprocess.Popen([*PROGRAM, "--headless", *words], env=self.environment, cwd=self.overmind.home, **how)

    def homes(self) -> list[str]:
        """The private homes that are on disk."""
        return [os.path.join(self.folder, name) for name in os.listdir(self.folder) if name.startswith("overmind-")]

    def one_home(self) -> str:
        """Wait until there is one."""
        return str(eventually(self.homes, what="a private home")[0])

    def living(self) -> list[int]:
        """Every process that works for one of the homes."""
        return processes.with_word(self.folder)

    def gone(self, *, timeout: float = 10.0) -> None:
        """Wait until no process works for any home."""
        eventually(lambda: not self.living(), timeout, what=f"nobody works below {self.folder}")

    def _with_folder(self, how: dict[str, Any]) -> dict[str, Any]:
        return {**how, "env": {"TMPDIR": self.folder, **how.get("env", {})}}


@pytest.fixture
def headless(om: Overmind) -> Iterator[Headless]:
    """Run things headless; no process of any of them is left in the end."""
    folder = tempfile.mkdtemp(prefix="om-ci-", dir="/tmp")
    yield Headless(om, folder)
    om.end_clients()
    left = []
    try:
        Headless(om, folder).gone()
    except AssertionError:
        left = [str(pid) for pid in processes.with_word(folder)]
    shutil.rmtree(folder, ignore_errors=True)
    assert not left, f"processes left by a headless run: {left}"


@pytest.fixture
def lock(tmp_path) -> Iterator[InheritedLock]:
    """Know whether anything of a mission lives; nothing does in the end."""
    lock = InheritedLock(str(tmp_path))
    yield lock
    left = lock.living()
    lock.free()
    assert not left, f"left by a headless run: {left}"
