"""The agent's thread: prompts in, turns one after the other; prompts that waited become one."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from tests.kit.directives import Block
from tests.kit.standin import hooks
from tests.kit.standin.events import Event
from tests.kit.standin.hooks import Finished
from tests.kit.standin.turn import Turn
from tests.kit.standin.turn_state import Front, Prompt
from tests.kit.standin.world import World

FINISHED = ("completed", "max_turns", "budget_exhausted")
"""Ends of a turn after which its messages count as answered."""


LOOK = 0.1
"""Seconds."""


class Agent:
    """Runs turns in a thread of its own.

    Args:
        world: Of this process.
        front: Who shows what happens.
    """

    def __init__(self, world: World, front: Front) -> None:
        self.world = world
        self.failed = False
        """Whether the last result was an error."""
        self._front = front
        self._next: list[Prompt] = []
        self._waiting: list[Prompt] = []
        self._changed = threading.Condition()
        self._closed = False
        self._seen: set[str] = set()
        self._turn: Turn | None = None
        self._count = 0
        self._done = threading.Event()

    @property
    def turn(self) -> Turn | None:
        """The turn that runs, if any."""
        return self._turn

    def start(self) -> None:
        """Run the hooks of the start, and take prompts from now on."""
        world = self.world
        payload = world.payload("SessionStart", source="resume" if world.resumed else "startup")
        for finished in world.hooks.run("SessionStart", payload):
            self._show_hook(f"SessionStart:{payload['source']}", "SessionStart", finished)
        threading.Thread(target=self._serve, daemon=True).start()

    def submit(self, content: Sequence[Block], uuid: str = "") -> None:
        """Take a prompt; one of a uuid that was taken before is not answered again."""
        if uuid and self._known(uuid, content):
            return
        with self._changed:
            if uuid:
                self._seen.add(uuid)
                self._lifecycle(uuid, "queued")
            self._waiting.append(Prompt(content, [uuid] if uuid else []))
            if not self._turn:
                self._begin_turn()

    def close(self) -> None:
        """No more prompts; what waits is still answered."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def join(self) -> None:
        """Wait until all is answered after `close`; a signal may interrupt that, unlike the end of a thread."""
        while not self._done.wait(LOOK):  # the kernel may have given the signal to another thread, which wakes nobody
            pass

    def interrupt(self) -> None:
        """Stop the turn that runs; what waits is answered next."""
        if self._turn:
            self._turn.interrupt()

    def leave(self, reason: str) -> None:
        """Run the hooks of the end and save what the conversation cost."""
        world = self.world
        world.tools.kill()
        world.hooks.run("SessionEnd", world.payload("SessionEnd", reason=reason))
        world.conversation.save_cost(world.meter.total)

    def _known(self, uuid: str, content: Sequence[Block]) -> bool:
        answered = self.world.conversation.has(uuid)
        if uuid not in self._seen and not answered:
            return False
        if self.world.options.replay:
            self._front.emit(self.world.events.replay(content, uuid, timed=False))
        if uuid not in self._seen:
            self._lifecycle(uuid, "completed")
        return True

    def _begin_turn(self) -> None:
        """Take what waits into one turn; the caller holds the lock."""
        self._next, self._waiting = self._waiting, []
        self._turn = Turn(self.world, self._front, _merge(self._next), index=self._count)
        self._changed.notify()

    def _serve(self) -> None:
        while turn := self._wait_for_turn():
            self._announce(self._next)
            result = turn.run()
            uuids = [uuid for prompt in self._next for uuid in prompt.uuids]
            self._end_turn(result)
            for uuid in uuids:
                self._lifecycle(uuid, "completed" if result["terminal_reason"] in FINISHED else "cancelled")
        self._done.set()

    def _wait_for_turn(self) -> Turn | None:
        with self._changed:
            self._changed.wait_for(lambda: self._turn or self._closed)
            return self._turn

    def _announce(self, prompts: Sequence[Prompt]) -> None:
        for earlier in prompts[:-1]:
            for uuid in earlier.uuids if self.world.options.replay else ():
                self._front.emit(self.world.events.replay(earlier.content, uuid, timed=False))
        for prompt in prompts:
            for uuid in prompt.uuids:
                self._lifecycle(uuid, "started")

    def _end_turn(self, result: Event) -> None:
        with self._changed:
            self._count += 1
            self.failed = bool(result["is_error"])
            self._front.emit(result)
            self._turn = None
            if self._waiting:
                self._begin_turn()

    def _lifecycle(self, uuid: str, state: str) -> None:
        self._front.emit(self.world.events.lifecycle(uuid, state))

    def _show_hook(self, name: str, event: str, finished: Finished) -> None:
        for line in hooks.lines(self.world.events.system, name, event, finished):
            self._front.emit(line)


def _merge(prompts: Sequence[Prompt]) -> Prompt:
    """Make one prompt of several; all but the last text get a line end."""
    blocks = [dict(block) for prompt in prompts for block in prompt.content]
    for block in blocks[:-1]:
        block["text"] += "\n"
    return Prompt(blocks, [uuid for prompt in prompts for uuid in prompt.uuids])
