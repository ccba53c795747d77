"""`overmind --headless run`: what it prints, exits with and leaves, as CI sees it."""

from __future__ import annotations

import os
import subprocess
import sys


def test_nothing_of_it_is_loaded_by_other_commands():
    shown = subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            "import sys, overmind_core.cli.main; print([m for m in sys.modules if 'headless' in m])",
        ],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
    )
    assert shown.stdout == "[]\n"
