"""Asking several hives at once, each in a thread of its own.

None whose link is open keeps the others waiting for more than a second; one to which ssh has yet to connect has the
time for that.
"""

from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

from overmind_core.client.client import Client
from overmind_core.client.hives.hive import HINT
from overmind_core.client.unreadable import FAULTS, unreadable
from overmind_core.domain.hives import LOCAL
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.cli.context import Context
    from overmind_core.client.hives.hive import Hive

T = TypeVar("T")

SILENCE = 1.0
"""Seconds that a hive whose link is open may be slower than the others."""
CONNECT = 5.0
"""Seconds for a link to be opened, and for the first of several hives to answer."""
_LOOK = 0.05
"""Seconds between two looks whether a link is open."""


class Gathered(NamedTuple, Generic[T]):
    """What came of asking several hives."""

    answers: dict[str, T]
    """By the hive's name, in the order in which they were asked; `local` is this machine."""
    failures: dict[str, OvermindError]
    """Of those that could not be asked, or refused."""


def name_of(hive: Hive | None) -> str:
    """Return the word by which -H knows it."""
    return LOCAL if hive is None else hive.name


def gather(
    chosen: Sequence[Hive | None], context: Context, work: Callable[[Client], T], *, told: bool = True
) -> Gathered[T]:
    """Ask all hives the same.

    Args:
        chosen: None is this machine: without a daemon it has nothing, and that is no failure.
        context: Of the command.
        work: Asks one of them.
        told: Say on stderr who is waited for, where that takes a while.
    """
    arrived: SimpleQueue[tuple[str, Any]] = SimpleQueue()

    def ask(hive: Hive | None) -> None:
        client = Client(context.home if hive is None else hive)
        try:
            arrived.put((name_of(hive), work(client)))
        except OvermindError as error:
            arrived.put((name_of(hive), error))
        except FAULTS:
            arrived.put((name_of(hive), unreadable(name_of(hive))))
        except Exception as error:  # noqa: BLE001 - told as that hive's failure
            arrived.put((name_of(hive), OvermindError("internal", f"{name_of(hive)}: {error}")))
        finally:
            client.close()

    waiting = _Waiting(chosen, time.monotonic())
    for hive in chosen:
        threading.Thread(target=ask, args=(hive,), name=f"ask-{name_of(hive)}", daemon=True).start()
    found = _collect(arrived, waiting, context.note if told else lambda _: None)
    failures, answers = {}, {}
    for hive in chosen:
        name = name_of(hive)
        answer = found.get(name, _silent(name))
        if not isinstance(answer, OvermindError):
            answers[name] = answer
        elif hive is not None or answer.code != "daemon_not_running":
            failures[name] = answer
    return Gathered(answers, failures)


class _Waiting:
    """Those that have not answered yet → until when each is waited for. Seconds, monotonic clock."""

    def __init__(self, chosen: Sequence[Hive | None], began: float) -> None:
        self._hives = {name_of(hive): hive for hive in chosen}
        self._began = began
        self._opened = {
            name: began for name, hive in self._hives.items() if hive is None or not hive.is_connecting()
        }  # fmt: skip
        """Since when each link is known to be open."""
        self._answered: float | None = None

    def __bool__(self) -> bool:
        return bool(self._hives)

    def answered(self, name: str, now: float) -> None:
        """One has answered, or its link has failed."""
        hive = self._hives.pop(name)
        if hive is not None:  # `local` needs no connection to be made: the others get their time
            self._answered = now

    def connecting(self, now: float) -> list[str]:
        """Return the names of those whose link is still being opened."""
        for name, hive in self._hives.items():
            if name not in self._opened and hive is not None and not hive.is_connecting():
                self._opened[name] = now
        return [name for name in self._hives if name not in self._opened]

    def until(self) -> float:
        """Return when the last of them is given up; see `connecting`."""
        return max(map(self._deadline, self._hives))

    def is_late(self, now: float) -> bool:
        """Whether only those are waited for that could not answer yet."""
        return self._answered is not None and now >= self._answered + SILENCE

    def _deadline(self, name: str) -> float:
        opened = self._opened.get(name)
        if opened is None or self._answered is None:
            return (self._began if opened is None else opened) + CONNECT
        return max(self._answered, opened) + SILENCE


def _collect(arrived: SimpleQueue[tuple[str, Any]], waiting: _Waiting, told: Callable[[str], None]) -> dict[str, Any]:
    """Return what has come of each in time; of one whose link could not be opened in time an error that says so."""
    found: dict[str, Any] = {}
    is_told = False
    while waiting:
        now = time.monotonic()
        connecting = waiting.connecting(now)
        if (left := waiting.until() - now) <= 0:
            return {name: _unconnected(name) for name in connecting} | found
        if connecting and waiting.is_late(now) and not is_told:
            told(f"Waiting for {', '.join(connecting)}: ssh connects.")
            is_told = True
        try:
            name, answer = arrived.get(timeout=min(left, _LOOK) if connecting else left)
        except Empty:
            continue
        found[name] = answer
        waiting.answered(name, time.monotonic())
    return found


def _silent(name: str) -> OvermindError:
    return OvermindError("hive_silent", f"{name} has been silent for {SILENCE:.0f} s. {HINT}")


def _unconnected(name: str) -> OvermindError:
    return OvermindError("hive_silent", f"{name} can't be asked: ssh has not connected within {CONNECT:.0f} s. {HINT}")
