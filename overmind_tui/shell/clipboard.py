"""The clipboard: what is shown is copied by whatever way there is out of this terminal, and always saved to a file.

Inside tmux an application's OSC 52 is dropped, `tmux load-buffer -w` is not; a local clipboard is the surest; OSC 52
asks the terminal itself, wherever it is, and nobody says whether it did.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell


FOLDER = "saved"
COPIED = "copied.txt"
"""What was copied last."""
SECONDS = 3.0
"""How long a tool may take."""
LONGEST_SEQUENCE = 100_000
"""Characters of base64 that terminals take in one OSC 52."""
TOOLS: Sequence[tuple[str, tuple[str, ...]]] = (
    ("", ("pbcopy",)),
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
)
"""A variable without which it can't work, and its command line."""


def copy(shell: Shell, text: str, what: str) -> None:
    """Copy a text, and say how; `what` names it in the flash."""

    def work() -> Callable[[], None]:
        ways = _tools(text, shell.world.environ)
        sequence = "" if ways else _sequence(text)
        path, reason = _written(shell, COPIED, text, fresh=False)
        taken_by = [*ways, *(["the terminal"] if sequence else [])]
        return lambda: _copied(shell, what, taken_by, sequence, path, reason)

    shell.background(work)


def save(shell: Shell, text: str, name: str) -> None:
    """Write a text to a file of its own, and say where."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(shell.now()))

    def work() -> Callable[[], None]:
        path, reason = _written(shell, f"{_harmless(name)}-{stamp}.txt", text, fresh=True)
        message = f"not saved: {reason}" if reason else f"saved {path}"
        return lambda: shell.flash(message, "bad" if reason else "good")

    shell.background(work)


def save_lines(shell: Shell, read: Callable[[], Iterator[str]], name: str) -> None:
    """Write any number of lines to a file of its own, and say where; `read` is called in a thread and may take long."""
    from textual.worker import get_current_worker  # noqa: PLC0415 - not for the first frame

    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(shell.now()))
    shell.flash(f"saving {name} …", "quiet")

    def work() -> Callable[[], None]:
        worker, count = get_current_worker(), 0

        def text() -> Iterator[bytes]:
            nonlocal count
            for line in read():
                if worker.is_cancelled:  # the program ends
                    raise InterruptedError(errno.EINTR, "the program was closed")
                count += 1
                yield line.encode(errors="replace") + b"\n"

        path, reason = _kept(shell, f"{_harmless(name)}-{stamp}.txt", text(), fresh=True)
        message = f"not saved: {reason}" if reason else f"saved {count:,} line{'s' * (count != 1)} · {path}"
        return lambda: shell.flash(message, "bad" if reason else "good")

    shell.background(work)


def _copied(  # noqa: PLR0917 - what came out of it
    shell: Shell, what: str, ways: Sequence[str], sequence: str, path: str, reason: str
) -> None:
    shell.write_terminal(sequence)
    place = reason or path
    if ways:
        shell.flash(f"copied {what} · {', '.join(ways)} · {place}", "good")
    else:
        shell.flash(f"{what}: too long for the terminal's clipboard · {place}", "bad" if reason else "slow")


def _tools(text: str, environ: Mapping[str, str]) -> list[str]:
    """Hand the text to tmux and to the first clipboard that takes it; their names."""
    data = text.encode(errors="replace")
    ways = ["tmux"] if environ.get("TMUX") and _fed(("tmux", "load-buffer", "-w", "-"), data, environ) else []
    for variable, argv in TOOLS:
        if (not variable or environ.get(variable)) and _fed(argv, data, environ):
            return [*ways, argv[0]]
    return ways


def _fed(argv: Sequence[str], data: bytes, environ: Mapping[str, str]) -> bool:
    """Whether a program is there and took this on its standard input. Blocks: for a thread.

    Its output is dropped, for clipboards of X go on in the background and would hold a pipe open.
    """
    import subprocess  # noqa: PLC0415 - not for the first frame

    program = shutil.which(argv[0], path=environ.get("PATH"))
    if program is None:
        return False
    try:
        done = subprocess.run(
            [program, *argv[1:]], input=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=environ, timeout=SECONDS, check=False, start_new_session=True,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _sequence(text: str) -> str:
    """OSC 52 with the text; "" when that is too long for it."""
    code = base64.b64encode(text.encode(errors="replace")).decode()
    return f"\x1b]52;c;{code}\a" if len(code) <= LONGEST_SEQUENCE else ""


def _harmless(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "text"


def _written(shell: Shell, name: str, text: str, *, fresh: bool) -> tuple[str, str]:
    """As `_kept`, of one text."""
    return _kept(shell, name, [text.encode(errors="replace")], fresh=fresh)


def _kept(shell: Shell, name: str, pieces: Iterable[bytes], *, fresh: bool) -> tuple[str, str]:
    """Write a file that only its owner may read; its path, and why it could not be.

    Args:
        shell: Whose home.
        name: Of the file, harmless.
        pieces: What goes into it, one behind the other.
        fresh: Beside what has that name, instead of in its place.
    """
    folder = os.path.join(shell.home.root, FOLDER)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = _unused(folder, name) if fresh else os.path.join(folder, name)
        _replace(path, pieces)
    except OvermindError as error:
        return "", error.message
    except OSError as error:
        return "", f"{folder}: {error.strerror or error}"
    return path, ""


def _replace(path: str, pieces: Iterable[bytes]) -> None:
    """Put a new file there, in one step; nothing is left of one that could not be written to its end."""
    scratch = f"{path}.{os.urandom(4).hex()}.new"
    try:
        with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.writelines(pieces)
        os.replace(scratch, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(scratch)
        raise


def _unused(folder: str, name: str) -> str:
    stem, ending = os.path.splitext(name)
    number, path = 1, os.path.join(folder, name)
    while os.path.exists(path):
        number += 1
        path = os.path.join(folder, f"{stem}-{number}{ending}")
    return path
