"""`make screenshots`: what it draws is shown, stays small, and without a browser it says so."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import zlib

import pytest

from overmind_web.pages.registry import shown
from scripts.pictures import chromium, frames, png
from scripts.pictures.scenes import SCENES, WEB_SCENES
from tests.kit.cases import tabled
from tests.kit.overmind import REPOSITORY

MOST = 150_000
"""Bytes of one picture."""


@tabled("scene", SCENES, ids=lambda scene: scene.name)
def test_each_picture_is_there_small_and_in_the_readme(scene):
    path = f"screenshots/{scene.name}.png"
    assert 1000 < os.path.getsize(os.path.join(REPOSITORY, path)) < MOST
    with open(os.path.join(REPOSITORY, "README.md")) as readme:
        assert path in readme.read()


@pytest.mark.parametrize("scene", WEB_SCENES, ids=lambda scene: scene.page)
def test_each_page_of_the_dashboard_is_there_in_every_look_and_small(scene):
    for name in scene.names:
        assert 1000 < os.path.getsize(os.path.join(REPOSITORY, "screenshots", f"{name}.png")) < MOST, name


def test_every_page_of_the_menu_is_drawn_and_no_picture_is_left_over():
    drawn = {scene.page for scene in WEB_SCENES}
    assert {page["name"] for page in shown() if page["listed"]} <= drawn
    names = [*(scene.name for scene in SCENES), *(name for scene in WEB_SCENES for name in scene.names)]
    assert sorted(os.listdir(os.path.join(REPOSITORY, "screenshots"))) == sorted(f"{name}.png" for name in names)


def test_every_picture_that_is_shown_is_there():
    shown = set()
    for folder in ("", "docs"):
        for name in os.listdir(os.path.join(REPOSITORY, folder)):
            if name.endswith(".md"):
                with open(os.path.join(REPOSITORY, folder, name), encoding="utf-8") as page:
                    shown |= set(re.findall(r"screenshots/([\w-]+\.png)", page.read()))
    assert shown <= set(os.listdir(os.path.join(REPOSITORY, "screenshots")))


def test_without_a_browser_it_says_what_to_install(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "scripts.pictures"],
        cwd=REPOSITORY, env={"PATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: {chromium.MISSING}\n"


ROW = '<text class="t-r1" x="{x}" y="{y}" textLength="{cells}" clip-path="url(#t-line-0)">{text}</text>'


def test_the_edge_of_a_box_goes_on_from_row_to_row():
    """Pieces that a font draws leave a gap in every row."""
    rows = [ROW.format(x=12.2, y=y, cells=36.6, text=text) for y, text in ((20, "│漢"), (44.4, "│a&amp;"))]
    drawn = frames.joined(".t-r1 { fill: #7aa2f7 }" + "".join(rows))
    assert "│" not in drawn
    assert "\N{NO-BREAK SPACE}a&amp;</text>" in drawn
    ends = [[float(one) for one in re.findall(r"[\d.]+", path)] for path in re.findall(r' d="([^"]+)"', drawn)]
    upper, lower = ends[0], ends[-1]
    assert {upper[at] for at in (0, 2, 4, 6)} == {lower[at] for at in (0, 2, 4, 6)} == {18.3}, "in the first cell"
    assert max(upper[1::2]) > min(lower[1::2]), "the upper one reaches into the row below"
    assert 'stroke="#7aa2f7"' in drawn


def test_corners_are_round_and_text_without_boxes_stays_as_it_is():
    plain = ROW.format(x=0, y=20, cells=12.2, text="a")
    assert frames.joined(plain) == plain
    assert "Q" in frames.joined(ROW.format(x=0, y=20, cells=12.2, text="╭"))


def test_a_bar_reaches_into_the_row_below():
    drawn = [frames.joined(ROW.format(x=0, y=18.5, cells=12.2, text=bar)) for bar in "▄█"]
    assert "M0.00 12.20h12.60v12.60H0.00z" in drawn[0]
    assert "M0.00 0.00h12.60v24.80H0.00z" in drawn[1]


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
    whole = png.SIGNATURE + head + data + chunk(b"IEND", b"")
    made = dict(png._chunks(png.small(whole, most=99)))
    first, second = (made[b"PLTE"].index(colour[:3]) // 3 for colour in (red, blue))
    rows = zlib.decompress(made[b"IDAT"])
    assert [rows[at : at + 3] for at in range(0, 15, 3)] == [bytes([0, first, second])] * 5
    above = dict(png._chunks(png.small(whole, most=2)))
    assert struct.unpack(">II", above[b"IHDR"][:8]) == (2, 2)
    assert zlib.decompress(above[b"IDAT"]) == rows[:6]
