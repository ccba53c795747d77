"""Commands that put work into the queue and change it there: quest add, quest edit, quest retry."""

from __future__ import annotations

import os

from overmind_core.cli import caller_environment
from overmind_core.cli.agents.options import (
    AGENT,
    RAW,
    agent_options,
    given_limits,
    provider_of,
    refuse_agent_options,
)
from overmind_core.cli.command import JSON, Command, Parameter, argument, grouped, option
from overmind_core.cli.context import STDIN, Context, call_each, text_of
from overmind_core.cli.definitions.run import RUN_OPTIONS, given_command, given_work, request_key
from overmind_core.cli.finished import quest_line
from overmind_core.cli.missions.watch import KEEP_WAITING, EndWaiter, wait_for_ends
from overmind_core.cli.output import dumps
from overmind_core.cli.quests.board import PRIORITIES
from overmind_core.cli.quests.commands import quest_ids
from overmind_core.cli.swarm.run_on import QUEST_OPTIONS, take_context, with_variables
from overmind_core.cli.values import (
    deadline,
    dollars_or_none,
    duration,
    milliseconds,
    mission_name,
    names,
    or_nothing,
    run_seconds,
    tokens_or_none,
    whole_number,
)
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import INTERRUPTED, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    Quest = Mapping[str, Any]


_GOAL = [
    option("--brief", "TEXT", "the whole task, in Markdown; - reads standard input", dashes=True),
    option(
        "--needs", "QUEST", "quests that must complete, and land, first: a,b (repeatable)", parse=names, repeat=True
    ),
    option("--needs-min", "K", "so many of --needs are enough (default: all)", parse=whole_number),
    option("--priority", "LEVEL", "critical, high, medium or low (default medium)", choices=PRIORITIES),
    option("--deadline", "TIME", "when it has to be done: 2h, 17:30 or a date", parse=or_nothing(deadline)),
    option("--owns", "GLOB", "files that no other quest may change while it runs (repeatable)", repeat=True),
    option(
        "--outputs",
        "NAME",
        "file that each try has to leave in $OVERMIND_OUTPUT_DIR (repeatable)",
        repeat=True,
    ),
    option("--check", "CMD", "shell command that checks the work, run in the same place; exit code 0 means done"),
    option("--review", "WHO", "reviewer of the work: person, or an agent such as claude"),
    option("--into", "BRANCH", "branch on which the work begins and lands, in a worktree of its own"),
    option("--verify", "CMD", "with --into: shell command that has to succeed on the merged work"),
    Parameter("--allow-empty", action="store_true", help="with --into: done also where nothing was changed"),
    option("--retries", "N", "retry up to N times if the work fails (default 2)", parse=whole_number),
    option(
        "--estimate", "TIME", "how long it takes (default: as long as such quests took)", parse=or_nothing(duration)
    ),
    option("--group", "NAME", "label by which the board groups it"),
]
GOAL = grouped("The quest", _GOAL)
"""What makes work a quest of the queue."""
_TEXTS = (
    "brief",
    "needs_min",
    "priority",
    "deadline",
    "check",
    "review",
    "into",
    "verify",
    "retries",
    "estimate",
    "group",
)
"""Options whose values travel under the same name, as they are."""
_LISTS = ("owns", "outputs")
PROVIDER = option(
    "--provider",
    "NAME",
    "agent that does it, such as claude; CMD is its prompt, if any (default: raw with a CMD, else [queue] agent)",
)
FILE = option("--file", "FILE", "add a quest for each line, a JSON object; - reads standard input", short="-f")
WAIT = Parameter("--wait", action="store_true", help="wait until they have ended, and exit with their code")
_LEFT_OUT = frozenset({
    "--type", "--restart", "--max-restarts", "--max-seconds", "--detach", "--tty", "--rm", "--parent", "--wait",
})  # fmt: skip
"""Options of `run` that mean nothing here: a quest is a task, is tried again by --retries, and begins by itself."""
_IN_OTHER_WORDS = {
    "--name": option("--name", "NAME", "name (default: made of the title)", short="-n", parse=mission_name),
    "--backoff": option(
        "--backoff",
        "TIME",
        "pause before the first retry, in ms; doubles up to 60s (default: [queue] backoff)",
        parse=milliseconds,
    ),
    "--activity-timeout": option(
        "--activity-timeout",
        "TIME",
        "kill it after this long without output; 0 = never (default for agents: [queue] activity_timeout)",
        parse=duration,
    ),
}
"""Options of `run` with another default here."""


def run_options_of_queue() -> Iterator[Parameter]:
    """Yield the options of `run` that mean something for work of the queue, with its defaults."""
    for one in RUN_OPTIONS:
        name = _long(one)
        if name in _IN_OTHER_WORDS:
            yield from grouped(one.group, [_IN_OTHER_WORDS[name]])
        elif name not in _LEFT_OUT:
            yield one


_OF_ALL = frozenset({
    "--file", "--wait", "--keep-waiting", "--json", "--cwd", "--clean-env", "--on", "--cpu", "--mem", "--pack",
    "--on-lost", "--lease", "--secret", "--context",
})  # fmt: skip
"""Options that mean something for the quests of a file, too."""


def quest_add(args: Namespace, context: Context) -> int:
    """Add one, or all of a file; with --wait stay until they have ended."""
    from overmind_core.cli.isolation.trust import call_trusted  # start-up: --help needs none

    variables = take_context(args, context)
    if args.on is not None:
        return _post(args, context, variables)
    _refuse_placement(args)
    client = context.client(start=True)
    if args.file is not None:
        from overmind_core.cli.quests.quest_file import QuestFile

        _refuse_options_of_one(args)
        # on another hive folders count from one of that machine
        cwd = (args.cwd or "") if context.hive is not None else caller_environment.working_directory(args.cwd)
        file = QuestFile.read(args.file, cwd)
        quests = [with_variables(one, variables) for one in file.quests]
        with file.places():
            added = call_trusted(context, client, "quest_add", _request(args, context, quests))["quests"]
    else:
        quest = with_variables(new_quest(args, context.environ), variables)
        added = call_trusted(context, client, "quest_add", _request(args, context, [quest]))["quests"]
    if args.json:
        context.print(dumps([_brief(one) for one in added] if args.file is not None else _brief(added[0])))
    else:
        for one in added:
            (context.note if args.wait else context.print)(_queued(one))
    if args.file is None and args.rest:
        from overmind_core.cli.definitions.missing_program import warn_of_missing_program  # start-up: as above

        undo = f"overmind quest cancel {added[0]['name']}"
        way = f"A text about the quest goes with --brief, and --provider claude has an agent do it. Undo: {undo}"
        warn_of_missing_program(args, context, QUEST_ADD, way)
    return _wait(context, added, keep_waiting=args.keep_waiting) if args.wait else 0


def add_to_swarm(args: Namespace, context: Context) -> int:
    """Post one, or all of a file, to the swarm.

    Raises:
        UsageError: it is of another kind.
    """
    return _post(args, context, take_context(args, context))


def _post(args: Namespace, context: Context, variables: Mapping[str, str]) -> int:
    from overmind_core.cli.swarm.quest_on import post_quests  # start-up: for posts alone

    if args.wait:
        raise UsageError(
            "--wait is about quests of this machine. Wait for one of the swarm with: overmind quest wait swarm/NAME"
        )
    if args.base is not None:
        raise UsageError("--base can't be used with --on. Write --into BRANCH: the work begins there, and lands there")
    if args.file is None:
        quest = with_variables(new_quest(args, context.environ), variables)
        return post_quests(args, context, [quest], request_key())
    from overmind_core.cli.quests.quest_file import QuestFile

    _refuse_options_of_one(args)
    file = QuestFile.read(args.file, caller_environment.working_directory(args.cwd))
    quests = [with_variables(one, variables) for one in file.quests]
    with file.places():
        return post_quests(args, context, quests, request_key())


def _refuse_placement(args: Namespace) -> None:
    for name in ("cpu", "mem", "pack", "on_lost", "lease", "secret"):
        if getattr(args, name):
            option_ = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option_} needs --on. For example: overmind quest add 'Docs' --on any -- make docs")


def _request(args: Namespace, context: Context, quests: Sequence[Quest]) -> dict[str, Any]:
    return {
        "quests": quests,
        **context.starting_place(args.cwd, clean=args.clean_env),
        "request": request_key(),
    }


def _brief(quest: Quest) -> dict[str, str]:
    return {"id": quest["id"], "name": quest["name"]}


def _queued(quest: Quest) -> str:
    return f"Quest queued: {quest['id']} ({quest['name']})"


def _wait(context: Context, quests: Sequence[Quest], *, keep_waiting: bool) -> int:
    """Tell as each ends; return the first exit status that isn't 0, in their order."""
    ends = EndWaiter([quest["id"] for quest in quests], any_one=False, command="quest_wait")

    def say(end: Mapping[str, Any]) -> None:
        context.note(quest_line(context, end))

    try:
        return wait_for_ends(context, ends, say, keep_waiting=keep_waiting)
    except KeyboardInterrupt:
        from overmind_core.cli.quests.left import note_left  # start-up: for those alone who stop waiting

        left = {quest["id"]: quest for quest in quests}
        note_left(context, [left[one] for one in ends.pending])
        return INTERRUPTED


def _refuse_options_of_one(args: Namespace) -> None:
    """Refuse what belongs into the lines of the file.

    Raises:
        UsageError: something of that was given.
    """
    given = [_long(one) for one in ADD_OPTIONS if getattr(args, one.attribute) not in (None, False, [])]
    wrong = [name for name in given if name not in _OF_ALL]
    if args.title is not None or args.rest:
        wrong.insert(0, "a title")
    if wrong:
        raise UsageError(f"--file and {wrong[0]} can't be used together: each line of the file describes a quest")


def _long(one: Parameter) -> str:
    return next(name for name in one.names if name.startswith("--"))


def new_quest(args: Namespace, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return a quest as the request `quest_add` has it.

    Raises:
        UsageError: there is no title, or something contradicts itself.
        OvermindError: something that no program can be given.
    """
    if args.title is None:
        raise UsageError("Missing title. See: overmind quest add --help")
    if args.brief == STDIN and args.rest == [STDIN]:
        raise UsageError("Standard input can be the brief or the prompt, not both")
    return {
        "title": args.title,
        **given_goal(args),
        **({"needs": _names(args.needs)} if args.needs else {}),
        **_lists_from_top(args),
        **given_work(args, environ),
        **given_limits(args),
        **_doer(args),
    }


def _lists(args: Namespace) -> dict[str, list[str]]:
    """Return what was given of `_LISTS`, by its names on the socket."""
    return {name: given for name in _LISTS if (given := getattr(args, name))}


def _lists_from_top(args: Namespace) -> dict[str, list[str]]:
    """Return the same, where absolute paths of the checkout around the quest's folder begin at its top."""
    lists = _lists(args)
    if any(one.startswith("/") for one in lists.get("owns", ())):
        from overmind_core.spec_files.repository import repository_around  # start-up: for absolute patterns alone

        folder = from_wire(caller_environment.working_directory(getattr(args, "cwd", None)))
        top = repository_around(os.path.realpath(folder))
        lists["owns"] = [(_from_top(one, top) if top else None) or one for one in lists["owns"]]
    return lists


def _from_top(pattern: str, top: str | None = None) -> str | None:
    """Return the absolute path of something in a checkout as a pattern that begins at its top; None for any other.

    Args:
        pattern: As it was typed; its folder may be reached through a link.
        top: Of the checkout; None: any one.
    """
    from overmind_core.spec_files.repository import repository_around  # start-up: for absolute patterns alone

    if not pattern.startswith("/"):
        return None
    names = pattern.split("/")
    plain = next((at for at, name in enumerate(names) if _GLOB & set(name)), len(names))
    if plain == len(names) and os.path.lexists(os.path.join(os.path.realpath(pattern), ".git")):  # a top itself
        names.append("**")
    plain = min(plain, len(names) - 1)  # the last may be a link that is meant
    folder = os.path.realpath("/".join(names[:plain]) or "/")
    top = top or repository_around(folder)
    if top is None or not f"{folder}/".startswith(f"{top}/"):
        return None
    return "/".join((folder[len(top) :], *names[plain:]))


_GLOB = frozenset("*?[\\")
"""Characters that mean something else than themselves in a pattern."""


def given_goal(args: Namespace) -> dict[str, Any]:
    """Return what was given of `GOAL`, but for lists, by its names on the socket."""
    given = {name: value for name in _TEXTS if (value := getattr(args, name)) is not None}
    given |= {"brief": text_of([args.brief])} if args.brief is not None else {}
    return given | ({"allow_empty": True} if args.allow_empty else {})


def _names(given: Sequence[Sequence[str]]) -> list[str]:
    return [name for part in given for name in part]


def _doer(args: Namespace) -> dict[str, Any]:
    """Who does it: a command, an agent with or without a prompt, or whom the queue has for that.

    Raises:
        UsageError: an option for agents, and no agent.
        OvermindError: `empty_command`, `too_large`.
    """
    provider = provider_of(args)
    if provider == RAW or (provider is None and args.rest):
        refuse_agent_options(args)
        command = {"command": given_command(args.rest)} if args.rest else {}
        return command | ({"provider": provider} if provider is not None else {})
    options = agent_options(args) | ({"prompt": text_of(args.rest)} if args.rest else {})
    found: dict[str, Any] = {} if provider is None else {"provider": provider}
    return found | ({"agent": options} if options else {})


ADD_OPTIONS = [FILE, PROVIDER, WAIT, KEEP_WAITING, *GOAL, *run_options_of_queue(), *QUEST_OPTIONS]

QUEST_ADD = Command(
    name="quest add",
    arguments=[argument("title", "the work in one line", nargs="?")],
    rest="[CMD...]",
    options=ADD_OPTIONS,
    examples=[
        "overmind quest add 'Build the site' -- make site",
        "overmind quest add 'Fix the login' --provider claude --check 'pytest -q' --into main",
        "overmind quest add 'Release' --needs build-the-site,fix-the-login --review person -- make release",
        "overmind quest add 'Nightly report' --priority low --deadline 6h -- ./report --mail",
        "overmind quest add 'Port the parser' --provider claude --owns 'src/parser/**' --brief - < brief.md",
        "overmind quest add -f quests.jsonl",
        "overmind quest add 'Test on a GPU' --on gpu=yes --into main -- make test-gpu",
    ],
    notes=(
        "A quest of the queue starts by itself once its needs have completed and a slot is free; see overmind queue. "
        "Its name is made of the title, unless --name says it. -- ends the options.\n\n"
        "Without CMD an agent does it: --provider, else [queue] agent of config.toml. It reads the title and the brief."
        "\n\nA line of a file has the fields of the API, such as "
        '{"title": "Release", "command": "make release", "needs": ["build"], "ref": "release"}; `needs` may name the '
        "`ref` of another line. Either all are added, or none."
    ),
    run=quest_add,
)


NAME = option("--name", "NAME", "new name", short="-n", parse=mission_name)
TITLE = option("--title", "TEXT", "new title", dashes=True)
MAX_COST = option(
    "--max-cost", "USD", "end it once all of its tries cost this much together; 0 = no limit", parse=dollars_or_none
)
MAX_TOKENS = option("--max-tokens", "N", "the same in tokens, such as 500k; 0 = no limit", parse=tokens_or_none)
TIMES = [
    option("--timeout", "TIME", "limit of each try's wall clock; 0 = none", parse=run_seconds),
    option("--activity-timeout", "TIME", "kill it after this long without output; 0 = never", parse=duration),
]
CHANGED_DOER = option("--provider", "NAME", "agent that does it; raw for a command")


def quest_edit(args: Namespace, context: Context) -> int:
    """Change what was given; the rest stays as it is."""
    changes = given_changes(args)
    if not changes:
        raise UsageError("Nothing to change: give an option, such as --priority high, or a command")
    quest = context.client().call("quest_edit", {"id": args.id, **changes})
    context.print(dumps(_brief(quest)) if args.json else f"Quest changed: {quest['id']} ({quest['name']})")
    return 0


def given_changes(args: Namespace) -> dict[str, Any]:
    """Return what is to be changed, as the request `quest_edit` has it; an empty text or list removes what is there.

    Raises:
        UsageError: an absolute path; its checkout may be another one than the quest's.
        OvermindError: something that no program can be given.
    """
    for one in args.owns or ():
        if (inside := _from_top(one)) is not None:
            way = f"write a path from the top of the quest's repository, such as {inside!r}"
            raise UsageError(f"--owns: {one!r} is an absolute path: {way}")
    lists = {name: [one for one in given if one] for name, given in _lists(args).items()}
    same = {
        name: value
        for name in ("title", "name", "max_cost", "max_tokens", "timeout", "activity_timeout", "provider")
        if (value := getattr(args, name)) is not None
    }
    options = agent_options(args)
    return {
        **same,
        **given_goal(args),
        **({"needs": _names(args.needs)} if args.needs else {}),
        **lists,
        **({"command": given_command(args.rest)} if args.rest else {}),
        **({"agent": options} if options else {}),
    }


QUEST_EDIT = Command(
    name="quest edit",
    arguments=[quest_ids(None)],
    rest="[CMD...]",
    options=[TITLE, NAME, CHANGED_DOER, *GOAL, MAX_COST, MAX_TOKENS, *TIMES, JSON, *AGENT],
    examples=[
        "overmind quest edit docs --priority critical",
        "overmind quest edit release --needs build,docs --deadline 17:30",
        "overmind quest edit docs --timeout 20m",
        "overmind quest edit docs -- make docs html",
    ],
    notes=(
        "A quest that is queued or has failed can be changed in every way; while one runs only --priority, --deadline, "
        "--retries, --max-cost, --max-tokens, --timeout and --activity-timeout. An empty value removes what is there, "
        "as in --needs ''; a list replaces the one before."
    ),
    run=quest_edit,
)


MESSAGE = option("--message", "TEXT", "advice for the next try; - reads standard input", short="-m")


def quest_retry(args: Namespace, context: Context) -> int:
    """Give each another round of attempts."""
    more = {} if args.message is None else {"message": text_of([args.message])}
    return call_each(
        context,
        context.client(start=True),
        "quest_retry",
        [{"id": quest, **more} for quest in args.ids],
        line=lambda quest: f"{_queued(quest)}, round {quest['round']}",
        as_json=args.json,
    )


QUEST_RETRY = Command(
    name="quest retry",
    arguments=[quest_ids()],
    options=[MESSAGE, JSON],
    examples=["overmind quest retry docs", "overmind quest retry login -m 'the tests need a database: make db'"],
    notes="For failed and cancelled quests of the queue. Quests that were blocked by them can start again, too.",
    run=quest_retry,
)

COMMANDS = (QUEST_ADD, QUEST_EDIT, QUEST_RETRY)
