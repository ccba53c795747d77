"""`python -m overmind_core.supervisor`: the daemon."""

from __future__ import annotations

import sys

from overmind_core.supervisor.main import main

if __name__ == "__main__":
    sys.exit(main())
