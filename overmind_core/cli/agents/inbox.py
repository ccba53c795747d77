"""Commands about what agents and the engine ask, and what agents have done: inbox, answer, seen; and `hook`.

`hook` must never be in the program's way. It hands the event to the daemon, prints only what the daemon answers (a
decision over a question), and exits with 0 whatever happens: at once without a keeper or with nonsense on its input,
after seconds when nobody answers. Only while the daemon waits for a decision it waits too, as long as the program lets
it, also through the replacement of a daemon.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections import Counter

from overmind_core.cli.command import JSON, Command, argument, flag, ids, option
from overmind_core.cli.context import Context, call_for_ids
from overmind_core.cli.output import coloured, dumps, redraw
from overmind_core.client.client import answer_result
from overmind_core.client.connection import ANSWER_LIMIT
from overmind_core.client.daemon import connect_until, try_connect
from overmind_core.domain import engine_questions
from overmind_core.domain.agents import approval_subject
from overmind_core.domain.missions.lost import lost_sentence
from overmind_core.domain.missions.reasons import CONVERSATION_LOST, ended_words, limit_of, to_send_again
from overmind_core.domain.text.cells import cut, display_safe
from overmind_core.domain.text.duration import format_uptime
from overmind_core.domain.text.moment import parse_time
from overmind_core.errors import UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Any

    from overmind_core.client.client import Client
    from overmind_core.client.connection import DaemonConnection
    from overmind_core.system.paths import Home

    Question = Mapping[str, Any]


_INDENT = "    "
LOOK_SECONDS = 0.3
"""Between two looks for the first question."""
_BOLD = "\x1b[1m{}\x1b[0m"


def inbox(args: Namespace, context: Context) -> int:
    """Print what waits, once or again and again."""
    client = context.client()

    def draw() -> str:
        questions = client.call("inbox")
        if args.json:
            return dumps(questions)
        found = [inbox_text(questions, time.time(), bold=coloured(context.environ)), held_up_text(client, time.time())]
        return "\n\n".join(filter(None, found))

    if args.watch:
        redraw(draw, context.rendered)
    if args.wait and not client.call("inbox"):
        context.note("waits for the first question; none is open: overmind ps")
        while not client.call("inbox"):
            time.sleep(LOOK_SECONDS)
    text = draw()
    if text:
        context.print(text)
    else:
        context.hint("Nothing needs your attention. See what every mission is doing with: overmind ps --wide")
    if not args.json and (lost := client.call("restart", {"lost": True, "dry_run": True})["missions"]):
        context.note(lost_sentence(len(lost)))
    return 0


def inbox_text(questions: Sequence[Question], now: float, *, bold: bool = False) -> str:
    """Return the questions, oldest first, a block each; `now` in seconds since the epoch."""
    return "\n\n".join("\n".join(_block(question, now, bold=bold)) for question in questions)


def held_up_text(client: Client, now: float) -> str:
    """Return a line for each agent that a limit holds up, that has forgotten or not answered, and for what gave up.

    `now`: in seconds since the epoch.
    """
    from overmind_core.view.inbox import gave_up  # start-up: --help needs none

    found = client.call("ps")
    several = _of_several(found)
    limited = [row["id"] for row in found if row.get("activity") == "limited"]
    rows = client.call("ps", {"ids": limited, "wide": True}) if limited else []
    lost = [row for row in found if row.get("conversation_lost")]
    unanswered = [row for row in found if row.get("failed_message") and row.get("unseen")]
    spent = [client.call("info", {"id": row["id"]}) for row in found if gave_up(row)]
    told = [(_forgetful, lost), (_unanswered, unanswered), (_spent, spent)]
    lines = [_limited(row, _word(row, several), now) for row in rows]
    lines += [tell(row, _word(row, several)) for tell, those in told for row in those]
    return "\n".join(lines)


def _of_several(rows: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The names that several missions have had."""
    names = Counter(str(row["name"]) for row in rows)
    return frozenset(name for name, count in names.items() if count > 1)


def _word(row: Mapping[str, Any], several: Collection[str]) -> str:
    """The word for a mission in a command: its name, or its id where that name may mean another one."""
    return str(row["id"]) if row["name"] in several else display_safe(row["name"])


def _spent(row: Mapping[str, Any], word: str) -> str:
    name = display_safe(row["name"])
    how = ended_words(row["outcome"] or "failed", row["exit_code"], row["reason"], limit_of(row))
    return f"{name} ({row['id']}) has {how}. Log: overmind logs {word} · again: overmind restart {word}"


def _forgetful(row: Mapping[str, Any], word: str) -> str:
    name = display_safe(row["name"])
    return f"{name} ({row['id']}): {CONVERSATION_LOST}. Log: overmind logs {word} · seen: overmind seen {word}"


def _unanswered(row: Mapping[str, Any], word: str) -> str:
    name = display_safe(row["name"])
    how = display_safe(row["failed_message"])
    return f"{name} ({row['id']}): {how}. Again: {to_send_again(word)} · seen: overmind seen {word}"


def _limited(row: Mapping[str, Any], word: str, now: float) -> str:
    name = display_safe(row["name"])
    why = f"{name} ({row['id']}) is limited: {display_safe(row.get('now') or 'its service')}"
    if row.get("resume_at") is None:
        return f"{why}; try again with: overmind restart {word}"
    return f"{why}; it tries again in {format_uptime(parse_time(row['resume_at'], now) - now)}"


def _block(question: Question, now: float, *, bold: bool) -> Iterator[str]:
    waits = format_uptime(now - parse_time(question["asked_at"], now))
    if engine_questions.is_of_engine(question):
        yield from _engine_block(question, waits, bold=bold)
        return
    what = f"{question['tool']} {question['need']}".strip()
    head = f"{question['question']}  {display_safe(question['name'])} ({question['id']})  {display_safe(what)}  {waits}"
    yield _BOLD.format(head) if bold else head
    body = approval_subject.lines(question["subject"], question.get("replaces")) or [question["summary"]]
    yield from (_INDENT + display_safe(line) for line in body)
    yield from (f"{_INDENT}{line}" for line in _hints(question))


def _engine_block(question: Question, waits: str, *, bold: bool) -> Iterator[str]:
    """As an agent's; what each answer does is not plain."""
    about = engine_questions.heading(question)
    what = f"{about.part} {question['need']}".strip()
    head = f"{question['question']}  {_subject(about)}  {display_safe(what)}  {waits}"
    yield _BOLD.format(head) if bold else head
    yield from (_INDENT + display_safe(line) for line in engine_questions.body(question))
    hints = list(engine_questions.hints(question))
    longest = max((len(command) for command, _ in hints), default=0)
    yield from (f"{_INDENT}→ {command:<{longest}}  {effect}" for command, effect in hints)


def _subject(about: engine_questions.Heading) -> str:
    """The subject of a question by its name, and by its id where that is another word."""
    name = display_safe(about.name)
    return name if about.name == about.id else f"{name} ({about.id})"


def _hints(question: Question) -> Iterator[str]:
    """How it can be answered, where that is not plain."""
    line = engine_questions.answer_line(question)
    if question["attach_only"]:
        yield f"→ answer it in its terminal: {line}"
        return
    if question["options"]:
        one_only = len(question.get("choices") or [{}]) == 1
        yield f"→ {line}   the number of an option{'' if one_only else ' of each'}, or a text"
    elif question["need"] == "question":
        yield f"→ {line}"
    else:
        effects = engine_questions.effects_of(question)
        does = f"{effects.allow}, " if effects.allow != engine_questions.AGENT_EFFECTS["permission"].allow else ""
        deny = f"deny: {effects.deny}" if effects.deny != engine_questions.DENY else engine_questions.DENY
        yield f"→ {line}   {does}or {deny}{', always' if question['rule'] else ''}"
    if question["rule"]:
        yield f"→ always stores: {display_safe(question['rule'])}"


INBOX = Command(
    name="inbox",
    options=[
        flag("--watch", "refresh every second until ctrl-c"),
        flag("--wait", "wait for the first question, if there is none"),
        JSON,
    ],
    examples=[
        "overmind inbox",
        "overmind inbox --wait",
        "overmind inbox --watch",
        "overmind inbox --json | jq '.[0].subject'",
    ],
    notes=(
        "Each question begins with its number, and ends with a line that answers it. $ marks a command; - and + mark a "
        "change. Below the questions stand agents that a limit holds up, and missions that gave up, with the way on."
    ),
    run=inbox,
)


BEHAVIOURS = ("allow", "deny", "always")
_NUMBERS = re.compile(r"[1-9][0-9]{0,2}(,[1-9][0-9]{0,2})*")
_PLACE = "#"
"""Before the number of an option, as domain/agents/choices.py takes it."""
_SHOWN_CELLS = 60
"""Of a text that was answered."""
_LONGEST_NUMBER = 7
"""Digits; eight may be an id."""


def answer(args: Namespace, context: Context) -> int:
    """Answer it, and say what was answered."""
    answered = context.client().call("answer", answer_request(args))
    if args.json:
        context.print(dumps(answered))
    else:
        context.print(f"Answered question {answered['question']} of {_whose(answered)}: {answer_text(args, answered)}")
    return 0


def answer_text(args: Namespace, answered: Mapping[str, Any]) -> str:
    """Return what was answered: `allow`, `deny` or `always`, or else the options or the text as they were typed."""
    typed = [*args.answer, *(args.option or ())]
    if any(word in BEHAVIOURS for word in args.answer) or answered["behaviour"] == "deny":
        return str(answered["behaviour"])
    return display_safe(cut(" ".join((args.message or " ".join(typed)).split()), _SHOWN_CELLS))


def _whose(answered: Mapping[str, Any]) -> str:
    name = display_safe(answered["name"])
    if engine_questions.is_of_engine(answered):
        return f"{name} ({display_safe(engine_questions.topic(answered))})"
    return f"mission {answered['id']} ({name})"


def answer_request(args: Namespace) -> dict[str, Any]:
    """Return the arguments of the request `answer`."""
    request = question_reference(args.question) | _said(args.question, args.answer)
    if args.message is not None:
        request["message"] = args.message
    if args.option:
        request["options"] = [*request.get("options", ()), *args.option]
    if not args.answer and not (args.message or args.option):
        raise UsageError("Missing answer: allow, deny, always, the number of an option, or a text")
    return request


def _said(question: str, words: Sequence[str]) -> dict[str, Any]:
    """An answer as it is typed: a word, the numbers of options, one for each question, or a text.

    `question`: as it was named, for a refusal.
    """
    if len(words) == 1 and words[0] in BEHAVIOURS:
        return {"behaviour": words[0]}
    if all(_NUMBERS.fullmatch(word) for word in words):
        places = [(at, number) for at, word in enumerate(words, 1) for number in word.split(",")]
        return {"options": [f"{at}:{_PLACE}{number}" for at, number in places]} if places else {}
    if len(words) > 1 and words[0] in BEHAVIOURS:
        line = f"overmind answer {display_safe(question)} {words[0]} -m {engine_questions.QUOTED_TEXT}"
        raise UsageError(f"Give the text with -m: {line}")
    if len(words) > 1:
        raise UsageError(f"One answer, not {len(words)}: quote a text, such as 'in euros'")
    return {"message": words[0]}


def question_reference(word: str) -> dict[str, Any]:
    """Return which question a word means: a number is one, anything else a mission, quest or spec: its oldest one."""
    if word.isascii() and word.isdigit() and len(word) <= _LONGEST_NUMBER:
        return {"question": int(word)}
    return {"id": word}


ANSWER = Command(
    name="answer",
    arguments=[
        argument("question", "number of a question, or the mission, quest or spec that asks", metavar="question"),
        argument(
            "answer",
            "the number of an option (1,3: several), or a text; for permissions and gates allow, deny, or always "
            "(allow it and store the rule)",
            nargs="*",
        ),
    ],
    options=[
        option(
            "--message", "TEXT", "message for the agent, or feedback; answers a question in your own words", short="-m"
        ),
        option("--option", "LABEL", "choose this option (repeatable)", repeat=True),
        JSON,
    ],
    examples=[
        "overmind answer 7 allow",
        "overmind answer api deny --message 'use make clean instead'",
        "overmind answer 9 2             # the second option that inbox shows",
        "overmind answer 9 'MariaDB, as on the server'",
        "overmind answer 7 always        # stores the rule that inbox shows",
        "overmind answer login deny -m 'split the second task'",
    ],
    notes=(
        "A name means the oldest question about what it names. If a quest and a spec have one name and both ask, or "
        "several quests of a spec, it is refused, and the numbers are listed. A question takes one answer. A later "
        "answer fails and names who answered first. Missions can't answer questions."
    ),
    run=answer,
)


HOOK_TIMEOUT = 5.0
"""Seconds for everything but a decision; the next daemon, when one has died, and a busy machine need some of them."""
TOKEN = "OVERMIND_HOOK_TOKEN"  # noqa: S105  (the name of a variable)


def hook(args: Namespace, context: Context) -> int:
    """Hand on one event; print a decision if there is one."""
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, HOOK_TIMEOUT)
    try:
        decision = _decision(_home(args, context), _hook_request(args, context.environ))
        if decision:
            context.print(dumps(decision))
    except Exception:  # noqa: BLE001 - a process boundary: the agent's work is worth more than what we'd have learned
        return 0
    return 0


def _home(args: Namespace, context: Context) -> Home:
    return context.home if args.home is None else Context({"OVERMIND_HOME": args.home}).home


def _hook_request(args: Namespace, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of the request.

    Raises:
        ValueError: standard input holds no JSON.
        KeyError: nobody says which mission, or proves it.
    """
    return {
        "mission": args.mission or environ["OVERMIND_MISSION_ID"],
        "token": args.token or environ[TOKEN],
        "payload": json.loads(sys.stdin.buffer.read()),
    }


def _decision(home: Home, request: Mapping[str, Any]) -> Any:  # noqa: ANN401  (an answer is any JSON)
    """Return what the daemon wants the program to read; None when that is nothing."""
    connection = _connect(home)
    while connection is not None:
        try:
            return _await_decision(connection, request)
        except ConnectionError:  # the daemon is being replaced: a question waits for the next one
            connection.close()
            connection = connect_until(home, time.monotonic() + ANSWER_LIMIT)
    return None


def _connect(home: Home) -> DaemonConnection | None:
    """Return a connection to the daemon, or to the next one where a keeper sees to that."""
    connection = try_connect(home)
    if connection is None:
        from overmind_core.system.lock import holder_pid  # start-up: only when no daemon answers

        if holder_pid(home.keeper_lock) is not None:
            return connect_until(home, time.monotonic() + HOOK_TIMEOUT)
    return connection


def _await_decision(connection: DaemonConnection, request: Mapping[str, Any]) -> Any:  # noqa: ANN401  (an answer is any JSON)
    """Read the daemon's stream: that it has the event, then perhaps a decision, then the end."""
    connection.send({"cmd": "hook", "args": dict(request), "id": 1})
    answer_result(connection.receive())
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    return connection.receive().get("item")


HOOK = Command(
    name="hook",
    options=[
        option("--home", "DIR", "home (default: $OVERMIND_HOME)"),
        option("--mission", "ID", "mission (default: $OVERMIND_MISSION_ID)"),
        option("--token", "TOKEN", f"token that identifies the run (default: ${TOKEN})"),
    ],
    examples=["overmind hook --mission a1b2c3d4 --token TOKEN < event.json"],
    notes=(
        "Reads one JSON object from standard input and prints the reply for the program, which is usually empty.\n"
        "Always exits with 0, and within seconds unless a decision is pending."
    ),
    run=hook,
)


def seen(args: Namespace, context: Context) -> int:
    """Mark each of them as looked at."""
    return call_for_ids(args, context, "seen", lambda answer: f"Seen mission {answer['id']}")


SEEN = Command(
    name="seen",
    arguments=[ids()],
    options=[JSON],
    examples=["overmind seen planner", "overmind seen $(overmind ps -q --status stopped)"],
    run=seen,
)

COMMANDS = (INBOX, ANSWER, HOOK, SEEN)
