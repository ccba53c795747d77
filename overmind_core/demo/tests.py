"""The shop's tests: once, or with `--watch` again whenever a source changes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from datetime import datetime

from overmind_core.demo.colours import GREEN, GREY, RED, paint

LOOK = 1.0
"""Seconds between two looks at the sources."""
_FAILED = re.compile(r"^(?:FAIL|ERROR): (\S+)", re.MULTILINE)
_VERDICT = {True: GREEN, False: RED}


def run(folder: str) -> tuple[bool, str]:
    """Run the tests: whether they pass, and the runner's output."""
    done = subprocess.run(
        [sys.executable, "-m", "unittest", "-q"],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},  # a change within one second must count
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return done.returncode == 0, done.stdout.strip()


def _sources(folder: str) -> list[tuple[str, int]]:
    names = sorted(name for name in os.listdir(folder) if name.endswith(".py"))
    return [(name, os.stat(os.path.join(folder, name)).st_mtime_ns) for name in names]


def _report_line(folder: str) -> bool:
    passed, text = run(folder)
    failed = ", ".join(_FAILED.findall(text)) or "the tests"
    _print_line("✔ all tests pass" if passed else f"✖ {failed} failed", _VERDICT[passed])
    if not passed:
        _print_line(text)
    return passed


def watch(folder: str) -> None:
    """Run them now and at every change, until somebody ends us."""
    before: list[tuple[str, int]] = []
    while True:
        now = _sources(folder)
        if now != before:
            before = now
            _print_line(f"── {datetime.now().astimezone():%H:%M:%S} the sources changed", GREY)
            _report_line(folder)
        time.sleep(LOOK)


def _print_line(text: str, *codes: int) -> None:
    """In colour where a terminal shows it: the agent reads it, too."""
    sys.stdout.write(f"{paint(text, *codes) if codes and sys.stdout.isatty() else text}\n")
    sys.stdout.flush()


def main() -> None:
    """Run them in the folder that we stand in."""
    if "--watch" in sys.argv[1:]:
        watch(os.getcwd())
    sys.exit(0 if _report_line(os.getcwd()) else 1)


if __name__ == "__main__":
    main()
