"""Names and times as the real program writes them."""

from __future__ import annotations

import os
import time


def uuid4() -> str:
    """Return a random UUID; the module of that name would cost a quarter of the start."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def now() -> str:
    """Return the time in UTC with milliseconds: 2026-11-20T06:47:58.038Z."""
    seconds = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"
