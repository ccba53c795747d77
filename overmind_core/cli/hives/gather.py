"""Asking several hives at once, each in a thread of its own: none keeps the others waiting for more than a second."""

from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

from overmind_core.client.client import Client
from overmind_core.client.hives.hive import HINT
from overmind_core.domain.hives import LOCAL
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from overmind_core.cli.context import Context
    from overmind_core.client.hives.hive import Hive

T = TypeVar("T")

SILENCE = 1.0
"""Seconds that a hive may be slower than the others."""
FIRST_ANSWER = 5.0
"""Seconds for the first of several hives to answer: a connection may have to be made to each."""


class Gathered(NamedTuple, Generic[T]):
    """What came of asking several hives."""

    answers: dict[str, T]
    """By the hive's name, in the order in which they were asked; `local` is this machine."""
    failures: dict[str, OvermindError]
    """Of those that could not be asked, or refused."""


def name_of(hive: Hive | None) -> str:
    """Return the word by which -H knows it."""
    return LOCAL if hive is None else hive.name


def gather(chosen: Sequence[Hive | None], context: Context, work: Callable[[Client], T]) -> Gathered[T]:
    """Ask all hives the same.

    Args:
        chosen: None is this machine: without a daemon it has nothing, and that is no failure.
        context: Of the command.
        work: Asks one of them.
    """
    arrived: SimpleQueue[tuple[str, Any]] = SimpleQueue()

    def ask(hive: Hive | None) -> None:
        client = Client(context.home if hive is None else hive)
        try:
            arrived.put((name_of(hive), work(client)))
        except OvermindError as error:
            arrived.put((name_of(hive), error))
        except Exception as error:  # noqa: BLE001 - told as that hive's failure
            arrived.put((name_of(hive), OvermindError("internal", f"{name_of(hive)}: {error}")))
        finally:
            client.close()

    for hive in chosen:
        threading.Thread(target=ask, args=(hive,), name=f"ask-{name_of(hive)}", daemon=True).start()
    found = _collect(arrived, len(chosen))
    failures, answers = {}, {}
    for hive in chosen:
        name = name_of(hive)
        answer = found.get(name, _silent(name))
        if not isinstance(answer, OvermindError):
            answers[name] = answer
        elif hive is not None or answer.code != "daemon_not_running":
            failures[name] = answer
    return Gathered(answers, failures)


def _collect(arrived: SimpleQueue[tuple[str, Any]], count: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    deadline = time.monotonic() + FIRST_ANSWER
    while len(found) < count and (left := deadline - time.monotonic()) > 0:
        try:
            name, answer = arrived.get(timeout=left)
        except Empty:
            break
        found[name] = answer
        if name != LOCAL:  # it needs no connection to be made: the others get their time
            deadline = time.monotonic() + SILENCE
    return found


def _silent(name: str) -> OvermindError:
    return OvermindError("hive_silent", f"{name} has been silent for {SILENCE:.0f} s. {HINT}")
