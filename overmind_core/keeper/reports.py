"""What a terminal sends by itself: answers to a program's questions. Pure.

Every viewer's terminal answers them; a program must get one answer only.

Source: XTerm Control Sequences; the kitty keyboard protocol; in-band resize notifications (mode 2048). A cursor
position report of row 1 looks like a modified F3 (`CSI 1;2R`): it counts as a report.
"""

from __future__ import annotations

import re

REPORT = re.compile(
    rb"\x1b\[(?:"
    rb"[?>=][0-9;:]*c"  # device attributes
    rb"|\??[0-9]+;[0-9;]+R|\??[0-9;]+n"  # cursor position, device status, colour scheme
    rb"|\??[0-9;]+\$y"  # state of a mode
    rb"|\?[0-9;]*u"  # keyboard flags
    rb"|[0-9;:]+t|[IO])"  # sizes of the window, focus in and out
    rb"|\x1b(?:\][0-9]+;|P[0-9>!]|_G)[^\x07\x18\x1a\x1b]*(?:\x07|\x1b\\)"  # colours, version, settings, graphics
)
PASTE = b"\x1b[200~"
"""Begins pasted text (bracketed paste), in which nothing is a report."""


def typed(data: bytes) -> bytes:
    """`data`, which cuts no sequence in two, without the reports in it."""
    if b"\x1b" not in data:
        return data
    head, paste, tail = data.partition(PASTE)
    return REPORT.sub(b"", head) + paste + tail
