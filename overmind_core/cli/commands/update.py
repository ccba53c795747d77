"""`overmind update`: change a mission that is there, without a restart."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.policy import POLICY, given_policy
from overmind_core.cli.table import JSON, Command, flag, one_id, option
from overmind_core.cli.values import label_change
from overmind_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any


def update(args: Namespace, context: Context) -> int:
    """Send what was given; the rest stays."""
    changes = _changes(args)
    if not changes:
        raise UsageError("Nothing to change. See: overmind update --help")
    answer = context.client().call("update", {"id": args.id, **changes})
    context.say(dumps(answer) if args.json else f"Updated mission {answer['id']}")
    return 0


def _changes(args: Namespace) -> dict[str, Any]:
    changes = given_policy(args)
    if args.name is not None:
        changes["name"] = args.name
    if args.label:
        changes["labels"] = dict(args.label)
    if args.no_leave_background:
        changes["leave_background"] = False
    return changes


COMMAND = Command(
    name="update",
    summary="change a mission's name, labels and policy, without a restart",
    arguments=[one_id()],
    options=[
        option("--name", "NAME", "a new name"),
        option("--label", "KEY=VALUE", "set a label; KEY- removes it (repeatable)", parse=label_change, repeat=True),
        *POLICY,
        flag("--no-leave-background", "end those too at its natural end"),
        JSON,
    ],
    examples=[
        "overmind update api --restart always --max-restarts 0",
        "overmind update api --label team=web --label old-",
    ],
    run=update,
)
