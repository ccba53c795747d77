"""Commands about isolation: isolate, trust, ports."""

from __future__ import annotations

from overmind_core.cli import caller_environment
from overmind_core.cli.command import JSON, YES_TO_ALL, Command, flag
from overmind_core.cli.context import Context, confirmed
from overmind_core.cli.isolation.trust import (
    FOLDER,
    QUESTION,
    explanation_text,
    is_wrong,
    print_problems,
    project_file_error,
    project_request,
    trust_lines,
)
from overmind_core.cli.output import STATUS_COLOURS, coloured, dumps, or_absent, table
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import FAILED, OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping
    from typing import Any

    Row = Mapping[str, Any]


def isolate(args: Namespace, context: Context) -> int:
    """Explain; exit status 1 when it would not work."""
    request = project_request(args, context)
    client = context.client(start=True)
    with context.waiting_for_git("isolate", [request["cwd"]]):
        answer = client.call("isolate", request)
    context.print(dumps(answer) if args.json else explanation_text(answer))
    return FAILED if is_wrong(answer) else 0


ISOLATE = Command(
    name="isolate",
    arguments=[FOLDER],
    options=[flag("--check", "no effect; explaining is the default"), JSON],
    examples=["overmind isolate --check", "overmind isolate --check ~/src/shop", "overmind isolate --check --json"],
    notes=(
        "Reads the project's .overmind.yml and checks git, the ports and the container engine. Creates nothing and "
        "runs nothing. Exits with 1 when something is wrong. Write such a file with: overmind init --isolation"
    ),
    run=isolate,
)


def trust(args: Namespace, context: Context) -> int:
    """Show what the file runs, ask, and record it as it is now."""
    if args.folder is not None and "#" in args.folder and "//" in args.folder:
        return _trust_genome(args, context)
    request = project_request(args, context)
    client = context.client(start=True)
    if args.revoke:
        answer = client.call("trust", {**request, "revoke": True})
        context.print(dumps(answer) if args.json else f"No longer trusted: {display_safe(answer['path'])}")
        return 0
    with context.waiting_for_git("isolate", [request["cwd"]]):
        seen = client.call("isolate", request)
    folder = seen["source"] or request["cwd"]
    if seen["path"] is None and (seen["repository"] or not seen["problems"]):
        raise _no_file(folder)
    if seen["problems"] and not seen["sha256"]:
        print_problems(context, seen["problems"])
        raise project_file_error(seen)
    if seen["path"] is None:
        raise _no_file(folder)
    if not seen["trusted"]:
        write = context.note if args.json else context.print
        for line in trust_lines(seen["path"], seen["commands"], changed=seen["changed"]):
            write(line)
        if not confirmed(QUESTION, yes=args.yes):
            return FAILED
    answer = client.call("trust", {**request, "sha256": seen["sha256"]})
    done = "Already trusted" if seen["trusted"] else "Trusted"
    context.print(dumps(answer) if args.json else f"{done}: {display_safe(answer['path'])}")
    return 0


def _no_file(folder: str) -> OvermindError:
    return OvermindError("not_found", f"{folder} has no .overmind.yml. Write one: overmind init --isolation")


def _trust_genome(args: Namespace, context: Context) -> int:
    """The same of a file in git from which blueprints take agents."""
    from overmind_core.cli.isolation.genome import fetched_genome  # start-up: few take agents from git

    genome = fetched_genome(args.folder)
    client = context.client(start=True)
    request = {"cwd": "/", "genome": genome.file, "sha256": genome.sha256}
    if args.revoke:
        answer = client.call("trust", {**request, "revoke": True})
        context.print(dumps(answer) if args.json else f"No longer trusted: {display_safe(answer['path'])}")
        return 0
    write = context.note if args.json else context.print
    for line in trust_lines(f"{genome.file} at {genome.commit[:12]}", genome.commands, changed=False):
        write(line)
    if not confirmed(QUESTION, yes=args.yes):
        return FAILED
    answer = client.call("trust", request)
    context.print(dumps(answer) if args.json else f"Trusted: {display_safe(answer['path'])}")
    return 0


TRUST = Command(
    name="trust",
    arguments=[FOLDER],
    options=[flag("--revoke", "revoke the trust"), YES_TO_ALL, JSON],
    examples=[
        "overmind trust",
        "overmind trust ~/src/shop --yes",
        "overmind trust --revoke",
        "overmind trust 'https://example.com/agents.git//review.toml@v3#review'",
    ],
    notes=(
        "The path and SHA-256 of the file are recorded: after a change, overmind asks again. The file is read from "
        "your checkout, never from an agent's worktree. Without a terminal, trust prints the commands of the file "
        "and trusts it without asking."
    ),
    run=trust,
)


HERE = flag("--here", "only those of the current repository")
COLUMNS: dict[str, Callable[[Row], str]] = {
    "PORT": lambda row: str(row["port"]),
    "MISSION": lambda row: row["mission"],
    "NAME": lambda row: or_absent(row["name"]),
    "STATUS": lambda row: or_absent(row["status"]),
    "SERVICE": lambda row: or_absent(row["service"]),
    "HELD": lambda row: "yes" if row["held"] else "no",
}
"""Title → cell of a row of `ports --json`."""


def ports(args: Namespace, context: Context) -> int:
    """Print a line per port."""
    request = {"cwd": caller_environment.working_directory(None)} if args.here else {}
    rows = [row for row in context.client().call("ports", request)["ports"] if row["held"] or args.all]
    if args.json:
        context.print(dumps(rows))
        return 0
    if not rows:
        context.hint("No mission has a port. Start one with: overmind run --isolate 'make test'")
    colours = STATUS_COLOURS if coloured(context.environ) else None
    context.print(table(list(COLUMNS), [[cell(row) for cell in COLUMNS.values()] for row in rows], colours=colours))
    return 0


PORTS = Command(
    name="ports",
    options=[flag("--all", "include ports reserved for ended missions", short="-a"), HERE, JSON],
    examples=["overmind ports", "overmind ports --json | jq '.[] | select(.service == \"web\") | .port'"],
    notes=(
        "A live mission keeps its ports, and the work of a quest keeps them until its check has ended: no other "
        "mission gets them. A mission restarted later gets the same port if it is free. STATUS is that of the service "
        "that has the port, or of the mission. SERVICE - is the mission's own port, which it reads from PORT; "
        "minio/9001 is a further port of the service minio, in MINIO_PORT_9001."
    ),
    run=ports,
)

COMMANDS = (ISOLATE, TRUST, PORTS)
