"""`python -P -m overmind_core.keeper --home DIR`."""

from __future__ import annotations

import sys

from overmind_core.keeper.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
