"""Run a landing, or a night; exit 1 when it is refused, or red. Needs Python's standard library alone.

python3 -m scripts.landing          what CI runs
python3 -m scripts.landing night    all of it, with all rounds and examples
"""

from __future__ import annotations

import os
import sys
import tempfile

from scripts.landing.execution import Interrupts
from scripts.landing.sequence import Landing
from scripts.landing.targets import NIGHT, plan_landing


def main() -> int:
    """Run it, and return its exit status."""
    cores = int(os.environ.get("OVERMIND_LANDING_CORES", "0")) or os.cpu_count() or 1
    plans = {(): plan_landing(cores), ("night",): NIGHT}
    plan = plans.get(tuple(sys.argv[1:]))
    if plan is None:
        sys.stderr.write(f"{__doc__}")
        return 2
    interrupts = Interrupts()
    interrupts.listen()
    try:
        with tempfile.TemporaryDirectory(prefix="overmind-landing-", ignore_cleanup_errors=True) as folder:
            lands = Landing(folder, plan, out=sys.stdout.buffer, interrupts=interrupts).run()
    except OSError as error:  # a full disk, or nobody reads any more
        sys.stderr.write(f"Refused: {error}\n")
        return 1
    if interrupts.number:
        return 128 + interrupts.number
    return 0 if lands else 1


if __name__ == "__main__":
    sys.exit(main())
