"""`python -m overmind_core.supervisor`: the daemon."""

from __future__ import annotations

import logging
import os
import sys

from overmind_core.supervisor.main import main

if __name__ == "__main__":
    status = main()
    logging.shutdown()
    sys.stderr.flush()
    # A worker thread may hang in a dead mount; the locks are free and everything is saved, so nobody waits for it.
    os._exit(status)
