"""`overmind --headless run`: one mission, from nothing to nothing."""

from __future__ import annotations

from overmind_core.cli.agent import is_agent
from overmind_core.cli.commands import run as attended
from overmind_core.cli.context import Context
from overmind_core.cli.headless.options import REPORTS
from overmind_core.cli.limits import warn
from overmind_core.cli.table import Command, flag
from overmind_core.domain.cells import display_safe
from overmind_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.client.calls import Client

_ELSEWHERE = frozenset({"--wait", "--json"})
"""Options of `run` that mean something else here."""


def run(args: Namespace, context: Context) -> int:
    """Run the mission, show it, report on it; return its exit status."""
    from overmind_core.cli.headless.frame import Frame  # start-up: --help needs none

    if args.type == "session" and is_agent(args):
        raise UsageError("A session waits for messages, and nobody can send any here: leave out --type session")
    request = attended.request_of(args, context.environ)
    warn(args.timeout, context)
    frame = Frame(args, context, "run")
    return frame.run(lambda client: [_begin(args, context, client, request)])


def _begin(args: Namespace, context: Context, client: Client, request: Mapping[str, Any]) -> str:
    from overmind_core.cli.isolation.trusting import call  # start-up: --help needs none

    mission = call(context, client, "run", request, trust=args.trust)
    if note := mission.get("note"):
        context.note(display_safe(str(note)))
    return str(mission["id"])


COMMAND = Command(
    name="--headless run",
    summary="run one mission to its end in the foreground, and leave nothing",
    rest="CMD...",
    options=[
        *REPORTS,
        *(option for option in attended.COMMAND.options if not _ELSEWHERE.intersection(option.names)),
        flag("--trust", "trust the project's .overmind.yml, for this run: it may run its commands"),
        flag("--wait", "changes nothing: it always waits"),
        flag("--json", "sum up as one line of JSON"),
    ],
    examples=[
        "overmind --headless run 'make test && make install'",
        "overmind --headless run --junit report.xml --timeout 10m -- pytest -x",
        "overmind --headless --timeout 1h run --restart on-failure ./flaky",
        "overmind --headless run --provider claude --allow 'Bash(npm test)' 'run the tests and say what fails'",
    ],
    notes=(
        "Streams the output, sums up on stderr, and exits with the command's code (128+N for a signal, 124 after a\n"
        "timeout). INT or TERM stop everything within 5 seconds (130, 143), a second one kills. State and logs are in\n"
        "a temporary folder, which is removed on success and named on failure. On GitHub Actions it writes\n"
        "annotations and a step summary as well. What an agent asks there and no rule answers is denied."
    ),
    run=run,
)
