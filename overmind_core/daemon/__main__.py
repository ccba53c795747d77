"""`python -m overmind_core.daemon`: the daemon."""

from __future__ import annotations

import gc
import logging
import os
import sys

UNUSED = ("ssl", "typing_extensions")
"""What asyncio and msgspec do without where there is none: saves 20 ms of each start, and 5 MB."""


def load_libraries() -> None:
    """Load them without what is not used of theirs."""
    before = {name: sys.modules.get(name) for name in UNUSED}
    sys.modules.update(dict.fromkeys(UNUSED))  # type: ignore[arg-type] # None: an import of it fails
    import asyncio  # noqa: F401, PLC0415

    import msgspec  # noqa: F401, PLC0415

    for name, module in before.items():
        if module is None:
            del sys.modules[name]
        else:
            sys.modules[name] = module


if __name__ == "__main__":
    gc.disable()  # until clients are answered: nothing that is imported here is ever garbage
    load_libraries()
    from overmind_core.daemon.main import main

    status = main(sys.argv[1:])
    logging.shutdown()
    sys.stderr.flush()
    # A worker thread may hang in a dead mount; the locks are free and everything is saved, so nobody waits for it.
    os._exit(status)
