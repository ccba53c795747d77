"""Commands about specs: spec new, spec run, spec sync, spec list, spec show, spec accept, spec archive."""

from __future__ import annotations

import time

from overmind_core.cli import caller_environment
from overmind_core.cli.agents.options import (
    RAW,
    agent_options,
    given_limits,
    provider_of,
    refuse_agent_options,
)
from overmind_core.cli.command import JSON, Command, Parameter, argument, flag, grouped, option
from overmind_core.cli.context import STDIN, Context, text_of
from overmind_core.cli.definitions.run import given_command, given_work, request_key
from overmind_core.cli.output import ABSENT, ascii_text, coloured, dumps, table
from overmind_core.cli.quests.add import run_options_of_queue
from overmind_core.cli.quests.board import PRIORITIES
from overmind_core.cli.quests.rows import seconds_cell, title_cell
from overmind_core.cli.specs.text import (
    CHANGED,
    PHASE_MARKS,
    asked_of,
    changed_text,
    cost_cell,
    held_lines,
    score_cell,
    spec_text,
    ways_out,
    with_changed,
)
from overmind_core.cli.swarm.run_on import QUEST_OPTIONS
from overmind_core.cli.values import dollars_or_none, share, whole_number
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.paragraphs import stands
from overmind_core.errors import FAILED, INTERRUPTED, NEEDS_PERSON, OvermindError, UsageError, while_waiting

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from overmind_core.client.client import Client

    Row = Mapping[str, Any]

COLOURS = {
    "running": "32",
    "working": "32",
    "review": "36",
    "landing": "32",
    "done": "2",
    "archived": "2",
    "failed": "31",
    "stuck": "31",
    "draft": "33",
}
"""State of a spec → SGR number, see ECMA-48."""
OVER = frozenset({"done", "archived"})
"""States of a spec in which nothing goes on, and nobody is waited for."""


def _phases_cell(row: Row) -> str:
    return "".join(PHASE_MARKS[one["state"]].mark for one in row["phases"])


def _tasks_cell(row: Row) -> str:
    tasks: Mapping[str, int] = row["tasks"]
    return f"{tasks.get('completed', 0)}/{sum(tasks.values())}" if tasks else ABSENT


def _age_cell(row: Row) -> str:
    from overmind_core.domain.text.moment import parse_time  # start-up: for the list

    now = time.time()
    return seconds_cell(max(0.0, now - parse_time(row["created_at"], now)))


def _note_cell(row: Row) -> str:
    from overmind_core.domain.engine_questions import FOR_YOU  # start-up: for the list

    held = "" if row.get("held") is None else FOR_YOU
    return changed_text(row) or held or (ABSENT if row["changed_since"] is None else CHANGED)


COLUMNS: dict[str, Callable[[Row], str]] = {
    "SPEC": lambda row: row["slug"],
    "STATE": lambda row: row["state"],
    "PHASES": _phases_cell,
    "TASKS": _tasks_cell,
    "COST": cost_cell,
    "AGE": _age_cell,
    "NOTE": _note_cell,
    "TITLE": title_cell,
}
"""Title → cell of a row of `spec list --json`."""
EMPTY = "There are no specs. Create one with: overmind spec new 'Title' --provider claude"


def spec_id() -> Parameter:
    """Return the spec that a command is about, in `args.id`."""
    return argument("id", "slug, id, or at least 3 characters of the id", metavar="spec")


# new

_GATES = option(
    "--gates", "LIST", "phases that a person approves: explore, requirements, design, tasks, merge; all, none"
)
_THRESHOLD = option("--threshold", "SCORE", "score that a document needs to pass (default 0.7)", parse=share)
_VERIFY = option("--verify", "CMD", "shell command that has to succeed on merged work")
NEW_OPTIONS = [
    option("--brief", "TEXT", "the wish in full, in Markdown; - reads standard input", dashes=True),
    option("--from", "FOLDER", "use the documents in this folder; phases that pass are not run", attribute="folder"),
    _GATES,
    _THRESHOLD,
    _VERIFY,
    option("--priority", "LEVEL", "critical, high, medium or low (default medium)", choices=PRIORITIES),
    option("--retries", "N", "retry each phase and task up to N times (default 2)", parse=whole_number),
    option(
        "--provider",
        "NAME",
        "agent of each phase and task, such as claude (default: raw with a CMD, else [queue] agent)",
    ),
    *(one for one in run_options_of_queue() if not {"--name", "--isolate", "--no-isolate"} & set(one.names)),
]  # fmt: skip


def spec_new(args: Namespace, context: Context) -> int:
    """Create it."""
    from overmind_core.cli.isolation.trust import call_trusted  # start-up: --help needs none

    if args.title is None and args.folder is None:
        raise UsageError("Missing title. See: overmind spec new --help")
    made = call_trusted(context, context.client(start=True), "spec_new", _new_request(args, context))
    if args.rest:
        from overmind_core.cli.definitions.missing_program import warn_of_missing_program  # start-up: as above

        archive = f"overmind spec archive {made['slug']}"
        way = f"A text about the spec goes with --brief, and --provider claude has an agent do it. Undo: {archive}"
        warn_of_missing_program(args, context, NEW, way)
    if made["hidden_by"] is not None:
        hidden = display_safe(f"git ignores {made['folder']}, by {made['hidden_by']}")
        context.note(f"Warning: {hidden}. Remove that line to commit and review the spec.")
    if args.json:
        context.print(dumps({name: made[name] for name in ("id", "slug", "folder")}))
    else:
        context.print(f"Spec created: {made['id']} ({made['slug']})")
        context.hint(f"Run it with: overmind spec run {made['slug']}")
    return 0


def _new_request(args: Namespace, context: Context) -> dict[str, Any]:
    args.isolate = args.no_isolate = False
    args.name = None
    given = {
        name: value
        for name in ("title", "folder", "gates", "threshold", "verify", "priority", "retries")
        if (value := getattr(args, name)) is not None
    }
    work = given_work(args, context.environ)
    work.pop("isolate", None)
    return {
        **given,
        **({"brief": text_of([args.brief])} if args.brief is not None else {}),
        **work,
        **given_limits(args),
        **_agent(args),
        **context.starting_place(args.cwd, clean=args.clean_env),
        "request": request_key(),
    }


def _agent(args: Namespace) -> dict[str, Any]:
    """Who does it, and the rules by which commands of its tasks are judged.

    Raises:
        UsageError: an option for agents, and no agent; words for an agent, which gets its own.
    """
    rules = {"allow": args.allow, "deny": args.deny}
    provider = provider_of(args)
    if provider == RAW or (provider is None and args.rest):
        args.allow = args.deny = []
        refuse_agent_options(args)
        command = {"command": given_command(args.rest)} if args.rest else {}
        return rules | command | ({"provider": provider} if provider is not None else {})
    if args.rest and args.rest != [STDIN]:
        raise UsageError("An agent is told what to do by each phase and task: omit the words, or use --brief")
    options = agent_options(args)
    found: dict[str, Any] = {} if provider is None else {"provider": provider}
    return rules | found | ({"agent": options} if options else {})


NEW = Command(
    name="spec new",
    arguments=[argument("title", "the feature in one line", nargs="?")],
    rest="[CMD...]",
    options=NEW_OPTIONS,
    examples=[
        "overmind spec new 'Shopping carts' --provider claude --brief 'Visitors keep a cart for a week.'",
        "overmind spec new 'Shopping carts' --provider claude --gates all --verify 'make test' --max-cost 20",
        "overmind spec new 'Shopping carts' --allow 'Bash(pytest:*)' -- my-agent --json",
        "overmind spec new --from .overmind/specs/carts --provider claude",
    ],
    notes=(
        "The documents are in .overmind/specs/<slug>/ of the repository, for reviews and for git; they are never "
        "committed by themselves. CMD, or the agent, does each phase and each task. Nothing runs before: overmind "
        "spec run"
    ),
    run=spec_new,
)


# run


def spec_run(args: Namespace, context: Context) -> int:
    """Have it go on, and with --wait tell of what ends."""
    given = {
        name: value
        for name in ("first", "last", "gates", "threshold", "verify", "max_cost")
        if (value := getattr(args, name)) is not None
    }
    client = context.client(start=True)
    answer = client.call("spec_run", {"id": args.id, **given, **_placement(args, context, client)})
    if args.json and not args.wait:
        context.print(dumps({name: value for name, value in answer.items() if name != "ended"}))
    elif not args.json:
        changed = [name for name in ("gates", "threshold", "verify", "max_cost") if name in given]
        ways = ways_out(client, answer) if answer["state"] == "stuck" and not args.wait else ()
        line = run_line(answer, changed, ways, with_held=not args.wait)  # the items of `spec_wait` tell it
        (context.note if args.wait else context.print)(line)
    return _wait(args, context, answer) if args.wait else 0


def _placement(args: Namespace, context: Context, client: Client) -> dict[str, Any]:
    """Where its phases and tasks are done from now on, if that is said.

    Raises:
        OvermindError: `not_pushed`, other hives can't have its code; `no_swarm`.
    """
    if args.here and args.on is not None:
        raise UsageError("--here and --on can't be used together")
    if args.here:
        return {"placement": {"here": True}}
    from overmind_core.cli.swarm.run_on import check  # start-up: few use a swarm

    check(args)
    if args.on is None:
        return {}
    from overmind_core.cli.swarm.code_source import check_branch
    from overmind_core.cli.swarm.commands import swarm_client

    swarm_client(context)
    spec = client.call("spec", {"id": args.id})
    if spec["base"] is not None:
        check_branch(spec["folder"], spec["base"], context)
    return {
        "placement": {
            "on": args.on,
            "cpu": args.cpu or 0.0,
            "memory": args.mem or 0,
            "pack": args.pack,
            "secrets": args.secret,
            "on_lost": args.on_lost or "move",
            "lease": args.lease or 600.0,
        }
    }


def run_line(answer: Row, changed: Sequence[str] = (), ways: Sequence[str] = (), *, with_held: bool = True) -> str:
    """Return how far a spec was brought.

    Args:
        answer: To the request.
        changed: Options of it that have new values.
        ways: Of one that is stuck, see `ways_out`.
        with_held: Also what it waits for while none of its quests runs.
    """
    reached, told = _reached(answer), changed_text(answer)
    held = tuple(held_lines(answer)) if with_held else ()
    if reached:
        return "\n  ".join((reached, *([told] if told else []), *held))
    return "\n  ".join((_unmoved(answer, changed), *(ways or held)))


def _reached(answer: Row) -> str:
    """Return what goes on now, or waits for an answer; "" where nothing does."""
    name = f"Spec {answer['slug']}"
    if answer["queued"] and answer["phase"] is not None:
        return f"{name}: {answer['phase']} queued"
    if answer["synced"]:
        return f"{name}: {answer['synced']} task{'s' if answer['synced'] > 1 else ''} queued"
    if (number := answer["question"]) is not None:
        return f"{name}: waits for question {number}. Answer it with: overmind answer {number} allow"
    if answer["phase"] is not None and answer["state"] == "running":
        return f"{name}: {answer['phase']} {'is running' if answer.get('held') is None else 'waits'}"
    return f"{name}: landing" if answer["state"] == "landing" else ""


def _unmoved(answer: Row, changed: Sequence[str]) -> str:
    stood = with_changed(stands(answer["state"]), answer)
    if not changed:
        return f"unchanged: spec {answer['id']} ({answer['slug']}) {stood}"
    options = ", ".join(f"--{name.replace('_', '-')}" for name in changed)
    return f"Spec {answer['slug']}: {options} changed; it {stood}"


class _Watch:
    """The request by which a spec is waited for, also again after a daemon was lost."""

    def __init__(self, answer: Row) -> None:
        self.spec = answer["id"]
        self.known = list(answer["ended"])
        self.text = ""
        """The sentence about the state in which it ended."""

    def request(self) -> tuple[str, dict[str, Any]]:
        return "spec_wait", {"id": self.spec, "known": self.known}

    def note(self, item: Row, state: str) -> str:
        """Remember that this is known; return the state of the spec after it."""
        if item["what"] == "state":
            self.text = item["text"] or ""
            return str(item["state"])
        self.known.append(item["key"])
        return state


def _wait(args: Namespace, context: Context, answer: Row) -> int:
    from overmind_core.cli.waiting import LOOK_SECONDS, WaitTeller  # start-up: only with --wait
    from overmind_core.client.stream import HEARTBEAT, follow

    watch = _Watch(answer)
    state = answer["state"]
    teller = WaitTeller(
        context, lambda: [answer["id"]], of_quests=False, keep_waiting=True, of_spec=str(answer["slug"])
    )
    try:
        for kind, item in follow(context.client(), watch.request, beat=LOOK_SECONDS):
            if kind == HEARTBEAT:
                teller.is_hopeless()
            elif kind == "item":
                state = watch.note(item, state)
                _show(item, context, json=args.json)
    except KeyboardInterrupt:
        context.note(f"\nSpec {answer['slug']} goes on. See it with: overmind spec show {answer['slug']}")
        return INTERRUPTED
    except OvermindError as error:
        raise while_waiting(error, [str(answer["slug"])]) from None
    if not args.json:
        context.print(display_safe(f"Spec {answer['slug']}: {'; '.join(filter(None, (state, watch.text)))}"))
    is_left = state == "draft" and not (args.last and _has_passed(context.client(), answer, args.last))
    if is_left or state in {"stuck", "failed"}:
        for line in ways_out(context.client(), answer):
            context.note(display_safe(f"  {line}"))
        return FAILED if state == "failed" else NEEDS_PERSON
    if state == "archived":
        slug = display_safe(answer["slug"])
        context.note(f"Spec {slug} was archived. Take it back with: overmind spec archive {slug} --undo")
        return FAILED
    return 0


def _has_passed(client: Client, spec: Row, last: str) -> bool:
    """True once a phase and those before it have passed: an edit may have put something else next."""
    states = {one["phase"]: one["state"] for one in client.call("spec", {"id": spec["id"]})["phases"]}
    return all(states[one] == "passed" for one in tuple(states)[: tuple(states).index(last) + 1])


def _show(item: Row, context: Context, *, json: bool) -> None:
    if json:
        context.print(dumps({name: value for name, value in item.items() if name != "key"}))
    if item["what"] == "held":
        _note_held(item, context)
    elif item["what"] != "state" and not json:
        context.print(ended_line(item))


def _note_held(item: Row, context: Context) -> None:
    """Say what keeps it from going on, and how a person lets it."""
    context.note(display_safe(f"{item['name']} waits: {item['text']}"))
    for command in item["do"]:
        context.note(display_safe(f"  go on with: {command}"))


def ended_line(item: Row) -> str:
    """Return what has ended in one line: `design  passed  0.93  attempt 1  4s`."""
    if item["question"] is not None:
        return f"{item['name']}  review  question {item['question']}: overmind answer {item['question']} allow"
    parts = [item["name"], item["state"]]
    if item["score"] is not None:
        parts.append(score_cell(item["score"]))
    if item["attempt"] is not None:
        parts.append(f"attempt {item['attempt']}")
    if item["seconds"] is not None:
        parts.append(seconds_cell(item["seconds"]))
    return "  ".join(parts)


RUN = Command(
    name="spec run",
    arguments=[spec_id()],
    options=[
        option("--from", "PHASE", "do this phase again, and later phases that depend on the change", attribute="first"),
        option("--to", "PHASE", "stop after this phase", attribute="last"),
        _GATES,
        _THRESHOLD,
        _VERIFY,
        option("--max-cost", "USD", "hold its quests once they cost this much together; 0 = no limit",
               parse=dollars_or_none),
        flag("--wait", "print a line for each phase and task, and exit with 0 when it is done"),
        *(one for one in QUEST_OPTIONS if "--context" not in one.names),
        *grouped("On a hive of the swarm", [flag("--here", "do its phases and tasks on this machine again")]),
        JSON,
    ],
    examples=[
        "overmind spec run carts",
        "overmind spec run carts --to design",
        "overmind spec run carts --from explore --gates none --wait",
        "overmind spec run carts --on any",
    ],
    notes=(
        "Goes on where the spec is: after a crash, after an edit, on another machine. Phases that have passed and that "
        "nothing has changed for are not run again. Options given here stay. With --on each phase and each task is "
        "done by a hive of the swarm, which fetches code and documents from the repository's remote. With --wait the "
        "exit code is 1 when a phase has failed or the spec was archived, and 3 when nothing goes on without a person. "
        "At a gate it names the question, and waits for its answer."
    ),
    run=spec_run,
)  # fmt: skip


# sync


def spec_sync(args: Namespace, context: Context) -> int:
    """Bring its quests to what its tasks say."""
    answer = context.client(start=True).call("spec_sync", {"id": args.id, "dry_run": args.dry_run})
    if args.json:
        context.print(dumps(answer))
        return 0
    kinds = ("created", "updated", "skipped", "conflicts", "cancelled")
    counts = ", ".join(f"{answer[kind]} {kind.removesuffix('s') if answer[kind] == 1 else kind}" for kind in kinds)
    context.print(f"{'Would sync' if args.dry_run else 'Synced'} {answer['slug']}: {counts}")
    for step in answer["steps"]:
        if step["action"] == "conflict":
            context.print(display_safe(f"conflict: {answer['slug']}/{step['task']} has begun, and stays as it is"))
    return 0


SYNC = Command(
    name="spec sync",
    arguments=[spec_id()],
    options=[flag("--dry-run", "only print what would be done"), JSON],
    examples=["overmind spec sync carts", "overmind spec sync carts --dry-run"],
    notes=(
        "New tasks become quests, changed ones change theirs, and quests of removed tasks are cancelled. Quests "
        "that have begun stay as they are, and are named as conflicts. All of it is done, or nothing."
    ),
    run=spec_sync,
)


# looking


def spec_list(args: Namespace, context: Context) -> int:
    """Print them as a table."""
    rows = context.client().call("specs", {"all": True} if args.all else {})
    if args.json:
        context.print(dumps(rows))
        return 0
    if not rows:
        context.hint(EMPTY)
    cells = [[cell(row) for cell in COLUMNS.values()] for row in rows]
    context.print(ascii_text(table(list(COLUMNS), cells, colours=COLOURS if coloured(context.environ) else None)))
    return 0


LIST = Command(
    name="spec list",
    options=[flag("--all", "archived specs, too", short="-a"), JSON],
    examples=["overmind spec list", "overmind spec list --all --json"],
    notes="PHASES shows a mark for each of explore, requirements, design, tasks and sync.",
    run=spec_list,
)


def spec_show(args: Namespace, context: Context) -> int:
    """Print all of one."""
    return print_spec(context.client().call("spec", {"id": args.id}), args, context)


def print_spec(spec: Row, args: Namespace, context: Context) -> int:
    """Print all of a spec, with what is asked about it and its quests."""
    if args.json:
        context.print(dumps(spec))
        return 0
    asked = () if spec["state"] in OVER else asked_of(context.client(), spec)
    context.print(ascii_text(spec_text(spec, asked)))
    return 0


SHOW = Command(
    name="spec show",
    arguments=[spec_id()],
    options=[JSON],
    examples=["overmind spec show carts", "overmind spec show carts --json"],
    notes=(
        "Looks at the folder: a document that somebody has edited is checked at once, without an agent, and later "
        "phases are stale if its content has changed."
    ),
    run=spec_show,
)


# upkeep


def spec_accept(args: Namespace, context: Context) -> int:
    """Take the files as they are."""
    answer = context.client(start=True).call("spec_accept", {"id": args.id})
    if args.json:
        context.print(dumps(answer))
        return 0
    context.print(accepted_line(answer))
    return 0


def accepted_line(answer: Row) -> str:
    """Return what was taken as it is, in one line."""
    count, names = len(answer["files"]), [*answer["phases"], *answer.get("tasks", ())]
    what = [f"{count} file{'s' * (count != 1)}"] if count or not names else []
    what += [display_safe(", ".join(names))] if names else []
    are = "as it is" if count + len(names) == 1 else "as they are"
    return f"Accepted {answer['slug']}: {' and '.join(what)} {are} now"


ACCEPT = Command(
    name="spec accept",
    arguments=[spec_id()],
    options=[JSON],
    examples=["overmind spec accept carts"],
    notes=(
        "Takes the brief, the documents and the files as they are, without running anything: phases are not stale any "
        "more, and the drift that spec show reports is gone. Documents with faults are refused."
    ),
    run=spec_accept,
)


def spec_archive(args: Namespace, context: Context) -> int:
    """Put it away, or take it back."""
    env = caller_environment.inherited_variables(context.environ, clean=False) if args.undo else {}
    answer = context.client(start=True).call("spec_archive", {"id": args.id, "undo": args.undo, "env": env})
    if args.json:
        context.print(dumps(answer))
        return 0
    quests = "1 queued quest is" if answer["quests"] == 1 else f"{answer['quests']} queued quests are"
    done, then = ("Archived", "held") if answer["archived"] else ("Restored", "free")
    context.print(f"{done} {answer['slug']}: {quests} {then}")
    return 0


ARCHIVE = Command(
    name="spec archive",
    arguments=[spec_id()],
    options=[flag("--undo", "take it back"), JSON],
    examples=["overmind spec archive carts", "overmind spec archive carts --undo"],
    notes="Its folder, branch and quests stay; nothing of it starts.",
    run=spec_archive,
)

COMMANDS = (NEW, RUN, SYNC, LIST, SHOW, ACCEPT, ARCHIVE)
