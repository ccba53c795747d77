"""Commands with `-H swarm`, or about `swarm/NAME`: what the swarm holds."""

from __future__ import annotations

import time
from typing import Any

from overmind_core.cli.agents.inbox import answer_request, answer_text, inbox_text
from overmind_core.cli.context import call_each
from overmind_core.cli.output import coloured, dumps, or_absent, table, text_cell, write_out
from overmind_core.cli.quests.add import add_to_swarm
from overmind_core.cli.swarm import queue_there, specs_there
from overmind_core.cli.swarm.commands import DATABASE, swarm_client
from overmind_core.cli.swarm.quest_on import queued_line
from overmind_core.cli.swarm.wait_there import wait_there
from overmind_core.cli.why import why
from overmind_core.domain.hives import SWARM
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.paragraphs import stands
from overmind_core.errors import UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from overmind_core.cli.command import Command
    from overmind_core.cli.context import Context

TITLES = ("ID", "NAME", "KIND", "STATE", "HIVE", "STATUS", "ATTEMPT", "EXIT", "REASON")


def run_in_swarm(command: Command, args: Namespace, context: Context) -> int:
    """Run a command about the swarm; return its exit status.

    Raises:
        UsageError: it is not one that the swarm can do.
    """
    if command.name in {"why", "quest why"}:
        return why(args, context)
    work = _COMMANDS.get(command.name)
    if work is None:
        if post := getattr(args, "id", None) or next(iter(getattr(args, "ids", None) or ()), None):
            raise UsageError(_only_at_its_hive(command.name, post, context))
        known = ", ".join((*_COMMANDS, "why", "quest why"))
        raise UsageError(f"{command.name} can't be used with -H swarm. These can: {known}. A hive itself: -H NAME")
    return work(args, context)


def _ps(args: Namespace, context: Context) -> int:
    with context.waiting(DATABASE):
        rows: list[dict[str, Any]] = swarm_client(context).call("swarm_posts", {"all": args.all})
    if args.json:
        context.print(dumps(rows))
    elif args.quiet:
        context.print("\n".join(f"swarm/{row['id']}" for row in rows))
    elif rows:
        context.print(table(TITLES, [_cells(row) for row in rows]))
    else:
        context.hint(queue_there.NOTHING)
    return 0


def _cells(row: dict[str, Any]) -> list[str]:
    names = ("id", "name", "kind", "state", "hive", "status", "attempt", "exit_code", "reason")
    return [text_cell(or_absent(row[name])) for name in names]  # others have chosen names and reasons


def _cancel(args: Namespace, context: Context) -> int:
    def line(answer: Any) -> str:  # noqa: ANN401 - of the API
        if answer["state"] == "cancelling":
            return display_safe(f"Post {answer['id']} ({answer['name']}) is being ended by its hive")
        return display_safe(f"Post {answer['id']} ({answer['name']}): {answer['state']}")

    requests = [{"id": one} for one in args.ids]
    return call_each(context, swarm_client(context), "swarm_cancel", requests, line=line, as_json=args.json)


def _logs(args: Namespace, context: Context) -> int:
    if args.follow:
        raise UsageError("The swarm has the end of a log once its run has ended. Follow it at its hive: -H NAME")
    if refused := next((name for name in _NOT_OF_AN_END if getattr(args, name)), None):
        raise UsageError(f"--{refused} can't be used with -H swarm: it has the end of a run's output, as text.")
    for one in args.ids:
        tail = swarm_client(context).call("swarm_tail", {"id": one})
        if tail["state"] in {"queued", "claimed", "lost"}:
            context.note(display_safe(_as_it_runs(tail, context)))
        write_out(tail["tail"] if args.raw else _lines(tail, args, context))
    return 0


_NOT_OF_AN_END = ("timestamps", "events", "cast", "since", "until", "stdout", "stderr", "previous", "run", "label")
"""Options of `logs` for what only the hive that ran it has."""


def _lines(tail: dict[str, Any], args: Namespace, context: Context) -> str:
    """The end of a run's output as `logs` shows it: another machine wrote it, and it may hold anything."""
    from overmind_core.cli.follow_logs import LinePrinter, line_renderer  # start-up: only here
    from overmind_core.logs.display import readable_lines  # start-up, as above
    from overmind_core.logs.layout import OUT  # start-up, as above

    renderer = line_renderer(tail["format"]) if tail.get("format") else None
    texts = readable_lines(
        tail["tail"].encode(), renderer, colour=coloured(context.environ), cut=tail.get("cut") is True
    )
    found = [text for _, _, text in LinePrinter(pattern=args.grep).matching([(0.0, OUT, text) for text in texts])]
    first = 0 if args.tail is None else max(len(found) - args.tail, 0)
    return "".join(f"{text}\n" for text in found[first:])


def _as_it_runs(tail: dict[str, Any], context: Context) -> str:
    """Say where the log of a post that has not ended can be seen."""
    runs, overmind = _where(tail, context)
    if overmind is not None:
        return f"{runs}. See its log as it runs: {overmind} logs {tail['name']}"
    end = f"{runs}: the swarm has the end of its log once it has ended."
    if tail["state"] == "queued" or tail["hive"] is None:
        return end
    return f"{end} As it runs, where {tail['hive']} is a named hive: overmind hive add {tail['hive']} HOST"


def _only_at_its_hive(command: str, post: str, context: Context) -> str:
    """Say where what the swarm can't do with a post can be done."""
    tail = swarm_client(context).call("swarm_tail", {"id": post})
    runs, overmind = _where(tail, context)
    name = display_safe(tail["name"])
    if overmind is not None:
        return display_safe(f"{runs}, where this can be done: {overmind} {command} {name}")
    if tail["state"] in {"claimed", "lost"}:
        hint = f"Name that hive first: overmind hive add {tail['hive']} HOST"
        return display_safe(f"{command} is done at the hive that runs it. {runs}. {hint}")
    return display_safe(
        f"{command} is done at the hive that runs it, and none does: {runs}. See: overmind why {SWARM}/{name}"
    )


def _where(tail: dict[str, Any], context: Context) -> tuple[str, str | None]:
    """Say how a post stands, and with what a command begins that goes to its hive; None: none does."""
    name, hive = tail["name"], tail["hive"]
    if tail["state"] not in {"claimed", "lost"} or hive is None:
        return f"{name} {stands(tail['state'])}", None
    runs = f"{name} runs on {hive}" if tail["state"] == "claimed" else f"{name} is lost with {hive}"
    if tail["here"] and context.hive is None:
        return f"{runs}, this hive", "overmind"
    from overmind_core.client.hives.config import hive_tables  # start-up
    from overmind_core.client.hives.pool_hives import is_instance  # start-up

    is_named = hive in hive_tables(context.home.config) or is_instance(context.home.config, hive)
    return runs, f"overmind -H {hive}" if is_named else None


def _quests(args: Namespace, context: Context) -> int:
    rows: list[dict[str, Any]] = swarm_client(context).call("swarm_posts", {"all": True})
    found = [row for row in rows if row["kind"] == "quest"]
    if args.json:
        context.print(dumps(found))
    elif found:
        context.print(table(TITLES, [_cells(row) for row in found]))
    else:
        context.hint("The swarm has no quests. Post one with: overmind quest add 'Docs' --on any -- make docs")
    return 0


def _add(args: Namespace, context: Context) -> int:
    args.on = args.on or {}
    return add_to_swarm(args, context)


def _retry(args: Namespace, context: Context) -> int:
    if args.message is not None:
        raise UsageError("--message can't be used with -H swarm: the next hive begins with what was posted.")

    def line(answer: Any) -> str:  # noqa: ANN401 - of the API
        return queued_line(answer)

    requests = [{"id": one} for one in args.ids]
    return call_each(context, swarm_client(context), "swarm_retry", requests, line=line, as_json=args.json)


def _inbox(args: Namespace, context: Context) -> int:
    rows: list[dict[str, Any]] = swarm_client(context).call("swarm_inbox")
    if args.json:
        context.print(dumps(rows))
        return 0
    shown = [{**row, "question": f"{SWARM}/{row['question']}", "name": f"{SWARM}/{row['name']}"} for row in rows]
    if shown:
        context.print(inbox_text(shown, time.time(), bold=coloured(context.environ)))
    else:
        context.hint("No post of the swarm needs your attention. See what it holds with: overmind ps -H swarm")
    return 0


def _answer(args: Namespace, context: Context) -> int:
    answered = swarm_client(context).call("swarm_answer", answer_request(args))
    sentence = f"Answered question {SWARM}/{answered['question']} of {answered['name']}: {answer_text(args, answered)}"
    context.print(dumps(answered) if args.json else display_safe(sentence))
    return 0


_COMMANDS: dict[str, Callable[[Namespace, Context], int]] = {
    "ps": _ps,
    "stop": _cancel,
    "kill": _cancel,
    "logs": _logs,
    "wait": wait_there,
    "quest wait": wait_there,
    "quest add": _add,
    "quest list": _quests,
    "quest cancel": _cancel,
    "quest retry": _retry,
    "inbox": _inbox,
    "answer": _answer,
    **queue_there.COMMANDS,
    **specs_there.COMMANDS,
}
