"""A table of cases in one test: each is tried, and all that failed are told at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Row = TypeVar("Row")


class Cases:
    """Use as `with cases(name): …` for each row; `verdict` fails the test when a row did."""

    def __init__(self) -> None:
        self._failed: list[str] = []

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Try one case; its failure is kept, and the next ones are tried all the same."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this case
            self._failed.append(f"{name}: {type(error).__name__}: {error}")

    def verdict(self) -> None:
        """Fail with all that failed."""
        assert not self._failed, "\n\n".join(self._failed)


def each(rows: Iterable[Row], name: Callable[[Row], str]) -> Callable[[Callable[[Row], object]], Callable[[], None]]:
    """One test of all `rows`: for hundreds that take no time, where `parametrize` spends two milliseconds on each.

    Args:
        rows: What the test is given, one at a time; there is one at least.
        name: What a failure calls the row.
    """
    table = list(rows)

    def decorate(test: Callable[[Row], object]) -> Callable[[], None]:
        def all_rows() -> None:
            cases = Cases()
            assert table
            for row in table:
                with cases(name(row)):
                    test(row)
            cases.verdict()

        # Not by `functools.wraps`, through which pytest would see the row as a fixture.
        all_rows.__name__, all_rows.__qualname__ = test.__name__, test.__qualname__
        all_rows.__module__, all_rows.__doc__ = test.__module__, test.__doc__
        return all_rows

    return decorate
