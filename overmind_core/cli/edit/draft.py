"""The file that the editor is given: only its owner may read it, and it stays when what it says could not be stored."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess

from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "edits"
EDITORS = ("vi", "nano")
"""Where no variable names one."""


def editor(environ: Mapping[str, str]) -> list[str]:
    """Return the person's editor with its arguments: $VISUAL, $EDITOR, else what there is.

    Raises:
        OvermindError: `invalid`, there is none.
    """
    for name in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(environ.get(name, ""))
        except ValueError as error:
            raise OvermindError("invalid", f"${name} makes no sense: {error}.") from None
        if words:
            return words
    found = next((path for name in EDITORS if (path := shutil.which(name, path=environ.get("PATH")))), None)
    if found is None:
        raise OvermindError("invalid", "There is no editor: set EDITOR, or use --print and -.")
    return [found]


class Draft:
    """A text on its way through an editor.

    Args:
        home: The folder of the home, in which the file is made.
        name: Of the mission.
    """

    def __init__(self, home: str, name: str) -> None:
        folder = os.path.join(home, FOLDER)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.path = os.path.join(folder, f"{name.replace('/', '-')}-{os.urandom(4).hex()}.toml")

    def edited(self, text: str, command: list[str]) -> str:
        """Have the person edit the text, and return it.

        Raises:
            OvermindError: `invalid`, the editor failed, or what it wrote can't be read.
        """
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(text.encode())
        code = _run([*command, self.path])
        if code:
            raise OvermindError("invalid", f"The editor {command[0]} ended with code {code}. Nothing was changed.")
        try:
            with open(self.path, "rb") as file:
                return file.read().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise OvermindError("invalid", f"{self.path}: {error}. Nothing was changed.") from None

    def drop(self) -> None:
        """Nobody needs it any more."""
        if os.path.exists(self.path):
            os.unlink(self.path)


def _run(argv: list[str]) -> int:
    """Run the editor; ctrl-c in it is for it alone."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.call(argv)
    except OSError as error:
        raise OvermindError(
            "invalid", f"The editor {argv[0]} can't be started: {error.strerror}. Set EDITOR."
        ) from None
    finally:
        signal.signal(signal.SIGINT, before)
