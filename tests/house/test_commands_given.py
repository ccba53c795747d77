"""Commands that the program prints for people to type: paths and branches in them are quoted for the shell."""

from __future__ import annotations

import ast
import os

import pytest

from tests.kit.overmind import REPOSITORY

FREE = {"path", "file", "folder", "into", "branch", "base", "target", "source", "top", "root", "home", "cwd"}
"""What values are called that may hold any character; names, slugs and numbers are safe in a shell."""


def unquoted(source: str) -> list[str]:
    """Return the values that stand bare behind `overmind WORD` in an f-string, as they are written."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.JoinedStr):
            continue
        is_command = False
        for part in node.values:
            if isinstance(part, ast.Constant):
                text = str(part.value)
                begins = max(text.rfind("overmind "), text.rfind("git -C"))
                ends = max(text.rfind(mark) for mark in (". ", ", or", "; "))
                is_command = begins > ends if begins >= 0 else is_command and ends < 0
            elif is_command and isinstance(part, ast.FormattedValue) and _word(part.value) in FREE:
                found.append(ast.unparse(part.value))
    return found


def _word(value: ast.expr) -> str:
    if isinstance(value, ast.BoolOp):
        return _word(value.values[0])
    if isinstance(value, ast.Name):
        return value.id
    return value.attr if isinstance(value, ast.Attribute) else ""


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('f"Try: overmind apply {path}"', ["path"]),
        ('f"Try: overmind apply {one.file or 1} --rerun"', ["one.file or 1"]),
        ('f"Try: git -C {folder} status"', ["folder"]),
        ('f"Try: overmind apply {shlex.quote(path)}"', []),
        ('f"{path} is no plan. Try: overmind apply {name}"', []),
        ('f"Try: overmind ps. It is in {path}"', []),
    ],
)
def test_a_bare_path_in_a_command_is_found(source, found):
    assert unquoted(source) == found


def test_paths_and_branches_in_commands_are_quoted():
    found = []
    for package in ("overmind_core", "overmind_tui"):
        for folder, _, files in os.walk(os.path.join(REPOSITORY, package)):
            for name in files:
                if name.endswith(".py"):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as file:
                        found += [f"{os.path.relpath(path, REPOSITORY)}: {value}" for value in unquoted(file.read())]
    assert not found
