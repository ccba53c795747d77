"""A table of cases in one test: each is tried, and all that failed are told at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

Row = TypeVar("Row")
_LONGEST_NAME = 200
"""Characters of a row that a failure shows."""


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
        # Where pytest says that it stands: a landing tries the file of a failed test again.
        all_rows.place_as = getattr(test, "place_as", test)  # type: ignore[attr-defined]
        return all_rows

    return decorate


def tabled(
    names: str | Sequence[str],
    rows: Iterable[Any],
    *,
    ids: Callable[[Any], object] | Iterable[object] | None = None,
) -> Callable[[Callable[..., object]], Callable[[], None]]:
    """`each`, with the arguments of `pytest.mark.parametrize`, for a test that needs no fixture.

    Args:
        names: Of the test's arguments.
        rows: A value for each argument, or the one argument's.
        ids: What a failure calls each row, or what it calls a value; as it is written where nothing is said.
    """
    words = [word.strip() for word in names.split(",")] if isinstance(names, str) else list(names)
    given = [(row,) if len(words) == 1 else tuple(row) for row in rows]
    if ids is None or callable(ids):
        known = [[value if ids is None else ids(value) for value in row] for row in given]
    else:
        known = [[one] for one in ids]

    def decorate(test: Callable[..., object]) -> Callable[[], None]:
        def row(numbered: tuple[int, tuple[Any, ...]]) -> None:
            test(**dict(zip(words, numbered[1], strict=True)))

        row.__name__, row.__qualname__ = test.__name__, test.__qualname__
        row.__module__, row.__doc__ = test.__module__, test.__doc__
        row.place_as = test  # type: ignore[attr-defined]
        return each(enumerate(given), lambda one: ", ".join(map(str, known[one[0]]))[:_LONGEST_NAME])(row)

    return decorate
