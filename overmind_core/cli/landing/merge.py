"""Commands that land work: `merge`, and `merge-step`, by which a plan lands its agents' work one after the other."""

from __future__ import annotations

import os
import shlex

from overmind_core.cli.command import JSON, Command, argument, flag, one_id, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import coloured, dumps
from overmind_core.domain.missions.lost import plan_again
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import INTERRUPTED, OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping
    from typing import Any

    Json = Mapping[str, Any]


_BEAT = 1.0
"""Seconds after which the time that is shown is old."""
_LANDING = "landing"
_REQUEST_KEY = 16
"""Bytes."""


def merge(args: Namespace, context: Context) -> int:
    """Merge, showing what goes on, and print what came of it."""
    from overmind_core.cli.landing.changes import git_output_shown  # start-up: --help needs none

    if args.squash and args.rebase:
        raise UsageError("--squash and --rebase can't be used together")
    if args.resolve:
        _check_resolve(args, context)
    landing = _Landing(args, context)
    try:
        if context.hive is None:
            with git_output_shown(context):
                done = landing.follow()
        else:
            from overmind_core.cli.hives.landed_here import merge_sent  # start-up: only for another hive

            done = merge_sent(args, context, context.hive)
    except KeyboardInterrupt:
        if context.hive is not None:
            raise
        context.note("\n" + landing.called_off)
        return INTERRUPTED
    except OvermindError as error:
        if error.code == "conflicts":
            _print_conflicts(context, error.fields)
        raise
    if args.json:
        context.print(dumps(done))
    else:
        _print_result(context, done)
    return 0


def _check_resolve(args: Namespace, context: Context) -> None:
    """See that it merges nothing yet, and here."""
    others = {"--squash": args.squash, "--rebase": args.rebase, "--verify": args.verify,
              "--verify-timeout": args.verify_timeout, "--preview": args.preview,
              "--message": args.message, "--with-marks": args.with_marks,
              "--unreviewed": args.unreviewed, "--undo-landed": args.undo_landed}  # fmt: skip
    for name, value in others.items():
        if value:
            raise UsageError(f"--resolve merges nothing yet: use {name} when the agent has finished")
    if context.hive is not None:
        raise UsageError("--resolve is for missions of this machine")


class _Landing:
    """One merge, followed over its stream."""

    def __init__(self, args: Namespace, context: Context) -> None:
        from overmind_core.cli.caller_environment import session_environment  # start-up: --help needs none

        self._context = context
        self._name = args.id
        into = () if args.into is None else ("--into", args.into)
        self._again = shlex.join(("overmind", "merge", args.id, *into, "--resolve")) if args.resolve else ""
        """The command that hands conflicts over once more; "" where it merges."""
        self._step = ""
        self._request = {
            "id": args.id,
            "into": args.into,
            "squash": args.squash,
            "rebase": args.rebase,
            "verify": args.verify,
            **({} if args.verify_timeout is None else {"verify_timeout": args.verify_timeout}),
            "message": None if not args.message else "\n\n".join(args.message),
            "preview": args.preview,
            **({"with_marks": True} if args.with_marks else {}),
            **({"unreviewed": True} if args.unreviewed else {}),
            **({"undo_landed": True} if args.undo_landed else {}),
            **({"resolve": True, "session_env": session_environment(context.environ)} if args.resolve else {}),
            "request": os.urandom(_REQUEST_KEY).hex(),
        }

    def follow(self) -> Json:
        """Show each step until it is over; return what came of it.

        Raises:
            OvermindError: nothing was changed; `daemon_lost`: nobody knows, as no daemon came back.
        """
        from overmind_core.cli.progress import progress_of
        from overmind_core.client.stream import follow

        done: Json = {}
        shown = progress_of(f"Merging {self._name}", self._context.environ)
        try:
            # Asked again when the daemon went away in the middle: the next one knows what came of it by the key.
            for kind, item in follow(self._context.client(start=True), lambda: ("merge", self._request), beat=_BEAT):
                if kind == "item" and "ok" in item:
                    done = item
                elif kind == "item":
                    shown.step(self._text(item))
                shown.tick()
        finally:
            shown.close()
        return done

    @property
    def called_off(self) -> str:
        """What ctrl-c has led to."""
        if self._again:
            return f"Cancelled: the merge may have begun in the worktree of {self._name}. Repeat it with: {self._again}"
        if self._step == _LANDING:
            return (
                f"Cancelled at the last moment: check with `overmind merge {self._name} --preview` whether it landed."
            )
        return f"Cancelled: merging {self._name} changed nothing."

    def _text(self, item: Json) -> str:
        if "verify" in item:
            return f"verifying (overmind logs -f {item['verify']})"
        self._step = item["step"]
        return {"waiting": "waiting for another merge", "merging": f"into {item.get('target')}"}.get(
            self._step, self._step
        )


def _print_result(context: Context, done: Json) -> None:
    if "resolving" in done:
        _print_handed_over(context, done)
        return
    from overmind_core.cli.landing import changes

    commits = f"{len(done['commits'])} commit{'' if len(done['commits']) == 1 else 's'}"
    files = f"{len(done['files'])} file{'' if len(done['files']) == 1 else 's'}"
    if done["merged"]:
        place = f"({done['before'][:9]}..{done['after'][:9]})"
        context.print(display_safe(f"Merged {done['name']} into {done['target']}: {commits}, {files} {place}"))
        return
    refused = done.get("refused")
    can, yet = ("can't", " yet") if refused else ("can", "")
    context.print(display_safe(f"{done['name']} {can} be merged into {done['target']}{yet}: {commits}, {files}"))
    for one in done["commits"]:
        context.print(display_safe(f"  {one['hash'][:9]} {one['subject']}"))
    context.print("\n".join(changes.stat_lines(done["files"], colour=coloured(context.environ))))
    if runs := done.get("runs"):
        context.note(display_safe(f"Before it lands, this has to succeed on the merged work: {runs}"))
    if unreviewed := done.get("unreviewed"):
        context.note(display_safe(f"{unreviewed}, so that merge refuses it without --unreviewed"))
    if refused:
        context.note(display_safe(refused))


def _print_handed_over(context: Context, done: Json) -> None:
    from overmind_core.view.landing import LATER

    name, files = done["name"], done["resolving"]
    count = f"{len(files)} file{' conflicts' if len(files) == 1 else 's conflict'}"
    began = f"Began to merge {done['target']} in the worktree of {name}: {count} ({', '.join(files)})"
    again = f"{name} was started again, and" if done["restarted"] else name
    later = LATER.get(done.get("waits_for") or "", "")  # an older daemon says nothing of it
    context.print(display_safe(f"{began}. {again} resolves them{later} (message {done['message']})."))
    context.hint(display_safe(f"Merge again when it has committed: overmind merge {name} --into {done['target']}"))


def _print_conflicts(context: Context, fields: Json) -> None:
    for one in fields.get("files", ()):
        sides = " and ".join(side["name"] for side in one["missions"])
        context.note(display_safe(f"CONFLICT {one['path']}: {sides}"))


MERGE = Command(
    name="merge",
    arguments=[one_id()],
    options=[
        option("--into", "BRANCH", "branch to merge into; default: the branch it started from"),
        flag("--squash", "merge as one commit"),
        flag("--rebase", "replay its commits on top of the branch"),
        option("--verify", "CMD", "shell command that must succeed on the merged work first; default: the quest's own"),
        option("--verify-timeout", "TIME", "limit of that command; ends the merge too; default: 30m, 0 = never"),
        option(
            "--message",
            "TEXT",
            "message of the merge or of the one commit; several become paragraphs",
            short="-m",
            repeat=True,
        ),
        flag("--preview", "report the commits or conflicts, and merge nothing"),
        flag("--with-marks", "merge files that were committed with the marks of a conflict, too"),
        flag("--unreviewed", "merge the work of a quest whose review is open, or was denied, too"),
        flag("--undo-landed", "merge the work of a quest that would undo what has landed, too"),
        flag("--resolve", "begin the merge in the mission's worktree, and have its agent resolve the conflicts"),
        JSON,
    ],
    examples=[
        "overmind merge red --preview",
        "overmind merge red --verify 'make test'",
        "overmind merge red --into release --squash -m 'Add the cart'",
        "overmind merge red --resolve",
    ],
    notes=(
        "Work is merged and verified in a separate worktree; then the branch moves forward in one step. Where the "
        "branch is checked out, its files are updated too, and the merge is refused if it would change a file that "
        "is not committed there. On a conflict, each file is named with the missions whose changes conflict, and "
        "nothing is changed; --resolve hands the conflicts to the mission's agent, if it is a session. The command of "
        "--verify runs as a mission named <name>/verify, and its log stays. The work of a quest has to pass the "
        "quest's own --verify, and the --check that it has not passed; --verify true merges it all the same. Work "
        "whose --review nobody has accepted is refused; --unreviewed merges it. Work that would undo what has landed "
        "is refused too; --undo-landed merges it. The mission's branch stays unchanged. The work of a "
        "mission of another hive, such as eu1/red, is fetched, and merged here."
    ),
    run=merge,
)


_NOTHING = frozenset({"nothing_to_commit", "not_isolated"})
"""Nothing is uncommitted; or there was nothing at all, so that the worktree was removed."""
_TRIES = 50
"""How often a daemon may go away in the middle: the next one knows whether it landed."""


def merge_step(args: Namespace, context: Context) -> int:
    """Land each; the first that can't be landed is the end."""
    options = list(_options(args))
    named = [_named(word) for word in args.agents]
    landed: list[str] = []
    for number, (agent, mission) in enumerate(named):
        context.print(f"--- {agent} ---")
        try:
            _commit(mission, f"{args.plan}: work of {agent}", context)
            landed += [agent] if _merge(mission, options, context) else []
        except OvermindError as error:
            if error.code == "daemon_lost":
                raise
            left = [name for name, _ in named[number + 1 :]]
            again = plan_again(args.plan or "PLAN", args.file or "FILE")
            message = _stopped_at(error.message, landed, agent, left, again)
            raise OvermindError(error.code, message, **error.fields) from None
    return 0


def _stopped_at(why: str, landed: list[str], agent: str, left: list[str], again: str) -> str:
    """How far it came, in one sentence that names each agent with work, and what goes on with it.

    Args:
        why: The refusal; that nothing was changed is true of this agent alone.
        landed: Agents whose work has landed.
        agent: The one whose work has not.
        left: Those behind it.
        again: The command that goes on with the plan.
    """
    why = why.replace(" Nothing was changed: ", " ").replace(": nothing was changed.", ".").rstrip(".")
    parts = [f"{', '.join(landed)} {'has' if len(landed) == 1 else 'have'} landed"] if landed else []
    parts += [f"{agent} has not"] if landed else [f"{agent} has not landed"]
    parts += [f"{', '.join(left)} {'was' if len(left) == 1 else 'were'} not tried"] if left else []
    fix = "Fix it in its worktree (see: overmind worktrees) or on the branch"
    return f"{', '.join(parts)}: {why}. {fix}, then go on with: {again}"


def _named(word: str) -> tuple[str, str]:
    agent, equals, mission = word.partition("=")
    if not equals:
        raise UsageError(f"{word!r}: write AGENT=MISSION.")
    return agent, mission


def _options(args: Namespace) -> Iterator[str]:
    for name in ("into", "verify"):
        if (value := getattr(args, name)) is not None:
            yield f"--{name}={value}"
    for name in ("squash", "rebase"):
        if getattr(args, name):
            yield f"--{name}"


def _commit(mission: str, message: str, context: Context) -> None:
    """What it left uncommitted is its work, too."""
    try:
        _run(["commit", mission, "-m", message], context)
    except OvermindError as error:
        if error.code not in _NOTHING:
            raise


def _merge(mission: str, options: list[str], context: Context) -> bool:
    """Return whether there was anything to merge. Once more is no mistake: the step may have been interrupted."""
    try:
        _run(["merge", mission, *options], context)
    except OvermindError as error:
        if error.code not in {"nothing_to_merge", "not_isolated"}:
            raise
        context.print("Nothing to merge.")
        return False
    return True


def _run(words: list[str], context: Context) -> None:
    """Run one of our commands, again when the daemon was lost: the second time it has nothing left to do."""
    from overmind_core.cli.main import run  # it imports what imports this

    for left in reversed(range(_TRIES)):
        try:
            run(words, context)
        except OvermindError as error:
            if error.code != "daemon_lost" or not left:
                raise
        else:
            return


MERGE_STEP = Command(
    name="merge-step",
    arguments=[argument("agents", "name and mission of each agent", nargs="+", metavar="agent=mission")],
    options=[
        option("--plan", "NAME", "name of the plan in messages"),
        option("--file", "PATH", "file of the plan in messages"),
        option("--into", "BRANCH", "as in merge"),
        option("--verify", "CMD", "as in merge", dashes=True),
        flag("--squash", "as in merge"),
        flag("--rebase", "as in merge"),
    ],
    examples=["overmind merge-step --plan release --into main api=a1b2c3d4 ui=b2c3d4e5"],
    run=merge_step,
)

COMMANDS = (MERGE, MERGE_STEP)
