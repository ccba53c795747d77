"""The test kit must notice what it is there to notice."""

from __future__ import annotations

import os
import subprocess

from tests.kit import home as homes
from tests.kit import processes
from tests.kit.waiting import eventually


def test_a_process_of_the_home_is_reported_and_killed(marker, tmp_path, monkeypatch):
    monkeypatch.setattr(homes, "PATIENCE", 0.2)  # it does not end by itself, however long anybody waits
    overmind = homes.make(user_home=str(tmp_path), marker=marker)
    child = subprocess.Popen(["sleep", "60"], env=overmind.environment)
    eventually(lambda: processes.of_home(overmind.home))
    left = homes._leftovers(overmind.home)
    assert [line for line in left if line.startswith(f"process {child.pid} ")]
    homes.end(overmind)
    assert child.wait(timeout=10) == -9
    assert not os.path.exists(overmind.home)
