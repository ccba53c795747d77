"""A file without a name: what a program writes there is read once it has ended, and is gone with its descriptor."""

from __future__ import annotations

import os

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import BinaryIO


def unnamed_file() -> BinaryIO:
    """Return an open file on the disk that nobody else can open.

    As `tempfile.TemporaryFile`, whose import alone takes four milliseconds of a command's start.
    """
    flags = getattr(os, "O_TMPFILE", 0)
    if flags:
        try:
            return open(os.open(os.environ.get("TMPDIR") or "/tmp", flags | os.O_RDWR | os.O_CLOEXEC, 0o600), "w+b")  # noqa: S108 - no name
        except OSError:  # not every file system can
            pass
    from tempfile import TemporaryFile  # noqa: PLC0415 - see above

    return TemporaryFile()
