"""Clocks on the wall that are wrong, and step while programs run; the monotonic ones go on as they are."""

from __future__ import annotations

import glob
from pathlib import Path

LIBRARY = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
"""Debian's libfaketime; None: it is not installed."""
DAY = 86_400


class WrongClock:
    """The clock of all programs that have this environment."""

    def __init__(self, file: Path, seconds: int) -> None:
        self._file = file
        self.step_to(seconds)
        self.environment = {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def step_to(self, seconds: int) -> None:
        """Show a moment so many seconds from the true one, from now on."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.chmod(0o644)
        fresh.replace(self._file)
