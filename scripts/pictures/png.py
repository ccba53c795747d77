"""A PNG of a browser, with as many colours as eyes tell apart: a third of its size. Source: the PNG specification."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import islice

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
PIXEL = 4
"""Bytes: red, green, blue, opacity."""
COARSE = 0xF8
"""The bits of a channel that count."""


def small(picture: bytes, most: int) -> bytes:
    """The first `most` lines of a picture with a palette; anything but 8-bit RGBA is given back as it came."""
    chunks = list(_chunks(picture))
    width, height, depth, kind = struct.unpack(">IIBB", chunks[0][1][:10])
    if (depth, kind) != (8, 6):
        return picture
    data = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    height = min(height, most)
    pixels = [
        row[at : at + PIXEL]
        for row in islice(_rows(data, width * PIXEL), height)
        for at in range(0, width * PIXEL, PIXEL)
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
            _chunk(b"tRNS", bytes(colour[3] for colour in palette)),
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


def _rows(data: bytes, length: int) -> Iterator[bytes]:
    """Undo the filters: each byte was stored as its difference from neighbours."""
    above = bytearray(length)
    for at in range(0, len(data), length + 1):
        row = bytearray(data[at + 1 : at + 1 + length])
        for place, value in enumerate(row):
            left = row[place - PIXEL] if place >= PIXEL else 0
            corner = above[place - PIXEL] if place >= PIXEL else 0
            row[place] = (value + _guess(data[at], left, above[place], corner)) & 0xFF
        yield bytes(row)
        above = row


def _guess(kind: int, left: int, above: int, corner: int) -> int:
    match kind:
        case 1:
            return left
        case 2:
            return above
        case 3:
            return (left + above) // 2
        case 4:
            all_three = left + above - corner
            return min((left, above, corner), key=lambda one: abs(all_three - one))
        case _:
            return 0
