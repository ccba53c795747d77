"""`overmind gate`: what another machine's overmind runs here, over ssh, to ask this home."""

from __future__ import annotations

from overmind_core.cli.command import Command, option
from overmind_core.cli.context import Context
from overmind_core.domain.hives import OWNER, ROLES
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace


def gate(args: Namespace, context: Context) -> int:
    """Serve one channel on standard input and output."""
    if args.instance is not None:
        import os  # start-up, as below

        from overmind_core.system.paths import instance_home

        folder = instance_home(args.instance, os.geteuid())
        if not os.path.isdir(folder):
            raise OvermindError("not_found", f"Instance {args.instance} of a pool does not run on this machine.")
        context.use_home(folder)
    from overmind_core.client.daemon import prepare_home  # start-up: --help needs none
    from overmind_core.gate.server import Gate, facts_of_machine

    if args.instance is None:  # that of an instance is there, and goes with it
        prepare_home(context.home)
    Gate(context.home, role=args.role or OWNER, name=args.name).serve(facts_of_machine(context.home))
    return 0


def _instance(word: str) -> str:
    from overmind_core.domain.swarm.instance_names import is_instance_name  # start-up: for gates of pools

    if not is_instance_name(word):
        raise ValueError(f"{word!r} can't be the name of an instance")
    return word


def person(word: str) -> str:
    """Check the name in which somebody comes through a gate."""
    import re  # start-up: for names alone

    from overmind_core.domain.actor import CLIENT  # same

    if re.search(CLIENT, f"gate:{word}") is None:
        raise ValueError(f"{word!r} is not a name: it has lower-case letters, digits and -, at most 32")
    return word


GATE = Command(
    name="gate",
    options=[
        option("--as", "NAME", "in whose name everything is done", parse=person, attribute="name"),
        option("--instance", "NAME", "instance of a pool that runs on this machine", parse=_instance),
        option("--role", "ROLE", "the rights that come with it: viewer, operator or owner (default)", choices=ROLES),
    ],
    examples=["ssh eu1.example.com overmind gate", "overmind gate --as alice --role operator"],
    notes=(
        "overmind hive add starts it by itself. For a shared account, overmind hive invite prints the line that gives "
        "a person's key no more than a gate."
    ),
    run=gate,
)

COMMANDS = (GATE,)
