"""`python -P -m overmind_core.keeper --home DIR`."""

from __future__ import annotations

import gc
import os
import sys

gc.disable()  # until it listens: nothing that is imported here is ever garbage

from overmind_core.keeper.main import main  # noqa: E402

if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stderr.flush()
    # At once: the lock is free, so whoever waited for us counts on it that nobody is here any more.
    os._exit(status)
