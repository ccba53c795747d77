"""Golden files: what was seen once, and has to be seen the same way, byte for byte, ever after."""

from __future__ import annotations

import difflib
import os

LONGEST = 120
"""Lines of a difference that are shown."""


class GoldenFiles:
    """The files of one folder.

    Args:
        folder: Where they are; part of the repository.
        update: Write instead of comparing.
    """

    def __init__(self, folder: str, *, update: bool) -> None:
        self._folder = folder
        self._update = update

    def check(self, name: str, text: str) -> None:
        """Fail unless the file `name` has exactly this text; when updating, write it."""
        path = os.path.join(self._folder, name)
        if self._update:
            os.makedirs(self._folder, exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            return
        golden = self.read(name)
        if golden != text:
            lines = difflib.unified_diff(golden.splitlines(), text.splitlines(), name, "seen now", lineterm="")
            raise AssertionError("\n".join(list(lines)[:LONGEST]) or f"{name}: other ends of lines")

    def read(self, name: str) -> str:
        """The text of a file; "" when there is none."""
        try:
            with open(os.path.join(self._folder, name), encoding="utf-8", newline="") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def names(self) -> set[str]:
        """Names of all files."""
        return set(os.listdir(self._folder))
