"""How the daemon's process begins."""

from __future__ import annotations

import subprocess
import sys

import pytest

from overmind_core.daemon.main import Options
from tests.kit.overmind import REPOSITORY

LOADED = """
from overmind_core.daemon.__main__ import load_libraries
load_libraries()
import overmind_core.daemon.main, sys
print(*sys.modules)
"""
HEAVY = {
    "_hashlib", "_ssl", "argparse", "calendar", "cronsim", "html", "pathlib", "psutil", "pydantic", "rich", "shutil",
    "ssl", "tempfile", "textual", "tomlkit", "typing_extensions", "urllib.parse", "zoneinfo",
}  # fmt: skip
LATER = {
    "overmind_core.domain.quests.briefing", "overmind_core.domain.watching.review", "overmind_core.quests.line",
    "overmind_core.quests.queue_views", "overmind_core.schedules.cron",
}  # fmt: skip


def test_it_imports_nothing_heavy_that_most_supervisors_never_need():
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & (HEAVY | LATER) == set()


def test_its_options_are_pairs():
    options = Options(["--home", "/h", "--ready-fd", "3", "--wait-lock", "2.5", "--after", "77"])
    assert (options.home, options.ready_fd, options.wait_lock, options.after) == ("/h", 3, 2.5, 77)
    options = Options(["--home", "/h"])
    assert (options.ready_fd, options.wait_lock, options.after) == (-1, 0.0, None)


@pytest.mark.parametrize("argv", [[], ["--home"], ["--help", "me"], ["--home", "/h", "--more", "1"]])
def test_what_is_no_option_is_refused(argv):
    with pytest.raises(ValueError):  # noqa: PT011 - a short argument or the usage
        Options(argv)
