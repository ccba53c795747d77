"""`overmind demo`: real missions that show everything, started once and removed without a trace."""

from __future__ import annotations

import contextlib
import fcntl
import os

from overmind_core.cli import caller_environment
from overmind_core.cli.command import JSON, Command, argument, flag
from overmind_core.cli.context import Context, report_error
from overmind_core.cli.output import dumps
from overmind_core.demo.project import LABEL, SHOP, DemoMission, demo_missions, free_name, is_demo_mission
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import FAILED, OvermindError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from overmind_core.client.client import Client

    Row = Mapping[str, Any]

STOP, SPEC = "stop", "spec"
NEXT = "Next: overmind tui · overmind inbox (answer its question) · overmind demo stop (removes everything)"
FINAL = frozenset({"stopped", "crashed", "killed"})
_ROUNDS = 5
"""How often is looked for what a mission started while it was being ended."""
_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""


def demo(args: Namespace, context: Context) -> int:
    """Start the missions, or remove them; the same for a spec."""
    if args.action == SPEC:
        return _stop_spec(args, context) if args.then == STOP else _start_spec(args, context)
    if args.then is not None:
        raise UsageError(f"overmind demo {args.action} takes no {args.then}. See: overmind demo --help")
    return _stop(args, context) if args.action == STOP else _start(args, context)


def _root(context: Context) -> str:
    return os.path.join(context.home.root, "demo")


@contextlib.contextmanager
def _locked(context: Context) -> Iterator[None]:
    """Lock the demonstration: nobody else starts or removes it meanwhile. Leaves no file: the home itself is locked."""
    home = os.open(context.home.root, os.O_RDONLY)
    try:
        fcntl.flock(home, fcntl.LOCK_EX)
        yield
    finally:
        os.close(home)


# starting


def _start(args: Namespace, context: Context) -> int:
    client = context.client(start=True)
    client.connect()  # a daemon that is started must not inherit the lock
    with _locked(context):
        demonstration = _Demonstration(client, context)
        demonstration.clear()
        answers = demonstration.start_missing()
    _report(args, context, demonstration, answers)
    if any(isinstance(answer, OvermindError) for answer in answers.values()):
        return FAILED
    return 0 if args.json else _open_tui(args, context)


class _Demonstration:
    """The missions of the demonstration: which live, and which are missing.

    Attributes:
        there: The live mission of a part.
        missing: The other parts.
    """

    def __init__(self, client: Client, context: Context) -> None:
        import shutil

        self._client = client
        self._context = context
        self.root = _root(context)
        rows = client.call("ps", {"all": True})
        self._taken = {row["name"] for row in rows if row["status"] not in FINAL}
        ours = [row for row in rows if is_demo_mission(row, to_wire(self.root))]
        self.there: dict[str, Row] = {row["labels"][LABEL]: row for row in ours if row["status"] not in FINAL}
        self._finished = [row for row in ours if row["status"] in FINAL]
        self.parts = demo_missions(root=self.root, shell="bash" if shutil.which("bash") else "sh")
        self.missing = [part for part in self.parts if part.name not in self.there]

    def clear(self) -> None:
        """Make room for those that are missing."""
        from overmind_core.demo import project

        gone = [row for row in self._finished if row["labels"][LABEL] not in self.there]
        self._client.call_each("rm", [{"id": row["id"]} for row in gone])
        if not self.there:
            project.remove(self.root)
        if "agent" not in self.there:  # it is going to change the files: they begin as they were
            project.write(self.root, self._context.environ)

    def start_missing(self) -> dict[str, Row | OvermindError]:
        """Start what is missing, one after the other, so that lists show them in this order; what came of each."""
        return {part.name: self._client.call_each("run", [self._request(part)])[0] for part in self.missing}

    def _request(self, part: DemoMission) -> dict[str, Any]:
        return {
            **part.request,
            "name": free_name(part.name, self._taken),
            "labels": {LABEL: part.name},
            "cwd": to_wire(os.path.join(self.root, SHOP)),
            "umask": caller_environment.current_umask(),
            "env": caller_environment.inherited_variables(self._context.environ, clean=False),
            "env_set": dict(part.environment),
            "request": os.urandom(_REQUEST_KEY).hex(),
        }


def _report(
    args: Namespace, context: Context, demonstration: _Demonstration, answers: Mapping[str, Row | OvermindError]
) -> None:
    shown = []
    for part in demonstration.parts:
        answer = answers.get(part.name)
        if isinstance(answer, OvermindError):
            report_error(answer, context)
            continue
        mission = demonstration.there[part.name] if answer is None else answer
        shown.append({"id": mission["id"], "name": mission["name"], "demo": part.name, "started": answer is not None})
        if not args.json:
            begun = "Started mission" if answer is not None else "Already running: mission"
            context.print(f"{begun} {mission['id']} ({mission['name']}): {part.about}")
    if args.json:
        context.print(dumps(shown))


def _open_tui(args: Namespace, context: Context, following: str = NEXT, words: Sequence[str] = ()) -> int:
    """Say how it goes on; where a person can see it, open the full-screen program."""
    from overmind_core.cli.daemon import exec_tui, is_on_terminal  # only when all went well

    context.note(following)
    if is_on_terminal() and not args.no_tui:
        exec_tui(context, words)
    return 0


def _start_spec(args: Namespace, context: Context) -> int:
    from overmind_core.cli import demo_spec  # start-up: for those who want it

    client = context.client(start=True)
    client.connect()  # as above
    with _locked(context):
        slug = demo_spec.start(args, context, client)
    following = (
        f"Next: overmind board · overmind inbox · overmind answer {slug} allow (each time it asks) · "
        "overmind demo spec stop (removes everything)"
    )
    return 0 if args.json else _open_tui(args, context, following, ["--view", "board"])


# removing


def _stop(args: Namespace, context: Context) -> int:
    """Remove the missions, live or not, and their folder; with nothing there that is done already."""
    from overmind_core.cli import demo_spec  # start-up: for those who want it
    from overmind_core.cli.demo_notes import purge_notes
    from overmind_core.demo import project

    root = _root(context)
    there = os.path.isdir(root)
    client = context.client(start=there)
    removed: list[Row] = []
    try:
        client.connect()
        with _locked(context):
            removed = _remove_all(client, to_wire(root))
            purge_notes(client, {row["id"] for row in removed}, root)
            project.remove(root)
    except OvermindError as error:
        if there or error.code != "daemon_not_running":
            raise
    if args.json:
        context.print(dumps([{"id": row["id"], "name": row["name"]} for row in removed]))
    else:
        context.print(_count(len(removed)) if removed else "No demo missions here")
        if os.path.isdir(demo_spec.root_of(context)):
            context.note("The demo spec is still there. Remove it with: overmind demo spec stop")
    return 0


def _stop_spec(args: Namespace, context: Context) -> int:
    """Remove the spec with its quests, live or not, and its folder; with nothing there that is done already."""
    from overmind_core.cli import demo_spec  # start-up: for those who want it

    root = demo_spec.root_of(context)
    there = os.path.isdir(root)
    client = context.client(start=there)
    removed = demo_spec.Removed()
    try:
        client.connect()
        with _locked(context):
            removed = demo_spec.remove(client, root)
    except OvermindError as error:
        if there or error.code != "daemon_not_running":
            raise
    if args.json:
        context.print(dumps({"specs": removed.specs, "quests": removed.quests, "missions": removed.missions}))
    else:
        context.print(removed.line() if there or removed.specs else "No demo spec here")
    return 0


def _count(number: int) -> str:
    return f"Removed {number} demo mission{'s' if number > 1 else ''}"


def _remove_all(client: Client, root: str) -> list[Row]:
    """End ours and forget them; those that one of them started meanwhile, too.

    Raises:
        OvermindError: one can't be removed; what came first.
    """
    removed: list[Row] = []
    problems: list[OvermindError] = []
    for _ in range(_ROUNDS):
        ours = [row for row in client.call("ps", {"all": True}) if is_demo_mission(row, root)]
        if not ours:
            return removed
        live = [{"id": row["id"]} for row in ours if row["status"] not in FINAL]
        answers = [*client.call_each("kill", live), *client.call_each("rm", [{"id": row["id"]} for row in ours])]
        problems = [answer for answer in answers if isinstance(answer, OvermindError)] or problems
        removed += [row for row, answer in zip(ours, answers[len(live) :], strict=True) if _is_gone(answer)]
    raise problems[0] if problems else OvermindError("busy", "Something keeps starting demo missions. Try again.")


def _is_gone(answer: Row | OvermindError) -> bool:
    return not isinstance(answer, OvermindError) or answer.code == "not_found"


DEMO = Command(
    name="demo",
    arguments=[
        argument("action", "start (default) or stop; spec: a spec instead", nargs="?", choices=("start", STOP, SPEC)),
        argument("then", "stop, after spec: remove it", nargs="?", choices=(STOP,)),
    ],
    options=[flag("--no-tui", "don't open the full-screen program afterwards (on a terminal)"), JSON],
    examples=[
        "overmind demo",
        "overmind demo --no-tui",
        "overmind demo stop",
        "overmind demo spec",
        "overmind demo spec stop",
    ],
    notes=(
        "Starts a build, a flaky worker, a service, a shell, and two scripted agents, which start two more: eight "
        "missions in all. One agent works, asks for a permission and a choice, answers messages, costs nothing, and "
        "starts the tests. The other one learns something and writes a note, which the agent that it starts is given. "
        "All have the label demo "
        "and run in the folder demo of the home. A part that is already running is not started again. "
        "demo spec starts a spec whose agents are scripted: in about a minute it gets from a brief to merged work, and "
        "asks you three times. It needs git, and works in the folder demo-spec of the home."
    ),
    run=demo,
)

COMMANDS = (DEMO,)
