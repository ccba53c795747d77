"""Several homes on this machine as hives of one: by a gate's command, or by a real sshd."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit import sshd as servers
from tests.kit.overmind import Overmind
from tests.kit.sshd import Sshd


class Hives:
    """A home, and others that it knows by names.

    Attributes:
        om: The home in which the commands are given.
    """

    def __init__(self, make_home: Callable[[], Overmind]) -> None:
        self._make = make_home
        self.om = make_home()
        self.homes: dict[str, Overmind] = {}

    def home(self, name: str) -> Overmind:
        """Return the home of that name; it is made, and not yet a hive."""
        if name not in self.homes:
            self.homes[name] = self._make()
        return self.homes[name]

    def add(self, *names: str) -> None:
        """Write hives down that a gate's command reaches."""
        with Path(self.om.home, "config.toml").open("a") as file:
            file.writelines(f"[hives.{name}]\ngate = {gate_words(self.home(name))!r}\n" for name in names)

    def __call__(self, *words: str, **how: Any) -> str:
        """Run a command that must succeed in the home, and return what it printed."""
        return self.om.ok(*words, **how)


def gate_words(home: Overmind, *arguments: str) -> list[str]:
    """Return the command that runs the gate of a home."""
    given = [f"{name}={value}" for name, value in home.environment.items()]
    return ["env", "-i", *given, sys.executable, "-P", "-m", "overmind_core.cli", "gate", *arguments]


def gate_command(home: Overmind, *arguments: str) -> str:
    """Return the same as one word, for `hive add --gate`."""
    return shlex.join(gate_words(home, *arguments))


@pytest.fixture
def hives(make_home) -> Hives:
    """A home that knows no others yet."""
    return Hives(make_home)


@pytest.fixture
def sshd(tmp_path, marker) -> Iterator[Sshd]:
    """A server of our own; the test is skipped where OpenSSH is not installed."""
    if not servers.AVAILABLE:
        pytest.skip(servers.MISSING)
    with servers.running(tmp_path / "sshd", marker) as server:
        yield server


@pytest.fixture
def far(hives: Hives, sshd: Sshd) -> Hives:
    """As `hives`; its ssh is one that the server knows."""
    hives.om.environment["PATH"] = f"{sshd.bin}:{hives.om.environment['PATH']}"
    return hives
