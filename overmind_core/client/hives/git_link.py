"""A repository of ours on a hive: git pushes to it, and fetches from it, over a channel of the hive's gate.

Git gets the channel as a descriptor (see gitremote-helpers(7), `fd::`): no address, path or program that the hive names
becomes a part of a command here.
"""

from __future__ import annotations

import json
import re
import time

from overmind_core.client.connection import ANSWER_LIMIT
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.git.run import SECONDS, Git, GitFailed
from overmind_core.wire import gate

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from overmind_core.client.hives.channel import Channel
    from overmind_core.client.hives.hive import Hive

    T = TypeVar("T")

_PUSH = ("-c", "push.gpgSign=false", "push", "--quiet", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-prune", "--no-write-fetch-head", "--no-auto-maintenance",
          "--no-recurse-submodules", "--refmap=")  # fmt: skip
"""Nothing but what is named moves, in either direction."""
_LOST = re.compile(
    r"hung up|Could not read from remote|early EOF|unexpected disconnect|[Rr]ead error|[Ww]rite error|Broken pipe"
    r"|reset by peer"
)
"""In what git says when the other side is gone."""
_PAUSE = 0.1
"""Seconds between two attempts to go on after a loss."""
_LONGEST_ANSWER = 64 * 1024


class HiveRepository:
    """One repository that is sent to a hive.

    Args:
        hive: Where to.
        name: What it is called there; see `domain.sent_work.repository_name`.
        git: For the person.
        folder: The repository here.
    """

    def __init__(self, hive: Hive, name: str, git: Git, folder: str) -> None:
        self.name = name
        self._hive = hive
        self._git = git
        self._folder = folder
        self._format = git(folder, "rev-parse", "--show-object-format")

    @property
    def checkout(self) -> str:
        """Path of its checkout there, in wire form; known once the hive was reached."""
        return f"{self._hive.greeting.get('home')}/repositories/{self.name}"

    def push(self, *refs: str) -> None:
        """Push; each of `refs` is as for git, `SOURCE:REF`, or `:REF` to remove it.

        Raises:
            OvermindError: `hive_silent`, also when it was lost for ten seconds; `git_failed`; what the gate said.
        """
        self._asked(gate.RECEIVE, lambda channel: self._transfer(channel, _PUSH, refs))

    def fetch(self, *refs: str) -> None:
        """Fetch, as `push`: each of `refs` is `+REF:REF`."""
        self._asked(gate.UPLOAD, lambda channel: self._transfer(channel, _FETCH, refs))

    def check_out(self, commit: str) -> str:
        """Have the checkout there be at a commit that was pushed; return its path there, in wire form.

        Raises:
            OvermindError: as `push`.
        """
        return str(self._asked(gate.CHECKOUT, _second_answer, commit=commit)["path"])

    def _transfer(self, channel: Channel, words: tuple[str, ...], refs: tuple[str, ...]) -> None:
        channel.socket.sendall(gate.GO)
        number = channel.socket.fileno()
        self._git.run(self._folder, *words, f"fd::{number}", *refs, kept=(number,))

    def _asked(self, service: str, work: Callable[[Channel], T], commit: str | None = None) -> T:
        """Open a channel and do something over it; again after a loss, for all of it may be done twice."""
        deadline = time.monotonic() + ANSWER_LIMIT if self._hive.greeting else None  # it was there a moment ago
        while True:
            try:
                channel = self._hive.open(
                    gate.GIT, service=service, repository=self.name, format=self._format, commit=commit
                )
            except OvermindError as error:
                if error.code != "hive_silent" or deadline is None or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)
                continue
            try:
                return work(channel)
            except (OSError, GitFailed) as error:
                if isinstance(error, GitFailed) and _LOST.search(error.output) is None:
                    raise OvermindError("git_failed", f"Git refused: {to_wire(error.reason)}.") from None
                deadline = deadline or time.monotonic() + ANSWER_LIMIT
                if time.monotonic() > deadline:
                    raise self._hive.lost(ANSWER_LIMIT) from None
            finally:
                channel.close()
            time.sleep(_PAUSE)


def _second_answer(channel: Channel) -> dict[str, str]:
    channel.socket.settimeout(SECONDS)
    received = channel.unread
    while b"\n" not in received:
        data = channel.socket.recv(_LONGEST_ANSWER)
        if not data or len(received) > _LONGEST_ANSWER:
            raise ConnectionResetError("the gate ended")
        received += data
    answer = json.loads(received.partition(b"\n")[0])
    if "error" in answer:
        raise OvermindError(str(answer["error"]), str(answer.get("message")))
    return dict(answer["ok"])
