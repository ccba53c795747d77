"""`scripts/setup`: which packages come when, and what is said before. A stand-in for uv installs nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.kit.overmind import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

UV = """#!/bin/sh
for word; do name=$word; done
echo "$name" >> "$(dirname "$0")/installed"
[ ! -e "$(dirname "$0")/$name.breaks" ] || kill $PPID
"""
RUN = ["requirements-run.lock", "."]
ALL = ["requirements.lock"]


class Setup:
    """The script in a folder of its own, beside a stand-in for uv that notes what it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environment = folder / ".venv"
        (folder / "scripts").mkdir()
        shutil.copy(os.path.join(REPOSITORY, "scripts", "setup"), folder / "scripts")
        for package in ("overmind_core", "overmind_tui", "overmind_web"):
            (folder / package).mkdir()
        uv = folder / "uv"
        uv.write_text(UV)
        uv.chmod(0o755)

    def __call__(self, what: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": f"{self._folder}:{os.environ['PATH']}", "PYTHON": sys.executable}
        return subprocess.run(
            [self._folder / "scripts" / "setup", what], env=environ, capture_output=True, text=True, check=False
        )

    def installed(self) -> list[str]:
        """What was installed since this was last asked."""
        noted = self._folder / "installed"
        names = noted.read_text().split()
        noted.unlink()
        return names

    def break_at(self, name: str) -> None:
        """Have the script be killed while that is installed, once."""
        (self._folder / f"{name}.breaks").touch()

    def mend(self) -> None:
        """Let everything be installed."""
        for one in self._folder.glob("*.breaks"):
            one.unlink()


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


def test_each_step_is_said_and_the_environment_runs(setup):
    done = setup("run")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["Making", "Installing", "Installing", "Compiling"]
    assert setup.installed() == RUN
    assert (setup.environment / ".runs").exists()
    assert not (setup.environment / ".installed").exists()
    subprocess.run([setup.environment / "bin" / "python", "-c", ""], check=True)


def test_what_tests_need_is_added_and_a_whole_environment_is_made_from_nothing(setup):
    assert setup("run").returncode == 0
    (setup.environment / "kept").touch()
    setup.installed()
    assert setup("all").returncode == 0
    assert setup.installed() == ALL
    assert (setup.environment / "kept").exists()
    (setup.environment / "left").touch()
    assert setup("all").returncode == 0
    assert setup.installed() == RUN + ALL
    assert not (setup.environment / "left").exists()


def test_an_environment_that_was_left_half_way_is_made_from_nothing(setup):
    setup.break_at("requirements.lock")
    assert setup("all").returncode != 0
    stamps = [os.path.getmtime(setup.environment / name) for name in (".installed", ".runs")]
    assert stamps[0] < stamps[1]
    setup.mend()
    setup.installed()
    assert setup("all").returncode == 0
    assert setup.installed() == RUN + ALL
    setup.break_at("requirements-run.lock")
    assert setup("run").returncode != 0
    assert not (setup.environment / ".runs").exists()
