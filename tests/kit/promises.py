"""What a contract promises, case by case: each promise has tests that stand for it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from tests.kit import tiers


class Case(NamedTuple):
    """A promise.

    Attributes:
        number: From 1.
        promise: In one sentence.
        tests: `room/file::test`, whatever the tier; all together prove it.
    """

    number: int
    promise: str
    tests: tuple[str, ...]


@cache
def names_in(room_path: str) -> frozenset[str]:
    """Names of the tests in a file of a room, in each tier where the room has that file."""
    return frozenset(name for path in tiers.files(room_path) for name in _names_in(path))


def _names_in(path: str) -> Iterator[str]:
    with open(path, encoding="utf-8") as file:
        body = ast.parse(file.read()).body
    for one in body:
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name.startswith("test_"):
            yield one.name


def missing(cases: Iterable[Case]) -> list[str]:
    """The tests of these cases that are not there, each with the number of its case."""
    return [
        f"{case.number}: {named}"
        for case in cases
        for named in case.tests
        if named.partition("::")[2] not in names_in(named.partition("::")[0])
    ]
