"""Libraries of others in the package: pinned, with their licences, byte for byte as they were published."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

import overmind_web
from overmind_web.tty import widths

VENDOR = Path(overmind_web.__file__).parent / "static" / "vendor"
LIBRARIES = tomllib.loads((VENDOR / "VENDOR.toml").read_text())["library"]


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library["name"])
def test_a_library_is_what_was_published(library):
    for name, sha256 in library["files"].items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == sha256, name


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library["name"])
def test_a_library_comes_with_version_licence_and_source(library):
    assert library["version"]
    assert library["version"] in library["archive"]
    assert len(library["archive_sha256"]) == hashlib.sha256().digest_size * 2
    assert library["licence"] in {"MIT", "BSD-3-Clause", "Apache-2.0", "ISC"}
    assert library["licence_file"] in library["files"]
    assert "Permission is hereby granted" in (VENDOR / library["licence_file"]).read_text()


def test_every_file_of_others_has_a_row():
    pinned = {name for library in LIBRARIES for name in library["files"]}
    there = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.is_file()}
    assert there - {"VENDOR.toml"} == pinned


def test_characters_have_the_cells_in_a_page_that_our_emulator_gives_them():
    written = (VENDOR.parent / "lib" / "xterm-widths.js").read_text()
    assert written == widths.module(), "write it anew, see overmind_web/tty/widths.py"
