"""A lint of few rules: `python lint.py FOLDER...`. Any warning of the compiler is a mistake, too (python -W error)."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

LONGEST = 120
"""Characters of a line."""


def problems(path: Path) -> list[str]:
    """Return what is wrong with a file."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, str(path))
    found = [
        f"{path}:{number}: {what}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, wrong in (
            ("the line is too long", len(line) > LONGEST),
            ("blanks at the end of the line", line != line.rstrip()),
            ("a tab", "\t" in line),
        )
        if wrong
    ]
    if tree.body and ast.get_docstring(tree) is None:
        found.append(f"{path}:1: the module has no docstring")
    return found


def main(folders: list[str]) -> int:
    """Return the exit code."""
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    found = [problem for path in files for problem in problems(path)]
    for problem in found:
        print(problem)
    print(f"{len(files)} files, {len(found)} problems")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
