"""`provider test`: what a program of agents does, tried as a person has it installed and logged in."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from functools import partial

from overmind_core.cli.agents.provider_trial import (
    FINAL,
    LABEL,
    RUN,
    CheckFailed,
    LoginMissing,
    NotPossible,
    Trial,
    is_about,
    shown,
    signals_held,
)
from overmind_core.cli.agents.providers import known_row
from overmind_core.cli.command import JSON, Command, argument, flag, option
from overmind_core.cli.context import Context, confirmed_removal, forbid_inside
from overmind_core.cli.output import dumps
from overmind_core.cli.values import duration
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import FAILED, OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Generator, Iterator, Mapping
    from typing import Any

    Json = Mapping[str, Any]

PATIENCE = "3m"
REPEAT = "Reply with this one word and nothing else: {}"
REMEMBER = "Remember this word, for I will ask you for it, and reply with nothing but OK: {}"
JOIN = "Reply with these two as one word, without the blank, and with nothing else: {} {}"
RECALL = "Reply with the word that you were to remember, and nothing else."


def new_word() -> str:
    """Return a word that no model knows."""
    return f"heron{os.urandom(3).hex()}"


def check_answer(answer: str, word: str) -> None:
    """Raise `CheckFailed` unless the answer is that word, and no more than marks around it."""
    if answer.strip().strip("\"'`*.").strip() != word:
        raise CheckFailed(f"it was to answer {word}, and answered: {shown(answer) or 'nothing'}")


# checks: each returns where the program does as it says


def check_task(trial: Trial) -> None:
    """Run a task to its end."""
    word = new_word()
    mission = trial.start(type="task", command=REPEAT.format(word))
    found: dict[str, Any] = {}

    def has_ended() -> bool:
        found.update(trial.client.call("info", {"id": mission}))
        trial.answer_questions(mission)
        return found["status"] in FINAL

    trial.until(has_ended, "it did not end")
    if found["status"] != "stopped" or found["exit_code"]:
        raise trial.ended(found)
    trial.newest = mission
    check_answer(str(trial.client.call("result", {"id": mission}).get("result") or ""), word)


def check_session(trial: Trial) -> None:
    """Open a conversation, and have a message answered."""
    trial.session()
    word = new_word()
    check_answer(trial.turn(REPEAT.format(word))[0], word)


def check_deny(trial: Trial) -> None:
    """Have it ask before a command, and refuse that."""
    path = trial.path()
    asked = trial.turn(RUN.format(f"touch {os.path.basename(path)}"))[1]
    if os.path.exists(path):
        raise CheckFailed("the command ran though it was denied" if asked else _UNASKED)
    if not asked:
        raise CheckFailed("it asked nothing, and ran nothing either")
    if not any(is_about(one, os.path.basename(path)) for one in asked):
        raise CheckFailed(f"its question does not show the command: {shown(asked[0]['summary'])}")


_UNASKED = "it ran a command without asking; look at the rules and settings of its program"


def check_allow(trial: Trial) -> None:
    """Have it ask, and let it run."""
    path = trial.path()
    name = os.path.basename(path)
    asked = trial.turn(RUN.format(f"touch {name}"), name)[1]
    allowed = [one for one in asked if is_about(one, name)]
    if os.path.exists(path) and not asked:
        raise CheckFailed(_UNASKED)
    if asked and not allowed:
        raise CheckFailed(f"its question does not show the command: {shown(asked[0]['summary'])}")
    if not os.path.exists(path):
        raise CheckFailed("the command did not run though it was allowed" if allowed else "it did not run the command")


def check_memory(trial: Trial) -> None:
    """Have it tell in one turn what it heard in another."""
    _tell_word(trial)
    _ask_for_word(trial)


def _tell_word(trial: Trial) -> None:
    trial.session()
    word = new_word()
    trial.turn(REMEMBER.format(word))
    trial.word = word


def _ask_for_word(trial: Trial) -> None:
    answer = trial.turn(RECALL)[0]
    if trial.word not in answer:
        raise CheckFailed(f"it was to remember {trial.word}, and answered: {shown(answer) or 'nothing'}")


def check_interrupt(trial: Trial) -> None:
    """End a turn while its tool runs; the session goes on."""
    mission, tool = trial.session(), trial.tool()
    try:
        trial.client.call("interrupt", {"id": mission})
        trial.until(lambda: not tool.runs(), "its command ran on after an interrupt")
        trial.until(trial.is_idle, "its turn did not end")
    finally:
        tool.close()
    word = new_word()
    check_answer(trial.turn(REPEAT.format(word))[0], word)


def check_resume(trial: Trial) -> None:
    """Kill it between two turns, and have its next process tell what the other one heard."""
    from overmind_core.domain.agents.agent import is_own

    if not trial.word:
        _tell_word(trial)
    mission, pid = trial.session(), trial.info()["os_pid"]
    trial.client.call("signal", {"id": mission, "signal": "KILL"})
    trial.until(lambda: trial.info()["os_pid"] not in {None, pid}, "it was not started again")
    trial.until(trial.is_idle, "it did not open its conversation again")
    if trial.info()["conversation_lost"]:
        if is_own(trial.provider.name) and not _announces(trial, mission):
            raise NotPossible("it does not announce that it can")
        raise CheckFailed("its conversation was gone: it began a new one")
    _ask_for_word(trial)


def _announces(trial: Trial, mission: str) -> bool:
    """Whether its program says that it goes on with conversations, in its first lines."""
    from overmind_core.logs.layout import OUT
    from overmind_core.logs.reader import RunLog
    from overmind_core.providers.lines import object_at, read_object

    run = trial.client.call("logs", {"ids": [mission]})["missions"][0]["runs"][0]
    lines = RunLog(from_wire(run["path"])).read(OUT, 0, _FIRST_BYTES)[1].splitlines()
    said = [found for line in lines if isinstance(found := read_object(line), dict)]
    able = [object_at(object_at(one, "result"), "agentCapabilities") for one in said]
    return any(one.get("loadSession") is True or "resume" in object_at(one, "sessionCapabilities") for one in able)


_FIRST_BYTES = 65536


def check_usage(trial: Trial) -> None:
    """Have something told of what the turns before have used."""
    from overmind_core.providers.base import TokensTold

    info = trial.client.call("info", {"id": trial.newest}) if trial.newest else {}
    if info.get("cost_usd") is not None or any((info.get("tokens") or {}).values()):
        return
    if trial.provider.tokens in {TokensTold.NOTHING, TokensTold.UNSURE} and not trial.provider.tells_cost:
        raise NotPossible("it tells neither")
    raise CheckFailed("it told neither" if trial.newest else "it answered nothing before")


def check_stop(trial: Trial) -> None:
    """Stop it while its tool runs."""
    trial.session()
    tool = trial.tool()
    try:
        trial.end_session()
        if tool.runs():
            raise CheckFailed("its command runs on")
    finally:
        tool.close()


def check_screen(trial: Trial) -> None:
    """Start it on a terminal, until its state is read there."""
    trial.session()


def check_message(trial: Trial) -> None:
    """Type a message, and find on its screen what nobody has typed."""
    from overmind_core.logs.snapshot import screen_at

    mission, word = trial.session(), new_word()
    trial.send(JOIN.format(word[:5], word[5:]))

    def is_shown() -> bool:
        trial.info()
        run = trial.client.call("logs", {"ids": [mission]})["missions"][0]["runs"][-1]
        screen = screen_at(from_wire(run["path"]), columns=run["columns"], rows=run["rows"])
        return word in "".join(screen.lines())

    trial.until(is_shown, f"{word} was not on its screen")


def check_end(trial: Trial) -> None:
    """Stop it."""
    trial.session()
    trial.end_session()


Check = tuple[str, str, Callable[[Trial], None]]
ON_TERMINAL: tuple[Check, ...] = (
    ("screen", "its screen opens, and is seen to be idle", check_screen),
    ("message", "a message is typed, and answered on its screen", check_message),
    ("stop", "a stop leaves nothing of it", check_end),
)
"""For a program of which nothing is known but the rules for its screen."""
CHECKS: tuple[Check, ...] = (
    ("task", "a task ends with its exact answer", check_task),
    ("session", "a session opens, and answers exactly", check_session),
    ("deny", "it asks before it runs a command, and deny keeps that from running", check_deny),
    ("allow", "allow has the command run", check_allow),
    ("memory", "its second turn knows the first", check_memory),
    ("interrupt", "an interrupt ends turn and command, and the session goes on", check_interrupt),
    ("resume", "it knows its conversation after kill -9", check_resume),
    ("usage", "it tells tokens or cost", check_usage),
    ("stop", "a stop leaves nothing of it", check_stop),
)
"""Name for programs, what is tried, and who tries it, in their order."""
MOST_MESSAGES = 11
"""The most messages of a whole test; where only a task or a screen can be tried it is one."""


def provider_test(args: Namespace, context: Context) -> int:
    """Say what will be done, ask, do it, and print what came of each check."""
    forbid_inside(context, "test a provider")
    row = known_row(args.name, context)
    name, program, version = row["provider"], row["path"], row["version"]
    say = context.note if args.json else context.print
    which = f"{name} {version or 'of an unknown version'}"
    say(f"Tests {which} ({display_safe(program)}) with missions in a temporary folder, which are removed again.")
    most = f"up to {MOST_MESSAGES} short messages" if row["session"] else "a short message"
    say(f"Sends it {most} with your login. That costs tokens.")
    if not confirmed_removal("Test it?", yes=args.yes):
        return FAILED
    rows = []
    with contextlib.closing(_results(args, context, row)) as results:
        for one in results:
            rows.append(one)
            why = f": {one['why']}" if one["why"] else ""
            say(f"{one['result']:<8}{one['says']}{why}")
    counts = {kind: sum(one["result"] == kind for one in rows) for kind in ("ok", "failed", "-")}
    say(f"{name}: {counts['ok']} ok, {counts['failed']} failed, {counts['-']} not possible")
    if args.json:
        told = {"provider": name, "program": program, "version": version, "tested": row["tested"]}
        context.print(dumps({**told, "ok": not counts["failed"], "checks": rows}))
    return FAILED if counts["failed"] else 0


def _results(args: Namespace, context: Context, row: Json) -> Generator[dict[str, Any], None, None]:
    """Try one check after the other; nothing is left of them, whatever ends this."""
    import tempfile

    from overmind_core.domain.agents.agent import RAW
    from overmind_core.providers.registry import get

    client = context.client(start=True)
    client.call("ps")
    is_on_terminal = row["task"] is None and row["session"] is None
    provider = get(RAW if is_on_terminal else row["provider"])
    handlers = {one: signal.signal(one, _interrupt_test) for one in (signal.SIGTERM, signal.SIGHUP)}
    folder = os.path.realpath(tempfile.mkdtemp(prefix="overmind-test-"))
    agent = {name: value for name in ("model", "permission_mode") if (value := getattr(args, name)) is not None}
    what = {"command": [row["program"]]} if is_on_terminal else {"agent": agent}
    request = {**context.starting_place(folder, clean=False), **what, "provider": provider.name}
    trial = Trial(client, provider, request, folder, args.timeout or PATIENCE)
    try:
        yield from _tried(trial, ON_TERMINAL if is_on_terminal else CHECKS)
    finally:
        with signals_held():
            try:
                for line in trial.remove_all():
                    context.note(line)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            for one, handler in handlers.items():
                signal.signal(one, handler)


def _tried(trial: Trial, checks: tuple[Check, ...]) -> Iterator[dict[str, Any]]:
    lacking = ""
    for name, says, check in checks:
        began = time.monotonic()
        result, why = ("-", lacking) if lacking else _outcome(name, partial(check, trial), trial)
        if result == "failed":
            trial.leave_session()
        if isinstance(why, LoginMissing):
            lacking = "not tried without a login"
        seconds = round(time.monotonic() - began, 1)
        yield {"check": name, "says": says, "result": result, "why": str(why) or None, "seconds": seconds}


def _outcome(name: str, check: Callable[[], None], trial: Trial) -> tuple[str, Exception | str]:
    """Return `ok`, `failed` or `-`, and why."""
    from overmind_core.domain.agents.agent import AgentMode

    needed = AgentMode.ONE_SHOT if name == "task" else AgentMode.HEADLESS
    if needed not in trial.provider.modes and name != "usage" and trial.provider.speaks_json:
        return "-", f"{trial.provider.name} has no {'tasks' if name == 'task' else 'sessions'}"
    if name in {"deny", "allow"} and not trial.provider.asks:
        return "-", f"{trial.provider.name} asks nothing"
    try:
        check()
    except NotPossible as error:
        return "-", error
    except CheckFailed as error:
        return "failed", error
    except OvermindError as error:
        return "failed", display_safe(error.message)
    return "ok", ""


def _interrupt_test(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


PROVIDER_TEST = Command(
    name="provider test",
    arguments=[argument("name", "a provider, or an agent of your own", metavar="NAME")],
    options=[
        flag("--yes", "ask nothing; needed without a terminal", short="-y"),
        option("--model", "MODEL", "the model to test it with"),
        option("--permission-mode", "MODE", "permission mode in which it asks (default: as without it)"),
        option("--timeout", "TIME", f"limit of each answer, in seconds (default {PATIENCE})", parse=duration),
        JSON,
    ],
    examples=["overmind provider test codex", "overmind provider test acp:mine --yes --json | jq .checks"],
    notes=(
        "It uses the program as you have it installed and logged in, and costs tokens. Each check has a line: ok, "
        "failed and why, or - for what this program can't do. With a failed check it exits with 1. Its missions have "
        f"the label {LABEL} while it runs, and are removed with the temporary folder in which they work; the program "
        "keeps its conversations as it always does."
    ),
    run=provider_test,
)

COMMANDS = (PROVIDER_TEST,)
