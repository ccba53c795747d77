"""An operation: what somebody can ask for, and what is known of it. `operations` has all of them.

Imports nothing slow: the client reads it where a daemon was lost, the command line where it shows help.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

FIRST_RELEASE = "0.1.0"


class Danger:
    """The danger of an operation to work: one of three. No enumeration, for help would import all that makes these."""

    __slots__ = ("value",)

    NONE: Danger
    CHANGES: Danger
    ENDS_WORK: Danger

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        """Return its word."""
        return self.value


DANGERS = Danger.NONE, Danger.CHANGES, Danger.ENDS_WORK = Danger("none"), Danger("changes"), Danger("ends work")
"""All of them, the worst last."""


class Operation:
    """What somebody can ask for.

    On the web, each has a place: `pages`, `scripts_only`, `made_of`, or the reason why it has none, `not_on_web`.

    Args:
        name: The request of the API; for what is none, the command, with underscores.
        summary: One line, no full stop, begins with a verb. The command line shows it.
        danger: What it does to work. An argument that makes a change of a reading is named beside the row.
        repeatable: A request that may be sent again when the connection was lost before the answer: twice is as once.
        already_done: Errors that mean, when it was sent again, that the first one did it.
        forbidden: What is said to a process inside a mission that asks for it ("… may not <forbidden>."); None: it may.
        within: For which missions a process inside a mission may ask, where that is not all.
        commands: How the command line calls it, where that is not its name with spaces; the first is the one whose help
            says the summary.
        asks_keeper: It waits for the keeper, and is answered without it where that does not answer.
        request: Whether the API has it; what it has not is made of other requests, or needs no daemon.
        since: The release in which it came.
        streams: Whether it answers by a stream: `ok`, each `item` as it comes, and `end`.
        streams_with: An argument with which it does, where it does not always.
        label: What a key's hint and a button say, in lower case and two words at most; else its name with spaces.
        key: The key of the full-screen program that does it, by Textual's name; empty: none.
        questions: What a person is told, a sentence each, before they agree to it.
        request_key: Whether the request takes `request`, a key by which its repetition is recognised.
        pages: The web's pages that show it, or have its button.
        scripts_only: Why no page of the web has it, though scripts may ask for it there.
        made_of: The request whose button on the web does what this command does.
        not_on_web: Why the web passes it on for nobody; where it has `pages`, those do it by another way.
        caller: Arguments that say from where somebody asks: where they are absent, the web says its server's own.
        acts_with: Arguments with which a reading is more: it changes something, or opens a path that was named.
        looks_with: Arguments with which a change is a reading.
        never_with: Arguments that the web passes on for nobody.
        always_with: Arguments of which the web wants one: they say which state of it somebody has seen.
        ends_daemon: Whether the daemon that does it leaves.
    """

    __slots__ = (
        "acts_with", "already_done", "always_with", "asks_keeper", "caller", "commands", "danger", "ends_daemon",
        "forbidden", "key", "label", "looks_with", "made_of", "name", "never_with", "not_on_web", "pages",
        "questions", "repeatable", "request", "request_key", "scripts_only", "since", "streams", "streams_with",
        "summary", "within",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        summary: str,
        danger: Danger = Danger.NONE,
        *,
        repeatable: bool = False,
        already_done: tuple[str, ...] = (),
        forbidden: str | None = None,
        within: str = "",
        commands: tuple[str, ...] | None = None,
        asks_keeper: bool = False,
        request: bool = True,
        since: str = FIRST_RELEASE,
        streams: bool = False,
        streams_with: str = "",
        label: str = "",
        key: str = "",
        questions: tuple[str, ...] = (),
        request_key: bool = False,
        pages: tuple[str, ...] = (),
        scripts_only: str = "",
        made_of: str = "",
        not_on_web: str = "",
        caller: tuple[str, ...] = (),
        acts_with: tuple[str, ...] = (),
        looks_with: tuple[str, ...] = (),
        never_with: tuple[str, ...] = (),
        always_with: tuple[str, ...] = (),
        ends_daemon: bool = False,
    ) -> None:
        self.name: Final = name
        self.summary: Final = summary
        self.danger: Final = danger
        self.repeatable: Final = repeatable
        self.already_done: Final = already_done
        self.forbidden: Final = forbidden
        self.within: Final = within
        self.commands: Final = (name.replace("_", " "),) if commands is None else commands
        self.asks_keeper: Final = asks_keeper
        self.request: Final = request
        self.since: Final = since
        self.streams: Final = streams
        self.streams_with: Final = streams_with
        self.label: Final = label or name.replace("_", " ")
        self.key: Final = key
        self.questions: Final = questions
        self.request_key: Final = request_key
        self.pages: Final = pages
        self.scripts_only: Final = scripts_only
        self.made_of: Final = made_of
        self.not_on_web: Final = not_on_web
        self.caller: Final = caller
        self.acts_with: Final = acts_with
        self.looks_with: Final = looks_with
        self.never_with: Final = never_with
        self.always_with: Final = always_with
        self.ends_daemon: Final = ends_daemon

    def __repr__(self) -> str:
        return f"<{self.name}: {self.danger}>"

    @property
    def asks_first(self) -> bool:
        """Whether a person at a screen is asked before: it ends work, or pauses or runs something by a shifted key."""
        return self.danger is Danger.ENDS_WORK or (bool(self.questions) and self.key.isupper())

    @property
    def on_web(self) -> bool:
        """Whether the web passes it on, for a page or a script."""
        return self.request and not self.not_on_web

    @property
    def takes_key(self) -> bool:
        """Whether it changes something, can't be sent twice as it is, and so is done once for each key beside it."""
        changes = self.danger is not Danger.NONE and not self.ends_daemon  # which is not there to keep an answer
        return changes and not (self.repeatable or self.streams or self.request_key)

    def is_stream(self, arguments: Mapping[str, object]) -> bool:
        """Whether it answers these arguments by a stream."""
        return self.streams or (bool(self.streams_with) and arguments.get(self.streams_with) is True)

    def only_reads(self, arguments: Mapping[str, object]) -> bool:
        """Whether nothing changes, ends or is opened by it with these arguments, of whatever types they are."""
        if self.danger is Danger.NONE:
            return not _given(arguments, self.acts_with)
        return any(arguments.get(name) is True for name in self.looks_with)

    def refusal(self, arguments: Mapping[str, object], *, read_only: bool) -> str:
        """What the web says to somebody instead of passing it on, a sentence; empty: it may be passed on.

        Args:
            arguments: Its arguments, as hostile as they come.
            read_only: Whether the login is one that may only look.
        """
        if not self.on_web:
            return f"{self.name} is not offered here: {self.not_on_web or 'it is no request'}."
        if unwanted := _given(arguments, self.never_with):
            return f"{self.name} is not offered with {unwanted} here."
        if read_only and not self.only_reads(arguments):
            extra = _given(arguments, self.acts_with)
            return f"This login is read-only: no {self.name}{f' with {extra}' if extra else ''} for it."
        return ""

    def missing(self, arguments: Mapping[str, object]) -> str:
        """Return what the web wants to be said besides, a sentence; empty: nothing."""
        if self.always_with and not _given(arguments, self.always_with):
            return f"{self.name} needs {' or '.join(self.always_with)}, as it was shown."
        return ""


def _given(arguments: Mapping[str, object], names: tuple[str, ...]) -> str:
    """Return the first of these arguments that says something; a null or a false says nothing."""
    for name in names:
        value = arguments.get(name)
        if value is not None and value is not False:
            return name
    return ""
