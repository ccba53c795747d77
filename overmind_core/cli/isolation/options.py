"""The options that say whether a mission gets a worktree, ports and services of its own."""

from __future__ import annotations

from overmind_core.cli.command import flag, grouped, option
from overmind_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

_ISOLATION = [
    flag("--isolate", "run in its own worktree, with its own ports (the default where there is a .overmind.yml)"),
    flag("--no-isolate", "run in this folder, even where there is a .overmind.yml"),
    option("--base", "BRANCH", "isolate it, begin at this branch, and merge into it (default: the current checkout)"),
]
ISOLATION = grouped("Where it runs", _ISOLATION)
SENDING = grouped("Where it runs", [flag("--dirty", "with -H and --isolate: send uncommitted work, too")])


def given_isolation(args: Namespace) -> dict[str, bool | str]:
    """Return what was given of `ISOLATION`, by its name on the socket.

    Raises:
        UsageError: they exclude each other.
    """
    if args.isolate and args.no_isolate:
        raise UsageError("Give --isolate or --no-isolate, not both.")
    if args.base is not None:
        if args.no_isolate:
            raise UsageError("Give --base or --no-isolate, not both.")
        return {"isolate": True, "base": args.base}
    return {"isolate": bool(args.isolate)} if args.isolate or args.no_isolate else {}
