"""Actions that talk to agents: messages to one or to many, comments on changes, the end of a turn; and their drafts.

Drafts outlive the program: what was sent, as the history of the composer, and what was not sent yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from overmind_core.domain.agents.agent import QUEUE_WITH
from overmind_core.errors import OvermindError
from overmind_core.view import diff, prompt
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.diff import Spot
from overmind_core.view.hive_keys import HIVE, hive_of, key_of
from overmind_tui.pages.compose import Composer, Purpose
from overmind_tui.pages.line import LineComposer
from overmind_tui.shell.requests import OnAnswers

if TYPE_CHECKING:
    from overmind_tui.shell.remembered import Remembered
    from overmind_tui.shell.shell import Shell


SENT, DRAFTS = "messages", "drafts"
"""Names under which they are remembered."""
MOST = 50
"""Texts of each kind."""
LONGEST = 4_000
"""Characters of a text that is kept beyond this program's end."""


class Drafts:
    """Texts that were written to agents, the newest last.

    Args:
        known: What is remembered of the last time.
        keep: Remembers for the next time.
    """

    def __init__(self, known: Remembered, keep: Callable[..., None]) -> None:
        self._keep = keep
        self.sent: list[str] = known.get(SENT, list[str]())
        self._drafts: dict[str, str] = {
            key: text for key, text in known.get(DRAFTS, {}).items() if isinstance(text, str)
        }

    def add(self, text: str) -> None:
        """This was sent, or nearly."""
        self.sent = [*(one for one in self.sent if one != text), text][-MOST:]
        self._keep(**{SENT: [one for one in self.sent if len(one) <= LONGEST]})

    def draft(self, missions: Iterable[str]) -> str:
        """What was written to these and not sent."""
        return self._drafts.get(_key(missions), "")

    def keep(self, missions: Iterable[str], text: str) -> None:
        """Keep what was not sent; "": nothing."""
        key = _key(missions)
        if self._drafts.pop(key, "") == text:
            if text:
                self._drafts[key] = text
            return
        if text.strip():
            self._drafts[key] = text
        self._drafts = dict(list(self._drafts.items())[-MOST:])
        self._keep(**{DRAFTS: {one: text for one, text in self._drafts.items() if len(text) <= LONGEST}})

    def give_up(self, missions: Iterable[str]) -> None:
        """Nothing can be sent there any more: what was written can be taken for something else."""
        place = list(missions)
        if text := self.draft(place):
            self.keep(place, "")
            self.add(text)


def _key(missions: Iterable[str]) -> str:
    return " ".join(sorted(missions))


Answers = Sequence[Any | OvermindError]
SESSION = "session"
PAUSED = "paused"
Sent = tuple[str, int]
"""A message: the hive of whom it is for, "" is this home, and its number there."""
_LAST = frozenset({"message_answered", "message_failed", "message_cancelled"})
"""Events after which nothing more comes of a message."""


class MessageActions:
    """Messages to agents, and the end of a turn."""

    def __init__(self, shell: Shell, drafts: Drafts) -> None:
        self._shell = shell
        self.drafts = drafts
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "message": self.message,
            "interrupt": self.interrupt,
        }
        self._ours: dict[Sent, str] = {}
        """Messages sent from here that may still be answered → to whom."""
        self._queued: set[Sent] = set()

    # messages

    def write_to(self, row: Row) -> None:
        """Take a message to this mission in the line; a task takes none, which is said."""
        self.message([row])

    def message(self, rows: list[Row]) -> None:
        """Write to these: one line, one message each."""
        sessions = [row for row in rows if row["type"] == SESSION]
        tasks = [row for row in rows if row["type"] != SESSION]
        if sessions:
            names = ", ".join(safe(row["name"]) for row in tasks)
            left_out = f"tasks take no messages, left out: {names}" if tasks else ""
            self._write(sessions, left_out)
        else:
            self._shell.flash(missions_rows.takes_no_messages(tasks[0]), "slow")

    def _write(self, rows: Sequence[Row], note: str) -> None:
        ids = [row["id"] for row in rows]
        sending = _Sending(self, {row["id"]: row["name"] for row in rows}, prompt.recipients)
        keep, draft = partial(self._keep, ids), self.drafts.draft(ids)
        self._shell.open(
            LineComposer(
                Purpose(
                    sending.title, sending.send, keep, draft, self.drafts.sent, note, recall=self.drafts.add,
                    way_back="m, then up, restores the text",
                )
            )
        )  # fmt: skip

    def _keep(self, ids: Sequence[str], text: str) -> None:
        self.drafts.keep(ids, text)
        if text.strip():
            self._shell.flash("draft kept: m opens it again", "quiet")

    # comments

    def comment(self, row: Row, spot: Spot) -> None:
        """Write about a line of what it changed; what is kept instead of sent is there for the next comment."""
        name, ids = safe(row["name"]), [row["id"]]
        if row["type"] != SESSION:
            self._shell.flash(missions_rows.takes_no_messages(row), "slow")
            return
        before = self.drafts.draft(ids)
        sending = _Sending(self, {row["id"]: row["name"]}, _box_title)

        def keep(text: str) -> None:
            kept = "" if sending.arrived else diff.pruned(text) or before
            self.drafts.keep(ids, kept)
            count = len(diff.places(kept))
            if count:
                self._shell.flash(f"{count} comment{'s' * (count != 1)} kept · # adds another, m sends", "quiet")

        ended = f"{name} has ended: esc keeps the comment until r restarts it"
        note = "esc keeps the comment; # on another line adds one" if missions_rows.is_live(row) else ended
        draft = diff.with_place(before, spot)
        self._shell.open(
            Composer(
                Purpose(f"comment · {name}", sending.send, keep, draft, self.drafts.sent, note, recall=self.drafts.add)
            )
        )

    def hive_of(self, mission: str) -> str:
        """The hive of a mission; "" is this home."""
        row = self._shell.fleet.of(mission)
        return "" if row is None else hive_of(row)

    def post(self, requests: Sequence[Mapping[str, Any]], on_result: OnAnswers) -> None:
        """Send these; `told` hears what became of each."""
        self._shell.request("send", requests, on_result)

    def sent(self, answers: Mapping[str, Mapping[str, Any]], text: str) -> None:
        """These were taken: remember them, and say how far they got."""
        self.drafts.add(text)
        new = {_sent(answer): name for name, answer in answers.items()}
        self._ours |= new
        self._queued |= {_sent(answer) for answer in answers.values() if answer["state"] == "queued"}
        self._shell.flash(_progress(answers), "good")
        for hive in {hive for hive, _ in new}:  # what became of them before their answers came; of others it was said
            events = self._shell.fleet.events_about(key_of(hive, ""))
            self.happened([event for event in events if _sent(event) in new])

    def happened(self, events: Iterable[Row]) -> None:
        """Say what becomes of messages that were sent from here."""
        for event in events:
            message = _sent(event)
            if message in self._ours:
                self._became(message, self._ours[message], event)

    def _became(self, message: Sent, name: str, event: Row) -> None:
        match event["type"]:
            case "message_delivered" if message in self._queued:
                self._queued.discard(message)
                self._shell.flash(f"{name} received the message", "good")
            case "message_answered":
                self._shell.flash(f"{name} answered", "good")
            case "message_failed":
                self._shell.flash(f"{_failed(name, event)} · m, then up, restores the text", "bad")
        if event["type"] in _LAST:
            self._queued.discard(message)
            del self._ours[message]

    # turns

    def interrupt(self, rows: list[Row]) -> None:
        """End the turns that they are in."""
        names = [safe(row["name"]) for row in rows]

        def on_result(answers: Answers) -> None:
            ended = [name for name, one in zip(names, answers, strict=True) if _interrupted(one)]
            failed = list(dict.fromkeys(safe(one.message) for one in answers if isinstance(one, OvermindError)))
            said: list[str] = []
            if ended:
                said = [f"interrupted {len(ended)} of {len(names)}" if len(names) > 1 else f"interrupted {ended[0]}"]
            elif not failed:
                said = [f"{names[0]}: no turn in progress" if len(names) == 1 else "no turn in progress"]
            self._shell.flash(" · ".join([*said, *failed]), "bad" if failed else "good" if ended else "")

        self._shell.request("interrupt", [{"id": row["id"]} for row in rows], on_result)


class _Sending:
    """One text on its way to some missions; those that refuse it stay."""

    def __init__(
        self, message_actions: MessageActions, names: dict[str, str], titled: Callable[[Sequence[str]], str]
    ) -> None:
        self._message_actions = message_actions
        self.names = {one: safe(name) for one, name in names.items()}
        self._titled = titled
        self.arrived = False
        """Whether all have it."""
        self._text = ""
        self._keys: dict[str, str] = {}
        self._queue = False

    @property
    def title(self) -> str:
        """To whom it goes."""
        return self._titled(list(self.names.values()))

    def send(self, composer: Composer, text: str) -> None:
        """Send it to all who don't have it; the same text goes to nobody twice, also where an answer was lost."""
        if text != self._text:
            self._text, self._keys, self._queue = text, {one: uuid4().hex for one in self.names}, False
        ids = list(self.names)
        requests = [
            {"id": one, "text": text, "request": self._keys[one], **({"queue": True} if self._queue else {})}
            for one in ids
        ]
        self._message_actions.post(
            requests, lambda answers: self._on_result(composer, dict(zip(ids, answers, strict=True)))
        )

    def _on_result(self, composer: Composer, answers: dict[str, Any | OvermindError]) -> None:
        taken = {
            self.names[one]: {**reply, HIVE: self._message_actions.hive_of(one)}
            for one, reply in answers.items()
            if not isinstance(reply, OvermindError)
        }
        refused = {one: reply for one, reply in answers.items() if isinstance(reply, OvermindError)}
        if taken:
            self._message_actions.sent(taken, self._text)
        if not refused:
            self.arrived = True
            composer.done()
            return
        self.names = {one: self.names[one] for one in refused}
        self._queue = any(error.code == PAUSED for error in refused.values())
        composer.set_title(self.title)
        composer.refused(self._reason(refused))

    def _reason(self, refused: Mapping[str, OvermindError]) -> str:
        if self._queue:
            why = next(error.message for error in refused.values() if error.code == PAUSED)
            return f"{why.partition(QUEUE_WITH)[0].strip()} Press enter again to queue the message."
        (first, error), *others = refused.items()
        return error.message if not others else f"{self.names[first]}: {error.message} · and {len(others)} more"


def _box_title(names: Sequence[str]) -> str:
    """The title of a box whose text goes to these."""
    return f"message · {names[0]}" if len(names) == 1 else f"message · {len(names)}: {', '.join(names)}"


def _sent(item: Mapping[str, Any]) -> Sent:
    """The message that an answer or an event is about; number 0 is none."""
    return hive_of(item), int(item.get("message") or 0)


def _progress(answers: Mapping[str, Mapping[str, Any]]) -> str:
    """How far messages got, in one line."""
    if len(answers) > 1:
        queued = sum(answer["state"] == "queued" for answer in answers.values())
        return f"sent to {len(answers)}" + (f", {queued} of them queued" if queued else "")
    ((name, answer),) = answers.items()
    if answer["state"] != "queued":
        return f"sent to {name}"
    return f"queued for {name}" + (f" · {answer['ahead']} ahead" if answer["ahead"] else "")


def _failed(name: str, event: Row) -> str:
    """What became of a message that nobody answers any more."""
    error = safe(event.get("error"))
    return (
        f"{name} ended before it read the message" if error == "exited" else f"{name}: {error or 'the message failed'}"
    )


def _interrupted(answer: Any | OvermindError) -> bool:  # noqa: ANN401 - an answer of the API
    return not isinstance(answer, OvermindError) and bool(answer["interrupted"])
