"""The files that a browser loads: a table of known names, read once. Nothing a browser sends is ever a path here."""

from __future__ import annotations

import gzip
import os
import posixpath
import re
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
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
BEGINNING = ("app.js", "pages/missions.js")
"""Modules that a page loads first; what they import is loaded with them, not one after the other."""
PACKED = frozenset({".css", ".js", ".json", ".mjs", ".svg", ".webmanifest"})
"""Endings of files that shrink by packing."""
_VERSION = b"{{version}}"
_PRELOADS = b"{{preloads}}"
_SHEETS = re.compile(rb'(?:<link rel="stylesheet" href="s/\{\{version\}\}/[^"]+">\n)+')
_SHEET = re.compile(rb'\{\{version\}\}/([^"]+)"')
STYLES = "styles.css"
"""The stylesheets of the shell as one, in their order: each request for one more would hold up the first picture."""
_IMPORT = re.compile(rb'^import\b[^"(]*"(\.[^"]+)"', re.MULTILINE)


class StaticFile(NamedTuple):
    """One file, as it is sent."""

    body: bytes
    type: str
    packs: bool = False
    """Whether it is worth to pack it, for a browser that is far away."""


class StaticFiles(NamedTuple):
    """All of them."""

    version: str
    """In the path of each: what has changed has another path, so that each can be kept for ever."""
    shell: StaticFile
    files: Mapping[str, StaticFile]
    """Name below the folder, with slashes → file."""


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
            packs = os.path.splitext(name)[1] in PACKED
            files[os.path.relpath(path, folder).replace(os.sep, "/")] = StaticFile(body, type_, packs)
    shell = files.pop(SHELL)
    if sheets := _SHEETS.search(shell.body):
        styles = b"".join(files[name.decode()].body for name in _SHEET.findall(sheets[0]))
        files[STYLES] = StaticFile(styles, TYPES[".css"], packs=True)
        link = b'<link rel="stylesheet" href="s/{{version}}/%s">\n' % STYLES.encode()
        shell = shell._replace(body=shell.body.replace(sheets[0], link))
    preloads = "\n".join(f'<link rel="modulepreload" href="s/{{{{version}}}}/{name}">' for name in imported(files))
    body = shell.body.replace(_PRELOADS, preloads.encode())
    version = f"{VERSION}-{check:08x}"
    return StaticFiles(version, shell._replace(body=body.replace(_VERSION, version.encode())), files)


def imported(files: Mapping[str, StaticFile], begin: Sequence[str] = BEGINNING) -> list[str]:
    """The names of modules, and of all that they import, in the order in which they are met."""
    found = dict.fromkeys(name for name in begin if name in files)
    waiting = list(found)
    while waiting:
        name = waiting.pop(0)
        for place in _IMPORT.findall(files[name].body):
            other = posixpath.normpath(posixpath.join(posixpath.dirname(name), place.decode()))
            if other in files and other not in found:
                found[other] = None
                waiting.append(other)
    return list(found)


@cache
def packed(file: StaticFile) -> bytes:
    """The body of a file, packed by gzip."""
    return gzip.compress(file.body, mtime=0)
