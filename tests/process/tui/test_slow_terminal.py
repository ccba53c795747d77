"""A terminal that takes 2 kB a second: what it is shown next is what is there then, not what was there long ago."""

from __future__ import annotations

import os
import select
import time

from tests.kit.attached import Attached
from tests.kit.overmind import PROGRAM

SLOWLY = 20
"""Bytes that it takes each hundredth of a second."""
FRAMES = 120_000
"""Bytes that may be on their way: a few frames and what the kernel holds; 3 s of frames are many times that."""


def test_frames_are_left_out_and_keys_are_answered_at_once_afterwards(om):
    flood = "i=0; while :; do seq -f '%.0f flood that fills a line' $i $((i+39)); i=$((i+40)); sleep 0.02; done"
    om.mission(flood, "--type", "session", "--name", "flood")
    with Attached(om, "tui", program=PROGRAM, size=(120, 40)) as person:
        person.shows("1 running")
        person.type(b"\r")
        person.shows("looking")
        until = time.monotonic() + 3.0
        while time.monotonic() < until:
            if select.select([person._master], [], [], 0)[0]:
                data = os.read(person._master, SLOWLY)
                person.seen += data
                person.screen.feed(data)
            time.sleep(0.01)  # what makes it slow
        before = len(person.seen)
        person.type(b"?")
        person.shows("› keys")
        assert len(person.seen) - before < FRAMES
