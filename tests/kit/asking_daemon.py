"""A real daemon that also asks people what a test tells it to, and notes what was answered: `AskingDaemon`.

As a program it is the daemon of a home, with its own table of who acts on answers: a fact `acted` of the home, saved
with each answer. It refuses the text "refuse". One that is killed is followed by an ordinary daemon.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self, cast

from overmind_core.daemon.app import App
from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.domain.events import About
from overmind_core.errors import OvermindError
from tests.kit.overmind import REPOSITORY

if TYPE_CHECKING:
    from types import TracebackType

    from overmind_core.agents.engine_questions import EngineQuestion
    from overmind_core.domain.agents.agent_events import Decision
    from tests.kit.overmind import Overmind

Acted = list[tuple[int, str, str, str | None]]
"""Question, need, behaviour and text of each answer."""
REFUSED = "refuse"
"""The text that is refused."""


class AskingDaemon:
    """The daemon of a home, inside of the block; it is left to its keeper at the end."""

    def __init__(self, om: Overmind) -> None:
        self._om = om

    def __enter__(self) -> Self:
        program = [sys.executable, "-m", "tests.kit.asking_daemon", "--home", self._om.home]
        with open(self._om.path("daemon.log"), "ab") as log:
            self._daemon = subprocess.Popen(
                program,
                cwd=REPOSITORY,
                env=self._om.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._said() == "ready"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in (self._daemon.stdin, self._daemon.stdout):
            assert pipe is not None
            pipe.close()
        self._daemon.terminate()
        self._daemon.wait(20)

    def ask(self, need: str, kind: str, id_: str, name: str, summary: str = "?", **more: Any) -> int:
        """Have it ask; the question's number."""
        asked = {"need": need, "about": [kind, id_, name], "summary": summary, **more}
        return int(self._told({"ask": asked}))

    def withdraw(self, id_: str) -> None:
        """Have it take back all that it asks about a subject."""
        self._told({"withdraw": id_})

    def acted(self) -> Acted:
        """What was answered, as a process that comes later finds it."""
        with sqlite3.connect(self._om.path("state.db")) as database:
            row = database.execute("SELECT value FROM meta WHERE key = 'acted'").fetchone()
        database.close()
        return [] if row is None else [cast("Any", tuple(one)) for one in json.loads(row[0])]

    def _told(self, what: dict[str, Any]) -> str:
        assert self._daemon.stdin is not None
        self._daemon.stdin.write(json.dumps(what) + "\n")
        self._daemon.stdin.flush()
        return self._said()

    def _said(self) -> str:
        assert self._daemon.stdout is not None
        return self._daemon.stdout.readline().strip()


class _Asking:
    """What a test tells the daemon, line by line."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._acted: Acted = []
        app.engine_questions._handlers = {(need.value, None): self._act for need in EngineNeed}

    async def follow(self) -> None:
        """Do what each line says, and answer it once that is saved."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        print("ready", flush=True)  # noqa: T201 - to the test
        while line := await reader.readline():
            answer = self._do(json.loads(line))
            await self._app.journal.saved()
            print(answer, flush=True)  # noqa: T201 - same

    def _do(self, what: dict[str, Any]) -> int:
        engine = self._app.engine_questions
        if "withdraw" in what:
            engine.withdraw(what["withdraw"])
            return 0
        asked = what["ask"]
        about = About(*asked.pop("about"))
        return engine.ask(asked.pop("need"), about, **asked)

    def _act(self, question: EngineQuestion, decision: Decision) -> None:
        if decision.message == REFUSED:
            raise OvermindError("invalid", "That is no answer to this.")
        self._acted.append((question.number, question.need, decision.behaviour.value, decision.message))
        text = json.dumps(self._acted)
        self._app.journal.save(lambda: self._app.state.meta.save("acted", text))


async def _start(self: App) -> None:
    await _started(self)
    self.tasks.start(_Asking(self).follow())


_started = App.start

if __name__ == "__main__":
    App.start = _start  # type: ignore[method-assign]
    from overmind_core.daemon.main import main

    sys.exit(main(sys.argv[1:]))
