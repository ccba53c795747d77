"""The program that waits while the swarm does an attempt of a spec's quest: `python -m … REPOSITORY BRANCH [own]`.

It sends what the attempt is to read by a branch of the remote, asks the daemon to have it done, prints how it goes, and
takes back what was made: the files that were handed in, and of a task what has landed on the spec's branch. Killed, it
is begun again like any other work, and finds the post that it had asked for.
"""

from __future__ import annotations

import base64
import errno
import os
import sys
import time

from overmind_core.cli.context import Context
from overmind_core.cli.swarm.code_source import check_pushed, remote_of
from overmind_core.client.stream import follow
from overmind_core.domain.quests import variables
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.paragraphs import stands
from overmind_core.errors import FAILED, OvermindError
from overmind_core.git import remote, remote_files
from overmind_core.git.repository import HEADS, resolve
from overmind_core.git.run import NO_ROOM, Git, GitFailed, GitMissing

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.cli.swarm.code_source import Remote

SENT = "overmind/spec/"
"""How branches of the remote begin that have what the attempts of a spec are to read; the rest is its slug."""
_NO_ROOM = NO_ROOM | {errno.EFBIG}
"""Errors after which there may be room again, or for a file of that size."""
LONGEST_PAUSE = 30.0
"""Seconds between two tries to write what was handed in; at first one, then twice as long each time."""
TRIES = 8
"""How often what has landed is asked of the remote before that has failed; the pauses add up to four minutes."""


class Attempt:
    """One attempt, from the folders of this machine to those of the hive that does it, and back."""

    def __init__(self, context: Context, repository: str, branch: str, *, own: bool) -> None:
        """`own`: the branch is the spec's own, on which the work lands."""
        self._context = context
        self._environ = context.environ
        self._top = from_wire(repository)
        self._branch = from_wire(branch)
        self._own = own
        self._git = Git(context.environ, home=context.home.root)

    def run(self) -> int:
        """Have it done; return its exit status.

        Raises:
            OvermindError: it can't be begun.
        """
        place = remote_of(self._git, self._top)
        commit = self._commit(place)
        slug, quest = self._environ[variables.SPEC], self._environ[variables.QUEST]
        inputs = self._environ[variables.INPUTS]
        message = f"Inputs of {slug}"
        brought = remote_files.send(self._git, self._top, place.url, SENT + slug, inputs, message=message)
        self._print(f"Sent its inputs: {brought[:7]} on {to_wire(place.name)}")
        end = self._followed({"quest": quest, "remote": to_wire(place.url), "commit": commit, "brought": brought})
        return self._taken(end, place.url)

    def _commit(self, place: Remote) -> str:
        """The commit at which the work begins, which the remote has."""
        if self._own:
            return remote.align(self._git, self._top, place.url, self._branch)
        commit = resolve(self._git, self._top, HEADS + self._branch)
        if commit is None:
            raise OvermindError("invalid", f"{to_wire(self._top)} has no branch {to_wire(self._branch)} any more.")
        check_pushed(self._git, self._top, place, commit)
        return commit

    def _followed(self, asked: Mapping[str, str]) -> Mapping[str, Any]:
        """Return the end of the post, as the daemon tells it, whichever daemon that is by then."""
        while True:
            try:
                for kind, item in follow(self._context.client(), lambda: ("spec_attempt", asked)):
                    if kind == "item" and item["what"] == "end":
                        return item  # type: ignore[no-any-return] # an answer is any JSON
                    if kind == "item":
                        self._print(sentence(item))
            except OvermindError as error:
                if error.code != "daemon_lost":
                    raise
            time.sleep(1.0)

    def _taken(self, end: Mapping[str, Any], url: str) -> int:
        """Put what was made where it belongs; return the exit status."""
        tail = base64.b64decode(end["tail"])
        if tail:
            sys.stdout.flush()
            sys.stdout.buffer.write(tail if tail.endswith(b"\n") else tail + b"\n")
            sys.stdout.buffer.flush()
        outputs = self._environ[variables.OUTPUTS]
        for name, text in end["files"].items():
            self._put(os.path.join(outputs, os.path.basename(name)), base64.b64decode(text))
        done = end["state"] == "done"
        if done and self._own:
            self._take_landed(url)
        where = f" on {end['hive']}" if end["hive"] else ""
        why = f": {end['why']}" if end["why"] and not done else ""
        self._print(f"Post {end['post']} {stands(end['state'])}{where}{why}")
        return 0 if done else end["exit_code"] or FAILED

    def _put(self, path: str, data: bytes) -> None:
        """Write what was handed in: where the disk is full it waits for room, for an agent has worked for it."""
        pause = 1.0
        while True:
            try:
                with open(path, "wb") as file:
                    file.write(data)
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                if pause == 1.0:
                    self._print(f"{os.path.basename(path)} can't be written: {error.strerror}. It is tried again.")
            else:
                return
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _take_landed(self, url: str) -> None:
        """Have the spec's branch be here as it is on the remote: its work is there, so patience is cheaper."""
        for again in range(TRIES):
            try:
                remote.align(self._git, self._top, url, self._branch)
            except GitFailed as error:
                if again == TRIES - 1:
                    raise
                self._print(f"The landed work can't be fetched yet: {to_wire(error.reason)}")
                time.sleep(2.0**again)
            else:
                return

    def _print(self, text: str) -> None:
        self._context.print(f"[swarm] {display_safe(text)}")


def sentence(item: Mapping[str, Any]) -> str:
    """Return how a post stands, as a line of the log."""
    if item["what"] == "silent":
        return f"The swarm does not answer: {item['why']}"
    post, hive, status = item["post"], item["hive"], item["status"]
    if item["state"] == "claimed":
        return f"Post {post} is on {hive}" + (f": {status}" if status else "")
    if item["state"] == "lost":
        return f"Post {post} is lost: {hive} is silent. See: overmind inbox -H swarm"
    return f"Post {post} waits for a hive. See why: overmind why swarm/{post}"


def main(words: Sequence[str]) -> int:
    """Do what the words say; return the exit status."""
    repository, branch, *own = words
    context = Context()
    try:
        return Attempt(context, repository, branch, own=bool(own)).run()
    except OvermindError as error:
        text = error.message
    except GitFailed as error:
        text = f"Git refused: {to_wire(error.reason)}."
    except GitMissing:
        text = "git is not installed here."
    except remote.BranchesDiffer:
        text = f"{branch} has commits here and others on the remote. Merge them, push, and try again."
    except (remote_files.UnfitFiles, OSError) as error:
        text = f"It can't be sent or taken back: {error}."
    finally:
        context.close()
    sys.stdout.flush()
    sys.stderr.write(f"Error: {display_safe(text)}\n")
    return FAILED


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
