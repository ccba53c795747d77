"""Commands that talk with agents: send, messages, result, interrupt, subscribe."""

from __future__ import annotations

import os
import sys
import time

from overmind_core.cli.agents.options import RAW
from overmind_core.cli.command import JSON, Command, argument, flag, ids, one_id, option
from overmind_core.cli.context import Context, call_each, text_of
from overmind_core.cli.output import dumps, or_absent, safe_text, table, text_cell
from overmind_core.cli.values import duration, timeout_seconds, timeout_words, whole_number
from overmind_core.client.stream import await_answer, follow
from overmind_core.domain.missions.reasons import sentence
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import CODES, NEEDS_PERSON, OvermindError, UsageError, while_waiting

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from overmind_core.client.client import Client

    Json = Mapping[str, Any]
    Row = Mapping[str, Any]


DELIVERY = 2.0
"""Seconds that `send` waits for the message to reach the agent."""
ANSWER = "60s"
LOOK_SECONDS = 1.0
"""Between two looks at what keeps an answer from coming."""
_SLACK = 5.0
"""Seconds that the daemon's own word on a time that ran out may take."""
_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""


def send(args: Namespace, context: Context) -> int:
    """Send it, and say how far it came, or with --wait what was answered."""
    if not args.text:
        raise UsageError("Missing text. Give it as words, or give - to read standard input. See: overmind send --help")
    text = text_of(args.text)
    client = context.client()
    if args.wait:
        _check_answers(client, args.id)
    message = client.call("send", _request(args, text))
    if args.wait:
        return _answer(args, context, client, message)
    if message["state"] == "queued":
        message = {**message, **await_message(client, message, "delivered", DELIVERY)}
    fail_if_failed(client, message)
    context.print(dumps({name: message[name] for name in SHOWN}) if args.json else sent_line(message))
    return 0


SHOWN = ("message", "state", "ahead", "id", "name")
"""What --json prints of a message that nobody waits for."""


def _request(args: Namespace, text: str) -> dict[str, Any]:
    request = {"id": args.id, "text": text, "request": os.urandom(_REQUEST_KEY).hex()}
    return request | ({"queue": True} if args.queue else {})


def _check_answers(client: Client, mission: str) -> None:
    """Refuse to wait for what never comes, before anything is sent.

    Raises:
        OvermindError: `invalid`, it is no agent.
    """
    (row,) = client.call("ps", {"ids": [mission]})
    if row["type"] == "session" and row["provider"] == RAW:
        raise OvermindError(
            "invalid",
            f"--wait: {row['name']} is a raw session, and a raw session marks no answers. Send without --wait.",
        )


def _answer(args: Namespace, context: Context, client: Client, message: Json) -> int:
    from overmind_core.cli.waiting import WaitTeller  # start-up: only while one waits

    args.timeout = args.timeout or ANSWER
    teller = WaitTeller(
        context,
        lambda: [message["id"]],
        of_quests=False,
        keep_waiting=args.keep_waiting,
        for_answer=message["message"],
    )
    try:
        answered = await_message(client, message, "answered", timeout_seconds(args.timeout), teller.is_hopeless)
        if not answered:
            context.note(f"Message {message['message']} stays. See: overmind messages {message['name']}")
            return NEEDS_PERSON
        message = {**message, **answered}
    except KeyboardInterrupt:
        context.note(f"\nMessage {message['message']} stays. See: overmind messages {message['name']}")
        raise
    except OvermindError as error:
        pending = [f"message {message['message']} for {message['name']}"]
        raise while_waiting(error, pending, "Not answered") from None
    fail_if_failed(client, message)
    if message["state"] != "answered":
        raise OvermindError(
            "timeout",
            f"No answer to message {message['message']} within {timeout_words(args.timeout)}; the message stays."
            f" See: overmind messages {message['name']}",
        )
    answer = {name: message.get(name) for name in ("text", "duration_ms", "cost_usd", "cost_source", "usage")}
    context.print(dumps(answer) if args.json else safe_text(message["text"]))
    return 0


def await_message(
    client: Client, message: Json, until: str, patience: float, is_hopeless: Callable[[], bool] | None = None
) -> Json:
    """Return how the message stands once it is `until`, has failed, or `patience` seconds have passed.

    `is_hopeless` is asked again and again meanwhile; where it says so, nothing is returned.
    """
    deadline = time.monotonic() + patience

    def request() -> tuple[str, Json]:
        left = max(0.0, deadline - time.monotonic())
        return "await_message", {"message": message["message"], "until": until, "timeout": left}

    beat = None if is_hopeless is None else LOOK_SECONDS
    found: Json | None = await_answer(client, request, deadline=deadline + _SLACK, beat=beat, is_hopeless=is_hopeless)
    return found or {}


def fail_if_failed(client: Client, message: Json) -> None:
    """Raise what became of a message that gets no answer.

    Raises:
        OvermindError: with the message's own code where it has one.
    """
    number, name = message["message"], message["name"]
    if message["state"] == "cancelled":
        raise OvermindError("not_found", f"Message {number} for {name} was withdrawn.")
    if message["state"] == "failed":
        error = message.get("error") or "exited"
        if error == "exited":
            raise OvermindError(
                "exited", f"{name} ended before it answered message {number}. See: overmind logs {name}"
            )
        code = error if error in CODES else "not_finished"
        how = _log_in_first(client, message["id"], error)
        told = f"{sentence(error)} ({how})" if how else error
        raise OvermindError(code, f"The turn of message {number} failed: {told}. See: overmind logs {name}")


def _log_in_first(client: Client, mission: str, error: str) -> str:
    from overmind_core.providers.registry import NOT_LOGGED_IN, log_in_first  # start-up: only for what has failed

    return log_in_first(client.call("info", {"id": mission})["provider"], error) if error == NOT_LOGGED_IN else ""


def sent_line(message: Json) -> str:
    """Return what a person reads of a message on its way."""
    if message["state"] == "queued":
        return f"Queued for mission {message['id']} (message {message['message']}, {message['ahead']} ahead)"
    return f"Sent to mission {message['id']}"


SEND = Command(
    name="send",
    arguments=[one_id(), argument("text", "message; - reads it from standard input", nargs="*", metavar="TEXT")],
    options=[
        flag("--wait", "wait for the answer and print it"),
        option(
            "--timeout",
            "TIME",
            f"limit of --wait, in seconds (default {ANSWER}); exits with 124 when it runs out",
            parse=duration,
        ),
        flag("--keep-waiting", "wait on also while a person has to change something first"),
        flag("--queue", "send it even while a person has taken over the session"),
        JSON,
    ],
    examples=[
        "overmind send planner now write the tests",
        "overmind send planner --wait --timeout 5m 'what is left to do?'",
        "overmind send planner - < instructions.md",
        "overmind send planner --wait --json 'summarise' | jq -r .text",
    ],
    notes=(
        "An agent gets one message at a time, when it is idle. Other messages queue in order, and survive any "
        "crash.\n"
        "While --wait waits for a person, because the agent asks something or is frozen, it says so on standard "
        "error with the command that helps, and exits with 3. With --keep-waiting it waits on. It exits with 3 as "
        "well when the daemon goes away meanwhile.\n"
        "Without --wait, send prints the progress of the message within 2 seconds. After a timeout the message "
        "stays; see overmind messages. Put -- before a text that begins with a dash."
    ),
    run=send,
)


TITLES = ("MESSAGE", "STATE", "SENT", "FROM", "ERROR", "TEXT")


def messages(args: Namespace, context: Context) -> int:
    """List them, or withdraw one that is queued."""
    request = {"id": args.id} if args.cancel is None else {"id": args.id, "cancel": args.cancel}
    rows = context.client().call("messages", request)
    if args.json:
        context.print(dumps(rows))
    elif args.cancel is not None:
        context.print(f"Cancelled message {args.cancel}")
    else:
        if not rows:
            context.hint(f"No messages yet. Send one with: overmind send {display_safe(args.id)} 'TEXT'")
        context.print(message_table(rows))
    return 0


def message_table(rows: Sequence[Row]) -> str:
    """Return the table."""
    return table(TITLES, [_cells(row) for row in rows])


def _cells(row: Row) -> list[str]:
    again = " (again)" if row["resent"] else ""
    sent, sender, error = row["created_at"], row["sender"], row["error"]
    return [
        str(row["message"]),
        row["state"] + again,
        sent,
        or_absent(sender),
        or_absent(error),
        text_cell(row["text"]),
    ]


MESSAGES = Command(
    name="messages",
    arguments=[one_id()],
    options=[option("--cancel", "N", "withdraw this message, if it is still queued", parse=whole_number), JSON],
    examples=["overmind messages planner", "overmind messages planner --cancel 12"],
    notes=(
        "A message is queued, then delivered, then answered; or it failed or was cancelled. (again) marks a "
        "message that was sent again because the agent died."
    ),
    run=messages,
)


def result(args: Namespace, context: Context) -> int:
    """Print the last answer to a person, the whole object to a program."""
    found = context.client().call("result", {"id": args.id})
    answer = found.get("result") if isinstance(found, dict) else None
    if args.json or not sys.stdout.isatty() or not isinstance(answer, str):
        context.print_facts(found, args)
        return 0
    context.print("\n".join(map(display_safe, answer.splitlines())))
    if found.get("is_error"):
        context.note("The agent reported a failure. All of it: --json")
    return 0


RESULT = Command(
    name="result",
    arguments=[one_id()],
    options=[JSON],
    examples=["overmind result review", "overmind result review --json | jq -r .result"],
    notes=(
        "On a terminal it is the answer as text; in a pipe and with --json the whole object, as the agent's program "
        "printed it. A finished mission that is not an agent has the result {}. A live mission without a result fails "
        "with: not_finished"
    ),
    run=result,
)


def press(args: Namespace, context: Context) -> int:
    """Type the text, then the keys."""
    answer = context.client().call("keys", {"id": args.id, "text": args.text or "", "keys": args.keys})
    context.print(dumps(answer) if args.json else _pressed_line(answer))
    return 0


def _pressed_line(answer: Mapping[str, Any]) -> str:
    counts = ((answer["characters"], "character"), (answer["keys"], "key"))
    typed = " and ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts if count)
    return f"Typed {typed} into mission {answer['id']}"


KEYS = Command(
    name="keys",
    arguments=[one_id(), argument("keys", "a key: Enter, Escape, C-c, M-x, Up, F1, or one character", nargs="*",
                                  metavar="KEY")],
    options=[option("--text", "TEXT", "a text to type before the keys", short="-l"), JSON],
    examples=["overmind keys oc Enter", "overmind keys oc Down Down Enter", "overmind keys oc -l 'another way' Enter"],
    notes=(
        "Nothing is checked: keys answer whatever stands on the screen. See it with: overmind screen <id>. A message "
        "for an agent is better sent: overmind send types it only where the prompt is free, and says whether it was "
        "taken."
    ),
    run=press,
)  # fmt: skip


def interrupt(args: Namespace, context: Context) -> int:
    """Interrupt each of them."""
    requests = [{"id": mission} for mission in args.ids]
    client = context.client()

    def line(answer: Mapping[str, Any]) -> str:
        return f"Interrupted mission {answer['id']}" if answer["interrupted"] else _no_turn_line(client, answer["id"])

    return call_each(context, client, "interrupt", requests, line=line, as_json=args.json)


_WITHOUT_TURN = frozenset({"limited", "starting", "restarting", "stopping"})
"""Activities and statuses that explain why there is no turn."""
_BY_KEYS = frozenset({"setup", "draft"})
"""Needs that a person sees to in the terminal, and that are no turn."""


def _no_turn_line(client: Client, mission: str) -> str:
    """Return what a person reads of a session that was in no turn, with the reason where one is known."""
    (row,) = client.call("ps", {"ids": [mission]})
    doing = row["status"] if row["status"] != "running" else row["activity"]
    if doing == "idle":
        return f"Mission {mission} was idle"
    none = f"Mission {mission} had no turn to interrupt"
    if doing == "waiting" and row["need"] in _BY_KEYS:
        return f"{none}: it waits for you in its terminal: overmind attach {display_safe(row['name'])}"
    return f"{none}: it is {doing}" if doing in _WITHOUT_TURN else none


INTERRUPT = Command(
    name="interrupt",
    arguments=[ids()],
    options=[JSON],
    examples=["overmind interrupt planner", "overmind interrupt planner && overmind send planner do it otherwise"],
    run=interrupt,
)


CURSOR = ("run", "offset")
"""Fields of an item that say how far it goes: the run, and the bytes of its output seen with it."""


def subscribe(args: Namespace, context: Context) -> int:
    """Print an object per line of output, until all have ended: an agent's own, else what the line says."""
    reading = OutputSubscription(args.ids, from_start=args.from_start)
    for kind, item in follow(context.client(), reading.request):
        if kind == "ok":
            reading.start(item)
        elif kind == "item" and reading.record(item):
            context.print(dumps(_item_json(item)))
    return 0


def _item_json(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """An agent's object as it is; of a line its text and whose it is."""
    if item["type"] == "object":
        shown: Mapping[str, Any] = item["object"]
        return shown
    return item if item["type"] != "plain" else {name: item[name] for name in item if name not in CURSOR}


class OutputSubscription:
    """A subscription's place in the output, so that a broken stream goes on where it broke."""

    def __init__(self, wanted: list[str], *, from_start: bool) -> None:
        self._wanted = wanted
        self._from_start = from_start
        self._offsets: dict[str, int] = {}
        self._ended: set[str] = set()

    def request(self) -> tuple[str, dict[str, Any]]:
        """Return the request for what was not read yet."""
        return "subscribe", {"ids": self._wanted, "from_start": self._from_start, "offsets": self._offsets}

    def start(self, answer: Mapping[str, Any]) -> None:
        """Record what the names mean, and where the stream begins."""
        self._wanted = [mission["id"] for mission in answer.get("missions", ())] or self._wanted
        self._offsets = {**answer.get("offsets", {}), **self._offsets}

    def record(self, item: Mapping[str, Any]) -> bool:
        """Record an item; False when it was printed before the stream broke."""
        if "run" in item and "offset" in item:
            self._offsets[item["run"]] = item["offset"]
        mission = item.get("mission")
        if item.get("type") == "exit" and mission is not None:
            known = mission in self._ended
            self._ended.add(mission)
            return not known
        return True


SUBSCRIBE = Command(
    name="subscribe",
    arguments=[ids()],
    options=[flag("--from-start", "print earlier output first"), JSON],
    examples=["overmind subscribe api", "overmind subscribe --from-start build | jq -r .text"],
    run=subscribe,
)

COMMANDS = (SEND, KEYS, MESSAGES, RESULT, INTERRUPT, SUBSCRIBE)
