"""`overmind completion`: what bash, zsh and fish read to complete the command line."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.table import Command, argument, option
from overmind_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

SHELLS = ("bash", "zsh", "fish")
KINDS = ("live", "finished", "all", "plans", "quests", "rituals")


def completion(args: Namespace, context: Context) -> int:
    """Print the script of a shell, or what the script asks for."""
    if args.list is not None:
        from overmind_core.cli.completion.candidates import candidates

        found = candidates(context.home, args.list)
        if found:
            context.say("\n".join(found))
        return 0
    if args.shell is None:
        raise UsageError(f"Missing shell: {', '.join(SHELLS)}. See: overmind completion --help")
    from overmind_core.cli.completion.shells import script

    context.say(script(args.shell).rstrip())
    return 0


COMMAND = Command(
    name="completion",
    summary="print what a shell reads to complete commands, missions, statuses and signals",
    arguments=[argument("shell", "bash, zsh or fish", nargs="?", metavar="shell", choices=SHELLS)],
    options=[
        option(
            "--list",
            "KIND",
            "print names and ids of missions: live, finished or all; of plans, quests or rituals; the scripts ask so",
            choices=KINDS,
        )
    ],
    examples=[
        'eval "$(overmind completion bash)"                    # in ~/.bashrc',
        "overmind completion zsh > ~/.zfunc/_overmind          # a folder of fpath",
        "overmind completion fish > ~/.config/fish/completions/overmind.fish",
    ],
    run=completion,
)
