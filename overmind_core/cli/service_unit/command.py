"""`overmind service`: the daemon as a service of the machine, started at login, and its web server beside it.

A plan of `units` is carried out: the file is written or removed, and the init system called when one answers.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator

from overmind_core.cli.command import Command, argument, flag
from overmind_core.cli.context import Context
from overmind_core.cli.external import ProgramResult, run_program
from overmind_core.cli.service_unit.units import (
    Argv,
    ServicePlan,
    launchd_plan,
    launchd_web_plan,
    systemd_plan,
    systemd_web_plan,
)
from overmind_core.client.daemon import prepare_home
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace

    from overmind_core.system.paths import Home


def service(args: Namespace, context: Context) -> int:
    """Install or remove them, or say what that would do."""
    removal = args.action == "remove"
    plans = plans_for(context, web=args.web, removal=removal)
    if args.dry_run:
        context.print("\n".join(line for plan in plans for line in dry_run_text(plan, removal=removal)))
        return 0
    for plan in plans:
        if removal:
            remove(plan, run_program, context.print)
        else:
            install(plan, context.home, run_program, context.print)
    if not removal and plans[0].advice:
        context.print(plans[0].advice)
    return 0


def plans_for(context: Context, *, web: bool, removal: bool, platform: str = sys.platform) -> list[ServicePlan]:
    """Return what this platform is to have, or to lose, in this order.

    Args:
        context: Whose home.
        web: The web server, too; of a removal, that alone.
        removal: They are to go; the web server always goes with its daemon, if it is there.
        platform: As in `sys.platform`.
    """
    mac = platform == "darwin"
    daemon = (launchd_plan if mac else systemd_plan)(context.home, context.environ)
    server = (launchd_web_plan if mac else systemd_web_plan)(context.home, context.environ)
    if not removal:
        return [daemon, server] if web else [daemon]
    if web:
        return [server]
    return [server, daemon] if os.path.lexists(server.path) else [daemon]


def service_of(context: Context, pid: int, platform: str = sys.platform) -> str:
    """Return the name of the service that runs the daemon with this pid; "": none does."""
    (plan,) = plans_for(context, web=False, removal=False, platform=platform)
    if not os.path.lexists(plan.path):
        return ""
    return plan.name if str(pid) in run_program(*plan.state).output.split() else ""


SERVICE = Command(
    name="service",
    arguments=[argument("action", "install or remove", metavar="action", choices=("install", "remove"))],
    options=[
        flag("--web", "the web server too, with the settings of [web]; remove --web removes it alone"),
        flag("--dry-run", "print the file and the commands, and change nothing"),
    ],
    examples=[
        "overmind service install --dry-run",
        "overmind service install",
        "overmind service install --web",
        "overmind service remove",
    ],
    notes=(
        "The service manages the caller's home. Stopping it stops only the daemon: the missions keep running, and "
        "the next daemon adopts them. To end them too: overmind shutdown"
    ),
    run=service,
)


OURS = "overmind_core"
"""What stands in every file that we wrote: anybody else's is left alone."""

RunProgram = Callable[..., ProgramResult]
Report = Callable[[str], None]


def install(plan: ServicePlan, home: Home, run_program: RunProgram, report: Report) -> None:
    """Write the file and start the service; again is harmless.

    Raises:
        OvermindError: the file is somebody else's or can't be written, or the init system refuses.
    """
    prepare_home(home)
    _write(plan, report)
    judged = run_program(*plan.verify)
    if judged.exit_code and os.path.basename(plan.path) in judged.output:
        report(f"Warning: {plan.verify[0]} says: {judged.output}")
    if _init_system_answers(plan, run_program):
        _run_commands(plan, plan.install, run_program)
        report(f"Service {plan.name} is enabled and running")
    else:
        report(f"{plan.probe[0]} does not answer here. Where it answers, run:\n{_lines(plan.install)}")


def remove(plan: ServicePlan, run_program: RunProgram, report: Report) -> None:
    """Take the service away; the daemon and its missions may go on.

    Raises:
        OvermindError: the file is somebody else's or can't be removed, or the init system refuses.
    """
    if _existing_text(plan) is None:
        report(f"Service {plan.name} is not installed")
        return
    answers = _init_system_answers(plan, run_program)
    if answers:
        _run_commands(plan, plan.remove, run_program)
    try:
        os.unlink(plan.path)
    except OSError as error:
        raise OvermindError("forbidden", f"{plan.path} can't be removed: {error.strerror}.") from None
    report(f"Removed {plan.path}")
    if answers:
        _run_commands(plan, plan.forget, run_program)


def dry_run_text(plan: ServicePlan, *, removal: bool) -> Iterator[str]:
    """What would be done, in parts that a person can read."""
    if removal:
        yield _lines((*plan.remove, ("rm", plan.path), *plan.forget))
    else:
        yield f"{plan.path}:\n\n{plan.text}"
        yield _lines(plan.install)


def _existing_text(plan: ServicePlan) -> str | None:
    """Return the text of the file that is there.

    Raises:
        OvermindError: we have not written it, or can't read it.
    """
    try:
        with open(plan.path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OvermindError("forbidden", f"{plan.path} can't be read: {error.strerror}.") from None
    if OURS not in text:
        raise OvermindError("forbidden", f"{plan.path} was not written by Overmind. Move it away first.")
    return text


def _write(plan: ServicePlan, report: Report) -> None:
    if _existing_text(plan) == plan.text:
        report(f"{plan.path} is up to date")
        return
    fresh = f"{plan.path}.new"
    try:
        os.makedirs(os.path.dirname(plan.path), exist_ok=True)
        with open(fresh, "w", encoding="utf-8") as file:
            file.write(plan.text)
        os.replace(fresh, plan.path)
    except OSError as error:
        raise OvermindError("forbidden", f"{plan.path} can't be written: {error.strerror}.") from None
    report(f"Wrote {plan.path}")


def _init_system_answers(plan: ServicePlan, run_program: RunProgram) -> bool:
    return run_program(*plan.probe).exit_code == 0


def _run_commands(plan: ServicePlan, orders: tuple[Argv, ...], run_program: RunProgram) -> None:
    """Run commands; all but `launchctl bootout`, which fails when there is nothing to unload, must succeed."""
    for argv in orders:
        answer = run_program(*argv, timeout=60.0)
        if answer.exit_code != 0 and "bootout" not in argv:
            raise OvermindError(
                "internal", f"{plan.name}: {shlex.join(argv)} failed: {answer.output or answer.exit_code}"
            )


def _lines(orders: tuple[Argv, ...]) -> str:
    return "\n".join(f"  {shlex.join(argv)}" for argv in orders)


COMMANDS = (SERVICE,)
