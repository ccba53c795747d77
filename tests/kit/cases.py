"""A table of cases that share one daemon: each is tried, and all that failed are told at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


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
