"""The files that a browser loads: a table of known names, read once. Nothing a browser sends is ever a path here."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from overmind_core.version import VERSION

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "static")
SHELL = "index.html"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Files with another ending are not served: licences, versions."""
_VERSION = b"{{version}}"
_WORTH = 1024
"""Bytes of a file from which it is packed."""
_TEXT = ("text/", "application/", "image/svg")


class StaticFile(NamedTuple):
    """One file, as it is sent."""

    body: bytes
    type: str

    @property
    def packs(self) -> bool:
        """Whether it is sent smaller to who can unpack it: text, and not little."""
        return len(self.body) >= _WORTH and self.type.startswith(_TEXT)


class StaticFiles(NamedTuple):
    """All of them."""

    version: str
    """In the path of each: what has changed has another path, so that each can be kept for ever."""
    shell: StaticFile
    files: Mapping[str, StaticFile]
    """Name below the folder, with slashes → file."""


@lru_cache(maxsize=256)
def packed(body: bytes) -> bytes:
    """The same in gzip; each file is packed when it is first asked for."""
    return gzip.compress(body, 6, mtime=0)


def unpacks(accepted: str) -> bool:
    """Whether a request's `Accept-Encoding` takes gzip: named, and not by `q=0`."""
    for one in accepted.lower().split(","):
        name, _, weight = one.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def load(folder: str = FOLDER) -> StaticFiles:
    """Read the files of `folder` and its folders."""
    files: dict[str, StaticFile] = {}
    check = 0
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            type_ = TYPES.get(os.path.splitext(name)[1])
            if type_ is None:
                continue
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                body = file.read()
            check = zlib.crc32(body, zlib.crc32(path.encode(), check))
            files[os.path.relpath(path, folder).replace(os.sep, "/")] = StaticFile(body, type_)
    version = f"{VERSION}-{check:08x}"
    shell = files.pop(SHELL)
    return StaticFiles(version, shell._replace(body=shell.body.replace(_VERSION, version.encode())), files)
