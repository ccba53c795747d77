"""`overmind --headless apply`: one plan, from nothing to nothing."""

from __future__ import annotations

from overmind_core.cli.blueprint.options import FILE, VAR
from overmind_core.cli.commands.apply import RERUN
from overmind_core.cli.context import Context
from overmind_core.cli.headless.options import REPORTS, TOTAL_TIMEOUT
from overmind_core.cli.table import Command, flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from overmind_core.cli.headless.outcome import Result
    from overmind_core.client.calls import Client


def apply(args: Namespace, context: Context) -> int:
    """Run the plan, show all of its agents, report on each; return its exit status."""
    from overmind_core.cli.blueprint.applying import request_of  # start-up: --help needs none
    from overmind_core.cli.blueprint.load import load
    from overmind_core.cli.headless.frame import Frame
    from overmind_core.cli.isolation.trusting import call

    args.total_timeout = args.timeout or args.total_timeout
    blueprint = load(args.file, args.var, context)
    request = request_of(blueprint, args.file, context.environ, rerun=args.rerun)
    frame = Frame(args, context, "apply", several=True, conclude=_conclude)
    return frame.run(lambda client: [call(context, client, "apply", request, trust=args.trust)["id"]])


def _conclude(client: Client, found: Result) -> Result:
    """Report on the plan's agents, not on the missions that they were."""
    from overmind_core.cli.headless.planoutcome import PlanResult  # as above

    plan = next((one.id for one in found.outcomes if one.asked), None)
    return found if plan is None else PlanResult(found, client.call("plan", {"id": plan}))


COMMAND = Command(
    name="--headless apply",
    summary="run the plan in a file to its end in the foreground, and leave nothing",
    arguments=[FILE],
    options=[
        *REPORTS,
        TOTAL_TIMEOUT,
        VAR,
        RERUN,
        flag("--trust", "trust the .overmind.yml of its isolated agents, for this run: it may run its commands"),
        flag("--wait", "changes nothing: it always waits"),
        flag("--json", "sum up as one line of JSON"),
    ],
    examples=[
        "overmind --headless apply ci.toml",
        "overmind --headless --timeout 30m apply ci.toml --var python=3.13 --junit report.xml",
        "overmind --headless --home .ci apply ci.toml --rerun failed",
    ],
    notes=(
        "Streams the output of all agents, each line behind its agent's name, and the plan's narrative; sums up on\n"
        "stderr, and exits with 0, or with 1 when an agent has failed (124 after a timeout). The JUnit report has a\n"
        "case for each agent. On GitHub Actions the step summary shows the plan as a graph. How it ends otherwise is\n"
        "as with: overmind --headless run"
    ),
    run=apply,
)
