"""What a contract promises, case by case: each promise has tests that stand for it."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from tests.kit.overmind import REPOSITORY


class Case(NamedTuple):
    """A promise.

    Attributes:
        number: From 1.
        promise: In one sentence.
        tests: `file::test` below `tests/`; all together prove it.
    """

    number: int
    promise: str
    tests: tuple[str, ...]


@cache
def names_in(path: str) -> frozenset[str]:
    """Names of the tests in a file below `tests/`; none where there is no such file."""
    whole = os.path.join(REPOSITORY, "tests", path)
    if not os.path.exists(whole):
        return frozenset()
    with open(whole, encoding="utf-8") as file:
        body = ast.parse(file.read()).body
    return frozenset(
        one.name
        for one in body
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name.startswith("test_")
    )


def missing(cases: Iterable[Case]) -> list[str]:
    """The tests of these cases that are not there, each with the number of its case."""
    return [
        f"{case.number}: {named}"
        for case in cases
        for named in case.tests
        if named.partition("::")[2] not in names_in(named.partition("::")[0])
    ]
