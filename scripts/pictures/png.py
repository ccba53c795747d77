"""A PNG of a browser, with as many colours as eyes tell apart: a third of its size. Source: the PNG specification."""

from __future__ import annotations

import os
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate, islice

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
PIXELS = {(8, 2): 3, (8, 6): 4}
"""Bits of a channel and kind of a picture → bytes of its pixels: red, green, blue, and opacity where there is one."""
OPACITY = 3
MEAN, NEAREST = 3, 4
"""Filters that take more than one neighbour: their mean, and the one that is nearest to what they say together."""
COARSE = 0xF8
"""The bits of a channel that count."""


def small(picture: bytes, most: int) -> bytes:
    """The first `most` lines of a picture with a palette; anything but 8-bit RGB or RGBA is given back as it came."""
    chunks = list(_chunks(picture))
    width, height, depth, kind = struct.unpack(">IIBB", chunks[0][1][:10])
    if (depth, kind) not in PIXELS:
        return picture
    pixel = PIXELS[depth, kind]
    data = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    height = min(height, most)
    pixels = [
        row[at : at + pixel]
        for row in islice(_rows(data, width * pixel, pixel), height)
        for at in range(0, width * pixel, pixel)
    ]
    palette, place = _palette(Counter(pixels))
    lines = b"".join(
        b"\0" + bytes([place[pixel] for pixel in pixels[top : top + width]])
        for top in range(0, width * height, width)
    )  # fmt: skip
    return SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", b"".join(colour[:3] for colour in palette)),
            _chunk(b"tRNS", bytes(colour[OPACITY] for colour in palette)) if pixel > OPACITY else b"",
            _chunk(b"IDAT", zlib.compress(lines, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _palette(counts: Counter[bytes]) -> tuple[list[bytes], dict[bytes, int]]:
    """The colours that stand for all others, and which stands for which."""
    alike: dict[bytes, Counter[bytes]] = {}
    for pixel, count in counts.items():
        alike.setdefault(bytes(channel & COARSE for channel in pixel), Counter())[pixel] += count
    groups = sorted(alike.values(), key=lambda group: -group.total())
    palette = [group.most_common(1)[0][0] for group in groups[:COLOURS]]
    place = {pixel: at for at, group in enumerate(groups[:COLOURS]) for pixel in group}
    for group in groups[COLOURS:]:
        nearest = min(range(COLOURS), key=lambda at: _distance(palette[at], group.most_common(1)[0][0]))
        place.update(dict.fromkeys(group, nearest))
    return palette, place


def _distance(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(picture):
        (length,) = struct.unpack_from(">I", picture, at)
        yield picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _rows(data: bytes, length: int, pixel: int) -> Iterator[bytes]:
    """Undo the filters: each byte was stored as its difference from those of the pixels before and above."""
    above = bytes(length)
    for at in range(0, len(data), length + 1):
        row = bytearray(data[at + 1 : at + 1 + length])
        match data[at]:
            case 1:
                for channel in range(pixel):
                    values: list[int] = list(row[channel::pixel])
                    sums: list[int] = list(accumulate(values, _sum))
                    row[channel::pixel] = bytes(sums)
            case 2:
                row = bytearray(map(_sum, row, above))
            case kind if kind in {MEAN, NEAREST}:
                _relative(row, above, pixel, kind)
        above = bytes(row)
        yield above


def _sum(one: int, other: int) -> int:
    return (one + other) & 0xFF


def _relative(row: bytearray, above: bytes, pixel: int, kind: int) -> None:
    """Undo a filter that takes more than one neighbour."""
    for place, value in enumerate(row):
        left = row[place - pixel] if place >= pixel else 0
        guess = (left + above[place]) // 2
        if kind == NEAREST:
            corner = above[place - pixel] if place >= pixel else 0
            all_three = left + above[place] - corner
            guess = min((left, above[place], corner), key=lambda one: abs(all_three - one))
        row[place] = (value + guess) & 0xFF


def keep(path: str, picture: bytes) -> None:
    """Put a picture at its place, whole: a run that is cut off leaves the one before."""
    with open(f"{path}.new", "wb") as file:
        file.write(picture)
    os.replace(f"{path}.new", path)
