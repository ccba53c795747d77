"""`python -m tally [FILE]`: prints how often each word occurs."""

from __future__ import annotations

import sys

from tally.words import counted


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    if len(arguments) > 1:
        print("usage: tally [FILE]", file=sys.stderr)
        return 2
    if arguments:
        with open(arguments[0], encoding="utf-8") as file:
            text = file.read()
    else:
        text = sys.stdin.read()
    for word, count in counted(text):
        print(count, word)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
