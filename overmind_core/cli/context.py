"""The context of a command besides its arguments: the home, clients, where to print, and what most commands do there.

Printing of errors, questions before something that can't be undone, one request for several missions, the text that
`-` reads from standard input, and the exit status that a mission's end becomes.
"""

from __future__ import annotations

import os
import sys
import time

from overmind_core.cli.output import JsonText, dumps, write_out
from overmind_core.domain.missions.reasons import SPENT
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import FAILED, TIMED_OUT, OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from threading import Timer
    from typing import Any

    from overmind_core.client.client import Client
    from overmind_core.client.hives.hive import Hive
    from overmind_core.client.place import Place
    from overmind_core.client.request_keys import RequestKeys
    from overmind_core.system.paths import Home

    Answer = Mapping[str, Any]


UNEXPLAINED_SECONDS = 1.0
"""A person who has waited for so long is told for what."""
SEARCH_SECONDS = 1.75
"""The same of a daemon that does not answer: a look comes each fifth of a second, and the line within two."""
BEGINNING_SECONDS = 3.0
"""A command that has said nothing until then goes on in silence."""
GIT_SECONDS = 2.0
"""The same of a request that runs git: most take less, and a script reads the line, too."""
_OR_A_LOCK = "or for a lock that another git holds"
GIT_WAITS = {
    "changes": "Reading the changes{}: waiting for git",
    "commit": f"Committing{{}}: waiting for git and its hooks, {_OR_A_LOCK}",
    "discard": f"Discarding{{}}: waiting for git and for containers to end, {_OR_A_LOCK}",
    "isolate": "Checking the project{}: waiting for git and the container engine",
    "prune": f"Removing missions{{}}: waiting for git and the disk, {_OR_A_LOCK}",
    "push": "Pushing{}: waiting for the remote to answer, or for another push of its branch to end",
    "rm": f"Removing{{}}: waiting for git and for containers to end, {_OR_A_LOCK}",
    "worktrees": "Listing worktrees{}: waiting for git",
    "worktrees_prune": f"Pruning worktrees{{}}: waiting for git and for containers to end, {_OR_A_LOCK}",
}
"""Request that runs git in the daemon → the line about what it waits for; `{}` stands for the missions it is about."""
_PREPOSITIONS = {"changes": " of ", "isolate": " in "}
_MOST_NAMED = 3
"""Missions that the line names."""


class Context:
    """One run of the command line."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self.environ = environ
        self.format: str | None = None
        """How JSON is printed: `yaml`, `name`, or else as it is."""
        self.hive: Hive | None = None
        """The hive that the command is for; None: this machine."""
        self.request_key: str | None = None
        """What --request named: the key of a request to a hive whose answer was lost."""
        self._keys: RequestKeys | None = None
        self._began = time.monotonic()
        self._has_said = False
        """True once this command has printed anything."""
        self._printed = 0
        self.before_note: Callable[[], object] = lambda: None
        """Ends a line of stdout that is not whole, where stderr goes to the same terminal."""
        self._home: Home | None = None
        self._clients: list[Client] = []

    @property
    def home(self) -> Home:
        """The home that the environment names."""
        if self._home is None:
            from overmind_core.system.paths import Home  # start-up: --help needs none

            self._home = Home.resolve(self.environ)
        return self._home

    @property
    def has_state(self) -> bool:
        """True where a daemon has worked in this home before; of another hive, where nobody knows, also true."""
        return self.hive is not None or os.path.exists(self.home.database)

    @property
    def on_hive(self) -> str:
        """Where the command is for, as the end of a sentence: ` on eu1`; "" for this machine."""
        return "" if self.hive is None else f" on {self.hive.name}"

    def use_home(self, folder: str) -> None:
        """Work in this home instead, and have all programs that are started from here do so."""
        self.environ = {**self.environ, "OVERMIND_HOME": os.path.abspath(from_wire(folder))}
        self._home = None

    def starting_place(self, cwd: str | None, *, clean: bool) -> dict[str, Any]:
        """Return folder, umask and environment from which work starts, as arguments of a request.

        On another hive it starts from that account's: of this caller only the folder that was named goes there.

        Args:
            cwd: The folder that was named; None: the current one.
            clean: Only what a login would have set.
        """
        if self.hive is not None:
            return {"cwd": cwd or ""}
        from overmind_core.cli import caller_environment  # start-up: few commands start work

        return {
            "cwd": caller_environment.working_directory(cwd),
            "umask": caller_environment.current_umask(),
            "env": caller_environment.inherited_variables(self.environ, clean=clean),
        }

    @property
    def place(self) -> Home | Place:
        """Whose daemon is asked: the home's, or that of the hive that was named."""
        return self.home if self.hive is None else self.hive

    def client(self, *, start: bool = False, says_late: bool = False) -> Client:
        """Return a client, not connected yet.

        Args:
            start: The command starts work: a daemon is started when neither daemon nor keeper lives.
            says_late: It says of an answer that takes long that it is waited for.
        """
        from overmind_core.client.client import Client  # start-up: --help needs none

        if self.hive is not None and self._keys is None:
            from overmind_core.client.request_keys import RequestKeys  # start-up: only for another hive

            self._keys = RequestKeys(self.request_key)
        client = Client(
            self.place,
            start=start,
            notify=self._notify,
            say_search=self.say_search,
            says_late=says_late,
            keys=self._keys,
        )
        self._clients.append(client)
        return client

    def say_search(self, line: str, began: float) -> bool:
        """Say that a command waits for its daemon, once that has taken long; return whether it was said.

        What has waited without a word before counts, too, where the command has only just begun.

        Args:
            line: For the person.
            began: Since when no daemon has answered, in seconds on the monotonic clock.
        """
        is_first = not self._has_said and began < self._began + BEGINNING_SECONDS
        since = self._began if is_first else began
        if time.monotonic() < since + SEARCH_SECONDS:
            return False
        self._notify(line)
        return True

    def _notify(self, text: str) -> None:
        """Say what a client has noticed: it may name what another machine has said of itself."""
        self.note("\n".join(map(display_safe, text.split("\n"))))

    def close(self) -> None:
        """End the sessions of all clients."""
        for client in self._clients:
            client.close()
        if hives := sys.modules.get("overmind_core.client.hives.hive"):
            hives.leave_gates()
            sys.modules["overmind_core.client.hives.channel"].end_all()

    def print(self, text: str) -> None:
        """Print a line of the answer to stdout; JSON in the format that was asked for."""
        shown = self.rendered(text)
        if shown or self.format != "name":  # no names, no line
            write_out(shown + "\n")
        self._printed += 1
        self._has_said = True

    def print_facts(self, facts: object, args: Namespace) -> None:
        """Print one JSON object: on several lines for a person, on one for a program or with --json."""
        self.print(dumps(facts, indent=2 if sys.stdout.isatty() and not args.json else None))

    def rendered(self, text: str) -> str:
        """Return JSON in the format that was asked for, anything else as it is."""
        if self.format not in {"yaml", "name"} or not isinstance(text, JsonText):
            return text
        from overmind_core.cli.formats import names, yaml_document  # start-up: PyYAML

        return names(text.value) if self.format == "name" else yaml_document(text.value, first=not self._printed)

    def note(self, text: str) -> None:
        """Print a line for the person to stderr."""
        try:
            self.before_note()
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError:
            pass  # this line may be the one that says so
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
        self._has_said = True

    def hint(self, text: str) -> None:
        """Print a line to stderr only when a person looks at it."""
        if sys.stderr.isatty():
            self.note(text)

    def waiting(self, text: str, *, to_pipe: bool = False) -> Waiting:
        """Print a line as `hint` does when what is done in the block takes longer than a second; `to_pipe`: always."""
        return Waiting(self, text, to_pipe=to_pipe)

    def waiting_for_git(self, command: str, names: Sequence[str] = ()) -> Waiting:
        """Say what a request waits for that runs git in the daemon, once the block has taken `GIT_SECONDS`.

        Args:
            command: The request, one of `GIT_WAITS`.
            names: The missions that it is about.
        """
        more = " and others" if len(names) > _MOST_NAMED else ""
        named = f"{_PREPOSITIONS.get(command, ' ')}{', '.join(names[:_MOST_NAMED])}{more}" if names else ""
        text = display_safe(GIT_WAITS[command].format(f"{named}{self.on_hive}"))
        return Waiting(self, text, to_pipe=True, seconds=GIT_SECONDS)


class Waiting:
    """A block of which a person is told when it takes long; `contextlib` would cost a tenth of each command's start."""

    def __init__(self, context: Context, text: str, *, to_pipe: bool, seconds: float | None = None) -> None:
        self._context = context
        self._seconds = UNEXPLAINED_SECONDS if seconds is None else seconds
        self._text = text
        self._to_pipe = to_pipe
        self._timer: Timer | None = None

    def __enter__(self) -> None:
        """Begin to wait."""
        if not self._to_pipe and not sys.stderr.isatty():
            return
        from threading import Timer  # start-up: a person looks

        self._timer = Timer(self._seconds, self._context.note, [self._text])
        self._timer.daemon = True
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        """Nothing is to be told any more."""
        if self._timer is not None:
            self._timer.cancel()


LONGEST_MESSAGE = 800
"""Characters of an error; a path that is longer is cut in its middle."""


NO_QUEST = "No quest named "
"""The beginning of what is said of a quest that this machine does not have; a swarm may have it."""


def report_error(error: OvermindError, context: Context) -> int:
    """Print an error for the person; return the exit status that it asks for."""
    message = error.message
    if hive := error.fields.get("hive"):
        from overmind_core.cli.hives.only_here import error_there  # start-up: only then

        message = error_there(error, str(hive))
    elif error.code == "not_found" and "/" in message and context.hive is None:
        from overmind_core.cli.hives.only_here import hive_meant  # start-up: only then

        head, see, rest = message.partition(" See")
        message = f"{head}{hive_meant(message, context.home.config)}{see}{rest}"
    if error.code == "not_found" and message.startswith(NO_QUEST) and context.hive is None and context.home.is_in_swarm:
        message = f"{message}, and those of the swarm with: overmind quest list -H swarm"
    code = "" if error.code == "invalid" and sys.stderr.isatty() else f"{error.code}: "  # it tells a person nothing
    context.note(f"Error: {code}{_shortened(display_safe(message))}")
    return error.exit_status


def _shortened(sentence: str) -> str:
    """Leave out the middle of a sentence that names something endless; what to do stands at its end."""
    half = LONGEST_MESSAGE // 2
    return sentence if len(sentence) <= LONGEST_MESSAGE else f"{sentence[:half]} … {sentence[-half:]}"


def confirmed(question: str, *, yes: bool) -> bool:
    """Whether to go on: a person is asked when stdin and stderr are terminals, anybody else is not.

    Args:
        question: Ends with a question mark.
        yes: -y was given: don't ask.
    """
    if yes or not is_interactive() or answered_yes(question):
        return True
    sys.stderr.write("Nothing done.\n")
    return False


def confirmed_removal(question: str, *, yes: bool) -> bool:
    """Whether to remove several things, or one that nothing brings back: as `confirmed`, but a script has to say -y.

    Raises:
        OvermindError: `invalid`: nobody can be asked, and -y was not given.
    """
    if not yes and not is_interactive():
        raise OvermindError("invalid", f"{question} Nobody can be asked here: repeat it with -y.")
    return confirmed(question, yes=yes)


def forbid_inside(context: Context, what: str) -> None:
    """Refuse a process inside a mission what no request of the daemon's could refuse it.

    Raises:
        OvermindError: `forbidden`.
    """
    mission = context.environ.get("OVERMIND_MISSION_ID")
    if mission:
        raise OvermindError("forbidden", f"A process inside a mission ({mission[:100]}) may not {what}.")


def is_interactive() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def answered_yes(question: str) -> bool:
    """Ask the person; anything but yes is no."""
    try:
        sys.stderr.write(f"{display_safe(question)} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}
    except KeyboardInterrupt:
        sys.stderr.write("\n")  # the shell's prompt begins a line of its own
        raise


def call_each(
    context: Context,
    client: Client,
    command: str,
    requests: Sequence[Mapping[str, Any]],
    *,
    line: Callable[[Answer], str],
    as_json: bool = False,
    notes: bool = False,
    meanwhile: Callable[[], object] | None = None,
) -> int:
    """Send the requests side by side and print what came of each, in their order; failures don't stop the others.

    Args:
        context: Where to print.
        client: Sends them.
        command: Its name on the socket.
        requests: The arguments of each.
        line: Returns what was done, of one answer; may be several lines.
        as_json: Print the answers as one array instead.
        notes: Tell on stderr what the answers note, each once.
        meanwhile: Called again and again while answers are missing.
    """
    answers = client.call_each(command, requests, meanwhile=meanwhile)
    done = [answer for answer in answers if not isinstance(answer, OvermindError)]
    if as_json:
        context.print(dumps(done))
    for answer in answers:
        if isinstance(answer, OvermindError):
            report_error(answer, context)
        elif not as_json:
            context.print(line(answer))
    if notes:
        print_notes(done, context)
    return 0 if len(done) == len(answers) else FAILED


def call_for_ids(
    args: Namespace,
    context: Context,
    command: str,
    line: Callable[[Answer], str],
    *,
    notes: bool = False,
    meanwhile: Callable[[], object] | None = None,
    **common: object,
) -> int:
    """Send a request for each of `args.ids`, as `call_each` does; `common`: the other arguments of each."""
    requests = [{"id": one, **common} for one in args.ids]
    return call_each(
        context,
        context.client(),
        command,
        requests,
        line=line,
        as_json=args.json,
        notes=notes,
        meanwhile=meanwhile,
    )


def print_notes(answers: Sequence[Answer], context: Context) -> None:
    """Tell on stderr what the answers note, each once."""
    notes = dict.fromkeys(answer["note"] for answer in answers if answer.get("note"))
    if context.hive is not None and notes:
        from overmind_core.cli.hives.only_here import commands_there  # start-up: only then

        notes = dict.fromkeys(commands_there(note, context.hive.name) for note in notes)
    for note in notes:
        for line in note.split("\n"):
            context.note(display_safe(line))


KILLED = 137
"""128 + SIGKILL."""
_SIGNALLED = 128


def exit_status(status: str, exit_code: int | None, reason: str | None = None) -> int:
    """Return what to exit with: the child's code, 128+N for a signal, 137 when it was killed.

    Args:
        status: The final status of the mission or quest.
        exit_code: Of its last run, negative for a signal; None when there is none.
        reason: Why it ended so; `timeout` is 124.
    """
    if status == "killed" and exit_code is None:  # else it had ended before, and was hidden
        return KILLED
    if reason == "timeout":
        return TIMED_OUT
    if exit_code is not None and exit_code < 0:
        return _SIGNALLED - exit_code
    had_failed = status == "killed" and reason is not None
    if not exit_code and (status in {"crashed", "cancelled"} or reason == SPENT or had_failed):
        return FAILED
    return exit_code or 0


STDIN = "-"
"""The word that stands for standard input."""


def text_of(words: Sequence[str]) -> str:
    """Return the words joined by blanks; of `-` alone what standard input holds, without one newline at its end.

    Raises:
        OvermindError: `invalid`, it contains a NUL character.
    """
    text = _read_stdin() if list(words) == [STDIN] else " ".join(words)
    if "\0" in text:
        raise OvermindError("invalid", "The text contains a NUL character, and no agent accepts one.")
    return text


def _read_stdin() -> str:
    return to_wire(os.fsdecode(sys.stdin.buffer.read())).removesuffix("\n")
