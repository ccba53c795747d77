"""`overmind --headless COMMAND`: its commands `run` and `apply`, from nothing to nothing, and the options of all."""

from __future__ import annotations

from overmind_core.cli.agents.options import PROVIDER, is_agent
from overmind_core.cli.command import Command, flag, option
from overmind_core.cli.context import Context
from overmind_core.cli.definitions.run import RUN_OPTIONS, run_request
from overmind_core.cli.parser import parse
from overmind_core.cli.plans.blueprint import FILE, FILENAME, NAME, VAR, apply_request, chosen_file, load
from overmind_core.cli.plans.commands import RERUN
from overmind_core.cli.values import run_seconds
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.cli.headless.outcome import Result
    from overmind_core.client.client import Client


REPORTS = [
    option("--home", "DIR", "keep state and logs in this folder (default: a temporary one, removed on success)"),
    option("--events", "FILE", "write every event to this file, as NDJSON"),
    option("--junit", "FILE", "write a JUnit report to this file"),
]
"""May stand before the command and among its own options; so may `AS_JSON`."""
AS_JSON = flag("--json", "print the summary to stdout as one line of JSON, and the output to stderr")

TOTAL_TIMEOUT = option(
    "--timeout", "TIME", "limit of the whole run; exits with 124 when it runs out", parse=run_seconds
)
"""Only before the command: `run --timeout` limits one run."""


def headless(words: list[str], context: Context) -> int:
    """Run `words`, the command line after `--headless`, and return its exit status."""
    before = parse(HEADLESS, words)
    if not before.rest:
        raise UsageError("Missing command. For example: overmind --headless run 'make test'")
    name, *rest = before.rest
    if name not in HEADLESS_COMMANDS:
        agent = " An agent: overmind --headless run --provider claude 'PROMPT'" if name == "claude" else ""
        raise OvermindError(
            "unknown_command", f"Unknown headless command {name!r}. Choose from: {', '.join(HEADLESS_COMMANDS)}.{agent}"
        )
    command = HEADLESS_COMMANDS[name]
    return command.run(_joined(before, parse(command, rest)), context)


def _joined(before: Namespace, after: Namespace) -> Namespace:
    """Put what stood before the command to what stood behind it, which wins."""
    after.total_timeout = before.timeout
    after.json = after.json or before.json
    for name in ("home", "events", "junit"):
        if getattr(after, name) is None:
            setattr(after, name, getattr(before, name))
    return after


def _no_command(_args: Namespace, _context: Context) -> int:
    raise UsageError("Missing command.")


HEADLESS = Command(
    name="--headless",
    summary="run work in the foreground until it ends, for CI: no daemon, nothing left behind",
    rest="run CMD... | apply FILE",
    options=[*REPORTS, TOTAL_TIMEOUT, AS_JSON],
    examples=[
        "overmind --headless run 'make test'",
        "overmind --headless --timeout 30m run --restart on-failure -- pytest -x",
        "overmind --headless --junit report.xml apply ci.toml",
        "overmind --headless --json apply ci.toml | jq .exit_code",
    ],
    notes="See also: overmind --headless run --help, overmind --headless apply --help",
    run=_no_command,
)


_ELSEWHERE = frozenset({"--wait", "--json", "--tty", "--detach", "--rm"})
"""Options of `run` that mean something else here, or nothing."""


def run(args: Namespace, context: Context) -> int:
    """Run the mission, show it, report on it; return its exit status."""
    from overmind_core.cli.headless.runner import HeadlessRunner  # start-up: --help needs none

    is_session = args.type == "session" or (args.type is None and args.interactive)
    if is_session and is_agent(args):
        option = "--interactive" if args.type is None else "--type session"
        raise UsageError(f"A headless run can't be a session, because no one can send it messages. Leave out {option}")
    request = run_request(args, context)
    runner = HeadlessRunner(args, context, "run")
    return runner.run(lambda client: [_begin(args, context, client, request)])


def _begin(args: Namespace, context: Context, client: Client, request: Mapping[str, Any]) -> str:
    from overmind_core.cli.isolation.trust import call_trusted  # start-up: --help needs none

    mission = call_trusted(context, client, "run", request, trust=args.trust)
    if note := mission.get("note"):
        context.note(display_safe(str(note)))
    return str(mission["id"])


RUN = Command(
    name="--headless run",
    summary="run one mission in the foreground until it ends, and leave nothing behind",
    rest="CMD...",
    options=[
        *REPORTS,
        *(option for option in (PROVIDER, *RUN_OPTIONS) if not _ELSEWHERE.intersection(option.names)),
        flag(
            "--trust",
            "trust the project's .overmind.yml for this run, or with --home for later ones too: its commands can run",
        ),
        flag("--wait", "no effect; it always waits"),
        AS_JSON,
    ],
    examples=[
        "overmind --headless run 'make test && make install'",
        "overmind --headless run --junit report.xml --timeout 10m -- pytest -x",
        "overmind --headless --timeout 1h run --restart on-failure ./flaky",
        "overmind --headless run --provider claude --allow 'Bash(npm test)' 'run the tests and say what fails'",
    ],
    notes=(
        "Streams the output, prints a summary to standard error, and exits with the command's code (128+N for a "
        "signal, 124 after a timeout). INT or TERM stops everything within 5 seconds (130, 143); a second one "
        "kills. State and logs are in a temporary folder, removed on success and named on failure. On GitHub "
        "Actions it also writes annotations and a step summary. No one can answer an agent's questions here: a "
        "request that no rule answers is denied."
    ),
    run=run,
)


def apply(args: Namespace, context: Context) -> int:
    """Run the plan, show all of its agents, report on each; return its exit status."""
    from overmind_core.cli.headless.runner import HeadlessRunner
    from overmind_core.cli.isolation.trust import call_trusted

    args.total_timeout = args.timeout or args.total_timeout
    path = chosen_file(args.file, args.filename, "--headless apply")
    blueprint = load(path, args.var, context, args.name)
    request = apply_request(blueprint, path, context.environ, rerun=args.rerun)
    names = [blueprint.name, *(f"{blueprint.name}/{agent.name}" for agent in blueprint.agents)]
    runner = HeadlessRunner(args, context, "apply", names=names, conclude=_conclude)

    def begin(client: Client) -> list[str]:
        answer = call_trusted(context, client, "apply", request, trust=args.trust)
        if answer["status"] == "unchanged":
            context.note(display_safe(f"overmind: unchanged: nothing of {answer['name']} runs. Its last run was:"))
        elif answer["kept"]:
            context.note(display_safe(f"overmind: kept: {', '.join(answer['kept'])}"))
        if answer["status"] != "unchanged" and all(agent.stays for agent in blueprint.agents):
            context.note("overmind: it has services only, so it goes on until INT, TERM or a timeout")
        return [answer["id"]]

    return runner.run(begin)


def _conclude(client: Client, found: Result) -> Result:
    """Report on the plan's agents, not on the missions that they were."""
    from overmind_core.cli.headless.outcome import PlanResult  # as above

    plan = next((one.id for one in found.outcomes if one.asked), None)
    return found if plan is None else PlanResult(found, client.call("plan", {"id": plan}))


APPLY = Command(
    name="--headless apply",
    summary="run the plan in a file in the foreground until it ends, and leave nothing behind",
    arguments=[FILE],
    options=[
        *REPORTS,
        TOTAL_TIMEOUT,
        FILENAME,
        VAR,
        NAME,
        RERUN,
        flag(
            "--trust",
            "trust the .overmind.yml of its isolated agents for this run, or with --home for later ones too: its "
            "commands can run",
        ),
        flag("--wait", "no effect; it always waits"),
        AS_JSON,
    ],
    examples=[
        "overmind --headless apply ci.toml",
        "overmind --headless --timeout 30m apply ci.toml --var python=3.13 --junit report.xml",
        "overmind --headless --home .ci apply ci.toml --rerun failed",
    ],
    notes=(
        "Streams the output of all agents, each line prefixed with its agent's name, and the plan's narrative. "
        "Prints a summary to standard error, and exits with 0, or with 1 when an agent failed (124 after a "
        "timeout). The JUnit report has a case for each agent. On GitHub Actions the step summary shows the plan "
        "as a graph. Signals, state and logs are as in: overmind --headless run"
    ),
    run=apply,
)

HEADLESS_COMMANDS = {"run": RUN, "apply": APPLY}
"""What `overmind --headless COMMAND` runs."""
