"""`overmind monitor`: status and ps, again and again."""

from __future__ import annotations

from overmind_core.cli.commands.ps import FILTERS, ask, shown
from overmind_core.cli.commands.status import text
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command
from overmind_core.cli.watch import redraw

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def monitor(args: Namespace, context: Context) -> int:
    """Show both until ctrl-c."""
    client = context.client()
    args.quiet = False

    def draw() -> str:
        facts = client.call("status")
        rows = ask(args, client)
        if args.json:
            return dumps({"status": facts, "missions": rows})
        return f"{text(facts)}\n\n{shown(args, context, rows)}"

    redraw(draw)


COMMAND = Command(
    name="monitor",
    summary="watch the daemon and its missions, until ctrl-c",
    options=[*FILTERS, JSON],
    examples=["overmind monitor", "overmind monitor --tree --wide"],
    run=monitor,
)
