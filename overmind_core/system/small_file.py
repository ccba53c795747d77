"""Reading a small file that a person writes, such as config.toml, whatever may be in its place.

A named pipe would wait for its writer for ever, a device has no end, and a link to nothing is a slip: rules that guard
a person's work must not be gone because the folder that a link leads to is not there today.
"""

from __future__ import annotations

import errno
import os
import stat

MOST = 1 << 20
"""Bytes of such a file."""
_OF_LINKS = frozenset({errno.ELOOP, errno.EMLINK, getattr(errno, "EFTYPE", errno.ELOOP)})
"""How systems say that the last name of a path is a link. Source: open(2) of Linux, FreeBSD, NetBSD."""


def read_small_file(path: str, most: int = MOST, *, links: bool = True) -> bytes | None:
    """Return what is in a file; None when there is none.

    Args:
        path: Its path.
        most: Bytes that it may have.
        links: Whether it may be a link to a file; never where somebody else writes in that folder.

    Raises:
        OSError: it can't be read, is no regular file, is too large, or is a link to nothing.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if links else os.O_NOFOLLOW))
    except FileNotFoundError:
        if os.path.islink(path):
            raise OSError(errno.ENOENT, "it is a symbolic link to nothing", path) from None
        return None
    except OSError as error:
        if not links and error.errno in _OF_LINKS and os.path.islink(path):
            raise OSError(errno.ELOOP, "it is a symbolic link", path) from None
        raise
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)  # `open` would leave that of a folder open
        problem = os.strerror(errno.EISDIR) if stat.S_ISDIR(mode) else "it is not a regular file"
        raise OSError(errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL, problem, path)
    with open(handle, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most >> 10} KiB", path)
    return data
