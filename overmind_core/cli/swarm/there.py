"""Commands with `-H swarm`, or about `swarm/NAME`: what the swarm holds."""

from __future__ import annotations

from typing import Any

from overmind_core.cli.context import call_each
from overmind_core.cli.output import dumps, or_absent, table, write_out
from overmind_core.cli.swarm.commands import swarm_client
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
    if command.name == "why":
        return command.run(args, context)
    work = _COMMANDS.get(command.name)
    if work is None:
        known = ", ".join(_COMMANDS)
        raise UsageError(f"{command.name} can't be used with -H swarm. These can: {known}. A hive itself: -H NAME")
    return work(args, context)


def _ps(args: Namespace, context: Context) -> int:
    rows: list[dict[str, Any]] = swarm_client(context).call("swarm_posts", {"all": args.all})
    if args.json:
        context.print(dumps(rows))
    elif args.quiet:
        context.print("\n".join(f"swarm/{row['id']}" for row in rows))
    elif rows:
        context.print(table(TITLES, [_cells(row) for row in rows]))
    else:
        context.hint("The swarm holds nothing. Post a run with: overmind run --on any 'make test'")
    return 0


def _cells(row: dict[str, Any]) -> list[str]:
    names = ("id", "name", "kind", "state", "hive", "status", "attempt", "exit_code", "reason")
    return [or_absent(row[name]) for name in names]


def _cancel(args: Namespace, context: Context) -> int:
    def line(answer: Any) -> str:  # noqa: ANN401 - of the API
        if answer["state"] == "cancelling":
            return f"Post {answer['id']} ({answer['name']}) is being ended by its hive"
        return f"Post {answer['id']} ({answer['name']}): {answer['state']}"

    requests = [{"id": one} for one in args.ids]
    return call_each(context, swarm_client(context), "swarm_cancel", requests, line=line, as_json=args.json)


def _logs(args: Namespace, context: Context) -> int:
    if args.follow:
        raise UsageError("The swarm has the end of a log once its run has ended. Follow it at its hive: -H NAME")
    for one in args.ids:
        tail = swarm_client(context).call("swarm_tail", {"id": one})
        if tail["state"] in {"queued", "claimed", "lost"}:
            context.note(f"{tail['name']} is {tail['state']}: the swarm has the end of its log once it has ended.")
        write_out(tail["tail"])
    return 0


_COMMANDS: dict[str, Callable[[Namespace, Context], int]] = {
    "ps": _ps,
    "stop": _cancel,
    "kill": _cancel,
    "logs": _logs,
}
