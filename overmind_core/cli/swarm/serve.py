"""`hive serve`: be an instance of a pool, in the foreground, until it is idle or told to end."""

from __future__ import annotations

import contextlib
import os
import sys
import time

from overmind_core.cli.command import Command, option
from overmind_core.cli.context import Context, forbid_inside
from overmind_core.cli.hives.elsewhere import INSIDE
from overmind_core.cli.values import label, whole_number
from overmind_core.domain.swarm.instance_names import is_instance_name, is_pool_name, swarm_and_instance
from overmind_core.domain.text.duration import DurationError, parse_duration
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any, NoReturn

    from overmind_core.system.paths import Home

IDLE = 600.0
"""Seconds."""
YOUNG = 30.0
"""Seconds that a home of this instance may have been there while its daemon is not up yet."""
ORDER = "instance.json"
_MOST_READ = 1 << 16


def serve(args: Namespace, context: Context) -> NoReturn:
    """Make a new home, and become its daemon."""
    forbid_inside(context, INSIDE)
    if args.pool is None or args.instance is None:
        raise UsageError("Give --pool and --instance: overmind hive serve --pool hpc --instance hpc-7")
    invitation = _invitation(args, context)
    if invitation["pool"] != args.pool:
        raise OvermindError("invalid", f"This is an invitation of pool {invitation['pool']}, not of {args.pool}.")
    home = _new_home(args.instance)  # of two swarms of this account each has its own
    apart = swarm_and_instance(args.instance)
    order = {
        "invitation": invitation,
        "pool": args.pool,
        "instance": args.instance if apart is None else apart[1],
        "idle": IDLE if args.idle is None else args.idle,
        "slots": 1 if args.slots is None else args.slots,
        "labels": dict(args.label),
    }
    from overmind_core.client.daemon import exec_daemon  # start-up, as below
    from overmind_core.system.paths import write_private
    from overmind_core.wire import quick_json

    _copy_settings(context.home, home)
    path = os.path.join(home.root, ORDER)
    write_private(path, quick_json.encode(order))
    exec_daemon(home, ephemeral=True, instance=path)


def _invitation(args: Namespace, context: Context) -> dict[str, str]:
    """Read it from a file or from standard input: no list of processes shows it."""
    from overmind_core.system.small_file import read_small_file  # start-up
    from overmind_core.wire import quick_json  # start-up

    path = args.invitation or context.home.pool_invitation(args.pool)
    try:
        data = sys.stdin.buffer.read(_MOST_READ) if path == "-" else read_small_file(path)
    except OSError as error:
        raise OvermindError("forbidden", f"{path} can't be read: {error.strerror}.") from None
    if data is None:
        raise OvermindError(
            "not_found",
            f"There is no invitation of pool {args.pool} at {path}. An owner of the swarm makes one:"
            f" overmind swarm invite {args.pool} --role worker --pool",
        )
    try:
        found: Any = quick_json.decode(data.decode())
        return {name: str(found[name]) for name in ("pool", "url", "key")}
    except (ValueError, KeyError, TypeError):  # nothing of it is quoted
        where = "Standard input" if path == "-" else path
        raise OvermindError("invalid", f"{where} is no invitation of a pool.") from None


def _new_home(instance: str) -> Home:
    """Make the home: new, on a local disk, for this account alone.

    Raises:
        OvermindError: `busy`, this instance runs on this machine; `forbidden`, the folder can't be ours.
    """
    from overmind_core.system.paths import Home, HomeUnsafe, instance_home, make_instance_home  # start-up, as below
    from overmind_core.system.remove_tree import remove_tree

    path = instance_home(instance, os.geteuid())
    try:
        try:
            make_instance_home(instance, os.geteuid())
        except FileExistsError:
            if not is_left(path):
                message = f"Instance {instance} runs on this machine already, in {path}."
                raise OvermindError("busy", message) from None
            remove_tree(path)
            make_instance_home(instance, os.geteuid())
        remove_left(os.path.dirname(path))
    except HomeUnsafe as error:
        raise OvermindError("forbidden", f"{error}.") from None
    except OSError as error:
        raise OvermindError("forbidden", f"{path} can't be made: {error.strerror}.") from None
    return Home(path)


def is_left(path: str) -> bool:
    """Whether the home of an instance was left by one that was killed together with its keeper."""
    from overmind_core.system.lock import holder_pid  # start-up, as below
    from overmind_core.system.paths import Home

    home = Home(path)
    held = any(holder_pid(lock) is not None for lock in (home.supervisor_lock, home.keeper_lock))
    return not held and time.time() - os.lstat(path).st_ctime >= YOUNG


def remove_left(folder: str) -> None:
    """Remove what other instances have left here: the key of their pool may be in it."""
    from overmind_core.system.remove_tree import remove_tree  # start-up

    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        with contextlib.suppress(OSError):  # somebody else removes it, too
            if is_left(path):
                remove_tree(path)


def _copy_settings(account: Home, home: Home) -> None:
    """Have the account's settings count: what it accepts, where its programs are."""
    from overmind_core.system.paths import write_private  # start-up
    from overmind_core.system.small_file import read_small_file  # start-up

    try:
        data = read_small_file(account.config)
    except OSError as error:
        raise OvermindError("invalid_config", f"{account.config} can't be read: {error.strerror}.") from None
    if data is not None:
        write_private(home.config, os.fsdecode(data))


def _pool(word: str) -> str:
    if not is_pool_name(word):
        raise ValueError(f"{word!r} can't be the name of a pool")
    return word


def instance_name(word: str) -> str:
    """Check the name of an instance."""
    if not is_instance_name(word):
        raise ValueError(f"{word!r} can't be the name of an instance: it has letters, digits, '.', '_' and '-'")
    return word


def _seconds(word: str) -> float:
    try:
        return parse_duration(word)
    except DurationError as error:
        raise ValueError(str(error)) from None


COMMANDS = (
    Command(
        name="hive serve",
        options=[
            option("--pool", "NAME", "the pool", parse=_pool),
            option("--instance", "NAME", "the name under which the pool has asked for it", parse=instance_name),
            option("--idle", "TIME", "leave after so long without work (default: 10m)", parse=_seconds),
            option("--slots", "N", "how many posts at once (default: 1)", parse=whole_number),
            option(
                "--label",
                "KEY=VALUE",
                "label by which posts choose hives (repeatable)",
                short="-l",
                parse=label,
                repeat=True,
            ),
            option("--invitation", "FILE", "invitation of the pool; - reads it (default: the one kept in the home)"),
        ],
        examples=["overmind hive serve --pool hpc --instance overmind-1a2b3c4d-hpc-7 --idle 10m --slots 4 -l gpu=yes"],
        notes=(
            "A pool's engine runs it; see `pool list`. It joins as hpc-7, once, and leaves nothing behind: all "
            "that it runs ends with it, and it ends with its parent. SIGTERM gives what runs 20 s, and the rest back."
        ),
        run=serve,
    ),
)
