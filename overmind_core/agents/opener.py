"""Opens an agent's conversation over pipes, and becomes its full-screen program, which goes on with it.

For a program that can't open one as it is asked to: `python -P -m overmind_core.agents.opener FILE`. The file says all.
Its hook learns the name before the screen is there, so that a conversation is known from its first moment.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import Agent, AgentMode
from overmind_core.domain.agents.agent_events import NotOpened, Owed, SessionNamed, SessionReady
from overmind_core.domain.agents.conversation import ForkPoint, last_paragraph
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.providers import registry
from overmind_core.providers.base import OPENER_ENDS, SESSION_WORD, ConnectionRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.domain.agents.agent_events import TurnResult
    from overmind_core.providers.base import Connection

SECONDS = 60
"""Within which the program has to open it."""
HOOK_SECONDS = 10.0
"""Within which the hook has told of it; without that the program's own hooks do."""
END_SECONDS = 5.0
"""Within which the program ends once nothing follows."""


class NotOpenedError(Exception):
    """The conversation is not open, for the reason that a result or the program's last words tell."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def open_conversation(server: Sequence[str], opening: bytes, connection: Connection) -> SessionNamed:
    """Have the program open it.

    Raises:
        NotOpenedError: it does not.
        OSError: there is no such program.
    """
    with tempfile.TemporaryFile() as errors:
        pipe = subprocess.PIPE
        with subprocess.Popen(server, stdin=pipe, stdout=pipe, stderr=errors) as process:
            try:
                opened = _exchange(process, opening, connection)
            finally:
                _end(process)
        if opened is not None:
            return opened
        errors.seek(0)
        words = last_paragraph(errors.read().decode("utf-8", "replace").splitlines()[-40:])
    raise NotOpenedError(words or "it ended without a word")


def _exchange(process: subprocess.Popen[bytes], opening: bytes, connection: Connection) -> SessionNamed | None:
    """The conversation; None where the program ends before it is open."""
    assert process.stdin is not None
    assert process.stdout is not None
    named: SessionNamed | None = None
    try:
        process.stdin.write(opening)
        process.stdin.flush()
        for line in process.stdout:
            for fact in connection.parse(line.rstrip(b"\n")):
                match fact:
                    case Owed(data):
                        process.stdin.write(data)
                        process.stdin.flush()
                    case SessionNamed():
                        named = fact
                    case SessionReady():
                        return named
                    case NotOpened(result):
                        raise NotOpenedError(result.text, _code(result))
    except BrokenPipeError:
        return None
    return None


def _code(result: TurnResult) -> int:
    return next((code for code, end in OPENER_ENDS.items() if end == (result.reason, result.retry)), 1)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Say that nothing follows, and hear it out: what it has still to store comes before its end."""
    try:
        process.communicate(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def report(hook: Sequence[str], opened: SessionNamed) -> None:
    """Tell our hook the name of the conversation; whoever starts the hook sees to it that it does no harm."""
    event = {
        "hook_event_name": "SessionStart",
        "source": "opened",
        "session_id": opened.session,
        "model": opened.model,
        "permission_mode": opened.permission_mode,
    }
    try:
        subprocess.run(  # its exit code is always 0
            hook,
            input=json.dumps(event).encode(),
            stdout=subprocess.DEVNULL,
            timeout=HOOK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return


def main(path: str) -> None:
    """Open what the file tells, and become its program.

    Raises:
        NotOpenedError: it is not open.
        OSError: there is no such file, or no such program.
    """
    with open(path, encoding="utf-8") as file:
        plan = json.load(file)
    agent = Agent(home=AgentMode.INTERACTIVE, permission_mode=plan["permission_mode"])
    fork = None if plan["fork"] is None else ForkPoint(*plan["fork"])
    request = ConnectionRequest(AgentMode.INTERACTIVE, agent, plan["session"], plan["resume"], os.getcwd(), fork=fork)
    connection = registry.get(plan["provider"]).connect(request)
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(SECONDS)
    server, opening = [*map(from_wire, plan["server"])], plan["opening"].encode("utf-8", "replace")
    opened = open_conversation(server, opening, connection)
    signal.alarm(0)
    report(plan["hook"], opened)
    screen = [opened.session if word == SESSION_WORD else from_wire(word) for word in plan["screen"]]
    os.execvp(screen[0], screen)  # noqa: S606 - the words are those of the run


def _give_up(*_: object) -> None:
    raise NotOpenedError(f"it did not open a conversation within {SECONDS} s")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except NotOpenedError as error:
        sys.stderr.write(f"{display_safe(str(error))}\n")
        sys.exit(error.code)
    except OSError as error:
        sys.stderr.write(f"{display_safe(str(error))}\n")
        sys.exit(1)
