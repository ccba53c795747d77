"""Which of its modes the stand-in runs in."""

from __future__ import annotations

import os
import sys

from tests.kit.standin import interactive, stream
from tests.kit.standin.events import VERSION
from tests.kit.standin.options import Options, Refused, parse


def main() -> None:
    """Run the program, and end the process with its exit code."""
    try:
        code = _run(parse(sys.argv[1:]))
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        code = 1
    sys.stderr.flush()
    os._exit(code)


def _run(options: Options) -> int:
    if options.version:
        sys.stdout.write(f"{VERSION} (Claude Code)\n")
        sys.stdout.flush()
        return 0
    return stream.run(options) if options.print else interactive.run(options)
