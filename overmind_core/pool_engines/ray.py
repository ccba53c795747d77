"""A pool of Ray: each instance is a submitted job of a cluster, found again by its submission id.

Ray runs a job's words through a shell, and its older versions quote them badly: only words that no shell changes go
there. Its list of jobs is Python's own writing of them, which is read token by token: a text in it that looks like a
job is a string, and none.

Source: `ray job --help` of Ray 2.60.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Sequence

from overmind_core.domain.swarm.instance_names import is_instance_name
from overmind_core.domain.swarm.pools import RAY_REACH, PoolSettings, filled, options_of
from overmind_core.pool_engines.program import EngineSilent, SeenInstance, State, asked, failed, run

SECONDS = 60.0
"""For each program: it is a second of Python alone, and the head may be far away."""
_PLAINLY = ("--log-style", "pretty", "--log-color", "false")
_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@%+-]+")
_EXISTS = re.compile(r"already exists", re.IGNORECASE)
_GONE = re.compile(r"does not exist", re.IGNORECASE)
_STATES: dict[str, State] = {
    "PENDING": "pending", "RUNNING": "running", "STOPPED": "ended", "SUCCEEDED": "ended", "FAILED": "ended",
}  # fmt: skip
_STRING = re.compile(r"'([^'\\]*)'|\"([^\"\\]*)\"")
_LIST = re.compile(r"^(?:.* -- )?\[(?=JobDetails\(|\]\s*$)", re.MULTILINE)
"""Where the list begins; versions differ in whether a line of a log does before it."""
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_JOB_DEPTH = 2
"""Brackets around the fields of a job: the list's, and the job's own."""
_STATUS = ("status", "=", "<", "JobStatus", ".")
"""What stands before the name of a status."""


class RayEngine:
    """The command `ray job` of a cluster that the pool's `args` name."""

    def __init__(self, settings: PoolSettings) -> None:
        self._args = settings.args
        self._reach = options_of(settings.args, RAY_REACH)

    def start(self, instance: str, command: Sequence[str]) -> str:
        """As in `Engine`."""
        argv = submission(self._args, instance, command)
        answer = run(argv, seconds=SECONDS)
        if answer.code != 0 and _EXISTS.search(answer.out + answer.err) is None:
            raise failed(argv, answer)
        return instance

    def seen(self) -> list[SeenInstance]:
        """As in `Engine`."""
        return listed(asked(["ray", "job", "list", *_PLAINLY, *self._reach], seconds=SECONDS))

    def alive(self) -> list[SeenInstance]:
        """As in `Engine`."""
        return self.seen()

    def end(self, seen: SeenInstance) -> None:
        """As in `Engine`."""
        argv = ["ray", "job", "stop", "--no-wait", *self._reach, *filled([seen.name], seen.name)]
        answer = run(argv, seconds=SECONDS)
        if answer.code != 0 and _GONE.search(answer.out + answer.err) is None:
            raise failed(argv, answer)

    def gate(self, seen: SeenInstance) -> None:
        """None: Ray runs no program beside a job; the swarm shows what runs there."""


def submission(args: Sequence[str], instance: str, command: Sequence[str]) -> list[str]:
    """Return the command that submits an instance.

    Raises:
        EngineSilent: a word of it would be another one behind Ray's shell.
        ValueError: no instance can be called so.
    """
    for word in command:
        if _PLAIN.fullmatch(word) is None:
            raise EngineSilent(f"Ray can't be given {word!r}: its shell would change it. Use a plain path.")
    (name,) = filled([instance], instance)
    return ["ray", "job", "submit", *args, "--submission-id", name, "--no-wait", "--", *command]


def listed(printed: str) -> list[SeenInstance]:
    """Return the instances of what `ray job list` printed; a job that nobody submitted by a name is none.

    Raises:
        EngineSilent: that is no list.
    """
    start = _LIST.search(printed)
    if start is None:
        raise EngineSilent("ray printed no list of jobs. Try it by hand: ray job list")
    found: list[SeenInstance] = []
    name = ""
    for key, value in _fields(list(_words(printed[start.end() - 1 :]))):
        if key == "submission_id":
            name = value
        elif is_instance_name(name):
            found.append(SeenInstance(name, name, _STATES.get(value, "running")))
            name = ""
    return found


def _fields(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield `submission_id` and `status` of each job, as they come."""
    depth = 0
    for at, word in enumerate(words):
        depth += (word in _OPEN) - (word in _CLOSE)
        if depth != _JOB_DEPTH or at + len(_STATUS) >= len(words):
            continue
        if word == "submission_id" and words[at + 1] == "=" and (text := _STRING.fullmatch(words[at + 2])):
            yield word, text[1] or text[2] or ""
        elif (word, *words[at + 1 : at + len(_STATUS)]) == _STATUS:
            yield word, words[at + len(_STATUS)]


def _words(text: str) -> Iterator[str]:
    """Yield Python's tokens; what can't be read ends them."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.string.strip():
                yield token.string
    except (tokenize.TokenError, SyntaxError):
        return
