"""A daemon with something to lose, the proof that an attack took nothing, and chance that can be repeated."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import torture
from tests.kit.overmind import Overmind
from tests.kit.raw_socket import RawSocket
from tests.kit.shared_home import SharedHome


class AttackedHome:
    """A home with a mission that must live, and others that attacks may hit."""

    def __init__(self, om: Overmind) -> None:
        self.om = om
        self.kept = om.mission("sleep 600", "--name", "kept")
        self.decoys = [om.mission("sleep 600", "--name", "decoy"), om.finished("echo done", "--name", "ended")["id"]]
        self._pid = om.pid(self.kept)
        self._daemons = (om.supervisor_pid(), om.keeper_pid())

    def assert_holds(self) -> None:
        """Others are served by the same daemon, at once."""
        with RawSocket.connect(self.om.home, timeout=10.0) as api:
            assert api.ok("hello")["pid"] == self._daemons[0]

    def assert_stands(self) -> None:
        """Nothing was broken on the way: the same processes, the same missions, and a new one runs."""
        assert (self.om.supervisor_pid(), self.om.keeper_pid()) == self._daemons
        info = self.om.info(self.kept)
        assert (info["status"], info["os_pid"], info["restart_count"]) == ("running", self._pid, 0)
        assert self.om.finished("exit 3")["exit_code"] == 3
        said = self.om.diagnosis()
        assert "Traceback" not in said, said


@pytest.fixture
def attacked(shared_home: SharedHome, tmp_path: Path) -> Iterator[Overmind]:
    """The command line in the home that tests share: its daemons outlive all attacks."""
    with shared_home.lent(str(tmp_path)) as overmind:
        yield overmind


@pytest.fixture
def target(attacked: Overmind) -> AttackedHome:
    """A home under attack."""
    return AttackedHome(attacked)


@pytest.fixture
def moments() -> random.Random:
    """Random moments; a test that fails shows the seed, and OVERMIND_TEST_SEED repeats it."""
    return torture.seeded_random()
