"""Search by meaning: asks the worker's process, starts it when it is needed, and does without it when it fails.

Used from the event loop's thread only. It has no answer of its own to a failure: words are found without it, and the
answer says why meaning was not.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.memory import vector_file
from overmind_core.system.marked_program import start_own

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IDLE = 60.0
"""Seconds without a question after which the worker ends."""
PAUSE = 60.0
"""Seconds in which a model that could not be loaded is not tried again."""
LIMIT = 50
"""Notes that a question is answered with, before they are fused with those that words find."""
_LONGEST_LINE = 1 << 20
"""Bytes of an answer."""
_PASSED_ON = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "VIRTUAL_ENV")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
Found = list[tuple[str, float]]
"""Notes with their cosine, best first."""


class ByMeaning(NamedTuple):
    """The worker's answer."""

    found: Sequence[Found] = ()
    """For each question."""
    why_not: str | None = None
    """Why it found nothing, for people; None when it answered."""


class Meaning:
    """One worker at a time, for one model."""

    def __init__(self, database: str, environment: Mapping[str, str]) -> None:
        """`database`: the path of memory.db; `environment`: the daemon's own."""
        self._database = database
        self._environment = {name: environment[name] for name in _PASSED_ON if name in environment} | _ONE_THREAD
        self._worker: _Worker | None = None
        self._folder = ""
        self._failed: tuple[str, float, str] | None = None
        """A folder that could not be loaded, when, and why."""
        self._idle: asyncio.TimerHandle | None = None

    def refusal_of(self, folder: str) -> str | None:
        """Why a folder could not be loaded the last time; None: it was not tried, or it was loaded."""
        return self._failed[2] if self._failed is not None and self._failed[0] == folder else None

    async def ask(self, folder: str, questions: Sequence[str], scopes: Sequence[str], seconds: float) -> ByMeaning:
        """Ask which notes of these scopes mean nearly the same as each question.

        Args:
            folder: Of the model.
            questions: In their order.
            scopes: As `NoteTexts` names them.
            seconds: After which the caller does without.
        """
        loop = asyncio.get_running_loop()
        if self._failed is not None and self._failed[0] == folder and loop.time() < self._failed[1] + PAUSE:
            return ByMeaning(why_not=self._failed[2])
        try:
            worker = self._current(folder)
        except OSError as error:
            return ByMeaning(why_not=f"the process of the model can't be started: {error.strerror}")
        try:
            async with asyncio.timeout(seconds):
                found = await worker.ask(questions, scopes)
        except TimeoutError:
            return ByMeaning(why_not="the model is not ready yet" if not worker.ready else "the model took too long")
        except _Refused as refusal:
            self._failed = (folder, loop.time(), refusal.why)
            self.close()
            return ByMeaning(why_not=refusal.why)
        except (OSError, EOFError):
            self.close()
            return ByMeaning(why_not="the process of the model has ended")
        self._failed = None
        return ByMeaning(found)

    def close(self) -> None:
        """End the worker; the next question starts another one."""
        worker, self._worker = self._worker, None
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if worker is not None:
            worker.close()

    def forget(self) -> None:
        """Throw away all vectors, as those of a few words tell which they were; they are computed anew."""
        self.close()
        vector_file.remove(os.path.join(os.path.dirname(self._database), vector_file.FILE))

    @property
    def pid(self) -> int | None:
        """The process of the worker that runs; None: none does."""
        return None if self._worker is None else self._worker.pid

    def _current(self, folder: str) -> _Worker:
        if self._worker is not None and (self._folder != folder or self._worker.ended):
            self.close()
        if self._worker is None:
            self._folder = folder
            self._worker = _Worker(folder, self._database, self._environment)
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE, self.close)
        return self._worker


class _Refused(Exception):
    """The worker can't load the model."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class _Worker:
    """One process, and the questions that it has not answered yet.

    Raises:
        OSError: it can't be started.
    """

    def __init__(self, folder: str, database: str, environment: Mapping[str, str]) -> None:
        loop = asyncio.get_running_loop()
        pipe = subprocess.PIPE
        self._process = start_own(
            [sys.executable, "-P", "-m", "overmind_core.memory.worker", folder, database],
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.ready = False
        self.ended = False
        self._open: dict[int, asyncio.Future[list[Found]]] = {}
        self._number = 0
        self._started: asyncio.Future[None] = loop.create_future()
        self._started.add_done_callback(lambda started: started.cancelled() or started.exception())
        self._transports: list[asyncio.BaseTransport] = []
        self._writer: asyncio.StreamWriter | None = None
        self._task = loop.create_task(self._run())

    async def ask(self, questions: Sequence[str], scopes: Sequence[str]) -> list[Found]:
        """Ask, and wait for the answer.

        Raises:
            _Refused: it can't load the model.
            OSError, EOFError: it has ended.
        """
        await asyncio.shield(self._started)
        if self._writer is None or self.ended:
            raise EOFError
        self._number += 1
        number = self._number
        answer: asyncio.Future[list[Found]] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        asked = {"number": number, "questions": list(questions), "scopes": list(scopes), "limit": LIMIT}
        try:
            self._writer.write(json.dumps(asked).encode() + b"\n")
            await self._writer.drain()
            return await answer
        finally:
            self._open.pop(number, None)

    def close(self) -> None:
        """End it at once: nothing of a note is left in a process."""
        self._task.cancel()
        self._end()

    async def _run(self) -> None:
        try:
            await self._serve()
        except (_Refused, OSError) as error:
            self._fail(error)
        except ValueError:  # an answer that is none: longer than any, or no JSON
            pass
        finally:
            self._end()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_LONGEST_LINE)
        source, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), self._process.stdout)
        self._transports.append(source)
        sink, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, self._process.stdin)
        self._transports.append(sink)
        self._writer = asyncio.StreamWriter(sink, protocol, None, loop)
        first = json.loads(await reader.readline() or b'{"error": "the process of the model ended at once"}')
        if "error" in first:
            raise _Refused(str(first["error"]))
        self.ready = True
        if not self._started.done():
            self._started.set_result(None)
        while line := await reader.readline():
            answer = json.loads(line)
            waiting = self._open.get(answer["number"])
            if waiting is not None and not waiting.done():
                waiting.set_result([[(note, cosine) for note, cosine in one] for one in answer["found"]])

    def _fail(self, error: Exception) -> None:
        waiting: list[asyncio.Future[Any]] = [self._started, *self._open.values()]
        for one in waiting:
            if not one.done():
                one.set_exception(error)

    def _end(self) -> None:
        """Kill and collect it; whoever waits hears that it has ended."""
        if self.ended:
            return
        self.ended = True
        self._process.kill()
        self._process.wait()
        for transport in self._transports:
            transport.close()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._fail(EOFError())
