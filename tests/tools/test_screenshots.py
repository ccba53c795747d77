"""`make screenshots`: what it draws is shown, stays small, and without a browser it says so."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib

import pytest

from scripts.pictures import chromium, png
from scripts.pictures.scenes import SCENES
from tests.kit.overmind import REPOSITORY

MOST = 150_000
"""Bytes of one picture."""


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_each_picture_is_there_small_and_in_the_readme(scene):
    path = f"screenshots/{scene.name}.png"
    assert 1000 < os.path.getsize(os.path.join(REPOSITORY, path)) < MOST
    with open(os.path.join(REPOSITORY, "README.md")) as readme:
        assert path in readme.read()


def test_without_a_browser_it_says_what_to_install(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "scripts.pictures"],
        cwd=REPOSITORY, env={"PATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: {chromium.MISSING}\n"


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def test_a_picture_keeps_its_pixels_when_its_colours_are_few():
    """Two pixels a row; each row by another filter, as the PNG specification has them."""
    red, blue = b"\xff\x00\x00\xff", b"\x00\x00\xff\xff"
    none, sub = b"\0" + red + blue, b"\1" + red + bytes((b - a) & 255 for a, b in zip(red, blue, strict=True))
    up, average = b"\2" + bytes(8), b"\3" + bytes([128, 0, 0, 128]) + bytes([129, 0, 128, 0])
    paeth = b"\4" + bytes(8)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 5, 8, 6, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(none + sub + up + average + paeth))
    made = dict(png._chunks(png.small(png.SIGNATURE + head + data + chunk(b"IEND", b""))))
    first, second = (made[b"PLTE"].index(colour[:3]) // 3 for colour in (red, blue))
    rows = zlib.decompress(made[b"IDAT"])
    assert [rows[at : at + 3] for at in range(0, 15, 3)] == [bytes([0, first, second])] * 5
