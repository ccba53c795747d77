"""The settings while the program runs: what is saved counts at once, a mistake is said, what was good stays."""

from __future__ import annotations

import os
from collections.abc import Callable

from overmind_core.system.paths import Home
from overmind_core.system.small_file import read_small_file
from overmind_tui.shell import settings
from overmind_tui.shell.settings import BadSettings, Settings

Flash = Callable[[str, str], None]
Stamp = tuple[int, int, int] | None


class LiveSettings:
    """Looks once a second whether the file is another one; an editor may write it, or put a new one in its place.

    Args:
        home: Whose file.
        theme: Of the command line, which wins; None: it says nothing.
    """

    def __init__(self, home: Home, *, theme: str | None) -> None:
        self._path = home.config
        self._theme = theme
        self._stamp = _stamp(self._path)
        self.mistake = ""
        self.mistakes: tuple[str, ...] = ()
        """A sentence for each."""
        try:
            self.now = settings.load(self._path)
        except BadSettings as mistake:
            self.now, self.mistake, self.mistakes = mistake.settings, str(mistake), mistake.sentences

    @property
    def theme(self) -> str:
        """What is to be worn."""
        return self._theme or self.now.theme

    @property
    def names_hives(self) -> bool:
        """Whether the file has a table of hives, or has at least that word."""
        try:
            return b"hives" in (read_small_file(self._path) or b"")
        except OSError:
            return False

    def look(self, flash: Flash, wear: Callable[[Settings], bool]) -> bool:
        """A second went by; whether the file is another one.

        Args:
            flash: Says what was found.
            wear: Looks as the settings want it; False where there is no such theme.
        """
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            found = settings.load(self._path)
        except BadSettings as mistake:
            self.mistake, self.mistakes = str(mistake), mistake.sentences
            flash(f"{mistake} · the settings from before count", "bad")
            return True
        self.mistake, self.mistakes = "", ()
        self._take(found, flash, wear)
        return True

    def _take(self, found: Settings, flash: Flash, wear: Callable[[Settings], bool]) -> None:
        before, self.now = self.now, found
        if found == before:
            return
        unknown = not wear(found)
        flash(f"config.toml: unknown theme {self.theme!r}" if unknown else "config.toml reloaded",
                  "bad" if unknown else "quiet")  # fmt: skip


def _stamp(path: str) -> Stamp:
    """What changes whenever the file is saved; None while it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
