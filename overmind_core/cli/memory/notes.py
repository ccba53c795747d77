"""Commands about notes: remember, recall, notes, note and what changes one, forget, helped, hurt."""

from __future__ import annotations

import time

from overmind_core.cli.command import JSON, YES, Command, Parameter, argument, flag, option
from overmind_core.cli.context import Context, confirmed_removal, report_error
from overmind_core.cli.memory import lines
from overmind_core.cli.memory.asking import (
    KINDS,
    SCOPES,
    Redaction,
    folder,
    found_filters,
    found_options,
    kind_option,
    note_redacted,
    request_key,
    scope_option,
    tag_option,
)
from overmind_core.cli.output import dumps
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import FAILED, OvermindError, UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Answer = Mapping[str, Any]

_LIMIT = 5
MOST_LISTED = 1000
"""Notes of one list."""


def remember(args: Namespace, context: Context) -> int:
    """Write a note, or the next version of one."""
    hidden = Redaction(context.environ)
    request = {
        "text": hidden.words(args.text),
        "kind": args.kind,
        "scope": args.scope,
        "tags": hidden.texts(args.tag),
        "files": hidden.texts(args.file),
        "key": None if args.key is None else hidden.text(args.key),
        "replaces": args.replaces,
        "pin": args.pin,
        "cwd": folder(),
        "redacted": hidden.count,
        "request": request_key(),
    }
    answer = context.client(start=True).call("remember", request)
    note_redacted(context, answer["redacted"])
    versioned = args.key is not None or args.replaces is not None
    context.print(dumps(answer) if args.json else "\n".join(lines.remembered_lines(answer, versioned=versioned)))
    return 0


def recall(args: Namespace, context: Context) -> int:
    """Print the notes that answer a question, the best first."""
    hidden = Redaction(context.environ)
    questions = [*([hidden.words(args.question)] if args.question else []), *hidden.texts(args.also)]
    if not questions:
        raise UsageError("Missing question. For example: overmind recall 'why do the tests need redis?'")
    limit = _LIMIT if args.limit is None else args.limit
    request = {"questions": questions, "remote": args.remote, **found_filters(args, hidden, limit=limit)}
    answer = context.client().call("recall", request)
    now = time.time()
    print_found(args, context, answer["notes"], lambda one: lines.found_lines(one, now), between="\n\n")
    if not answer["notes"] and not args.json:
        context.hint("No note answers that. See all with: overmind notes")
    if answer["why_not"]:
        context.note(display_safe(f"words only: {answer['why_not']}"))
    return 0


def print_found(
    args: Namespace, context: Context, found: Sequence[Answer], line: Callable[[Answer], str], *, between: str
) -> None:
    """Print notes with why each was found; nothing where there are none."""
    if args.json:
        context.print(dumps([{**one["note"], **{name: one[name] for name in ("score", "why", "corrected")}}
                             for one in found]))  # fmt: skip
    elif found:
        context.print(between.join(map(line, found)))


def notes(args: Namespace, context: Context) -> int:
    """List notes."""
    request = {
        **{name: getattr(args, name) for name in ("proposed", "conflicts", "stale", "resting", "all", "kind", "scope")},
        "tag": None if args.tag is None else Redaction(context.environ).text(args.tag),
    }
    print_notes(args, context, request, none=_none(args))
    return 0


def _none(args: Namespace) -> str:
    """Return what a person reads where no note is as asked for, with the command that leads on."""
    conditions = [name for name in ("proposed", "conflicts", "stale", "resting") if getattr(args, name)]
    narrowed = conditions or args.kind or args.tag
    if not narrowed:
        return "No notes here. Write one with: overmind remember TEXT"
    what = "No note is proposed" if conditions == ["proposed"] else "No note is like that"
    if args.all:
        return f"{what}. See all with: overmind notes --all"
    wider = " ".join(["overmind notes", *(f"--{name}" for name in conditions), "--all"])
    return f"{what} here. See those of all repositories with: {wider}"


def print_notes(args: Namespace, context: Context, request: Mapping[str, Any], *, none: str) -> None:
    """Print the notes of the folder that a request means; `none`: the hint where there are none."""
    rows = context.client().call("notes", {**request, "limit": MOST_LISTED, "cwd": folder()})["notes"]
    if args.json:
        context.print(dumps(rows))
    elif rows:
        context.print(lines.notes_table(rows, time.time()))
    else:
        context.hint(none)
    if len(rows) == MOST_LISTED:
        context.note(f"These are the newest {MOST_LISTED:,}. Others are found with: overmind search WORDS")


def note(args: Namespace, context: Context) -> int:
    """Print everything of one note."""
    request = {"note": args.note, "history": args.history, "cwd": folder()}
    found = context.client().call("note", request)
    context.print(dumps(found) if args.json else lines.note_text(found, time.time()))
    return 0


def edit(args: Namespace, context: Context) -> int:
    """Write the next version of a note: from an option, standard input, or an editor."""
    from overmind_core.cli.memory import editing  # start-up: --help needs no editor

    return editing.edit(args, context)


def _set_each(args: Namespace, context: Context, change: str, **more: object) -> int:
    """Ask for one change of each note; a failure stops none of the others."""
    requests = [{"note": one, "change": change, "cwd": folder(), **more} for one in args.notes]
    answers = context.client().call_each("note_set", requests)
    done = [answer for answer in answers if not isinstance(answer, OvermindError)]
    if args.json:
        context.print(dumps(done))
    for answer in answers:
        if isinstance(answer, OvermindError):
            report_error(answer, context)
        elif not args.json:
            context.print(lines.change_line(change, answer["note"], changed=answer["changed"]))
    return 0 if len(done) == len(answers) else FAILED


def changer(change: str) -> Callable[[Namespace, Context], int]:
    """Return the command that asks for one change of each note."""

    def run(args: Namespace, context: Context) -> int:
        return _set_each(args, context, change)

    return run


def promote(args: Namespace, context: Context) -> int:
    """Give a note to more readers."""
    if args.to is None:
        raise UsageError("Missing --to. For example: overmind note promote N-7f3k --to global")
    args.notes = [args.note]
    return _set_each(args, context, "promote", to=args.to)


def forget(args: Namespace, context: Context) -> int:
    """Forget notes; with --purge leave no byte of them."""
    question = f"Purge {', '.join(args.notes)}? Nothing brings them back."
    if args.purge and not confirmed_removal(question, yes=args.yes):
        return FAILED
    client, cwd = context.client(), folder()
    # By their ids: no key means a forgotten note, so that a repeat, sent after the answer was lost, would find none.
    found = [client.call("note", {"note": word, "cwd": cwd}) for word in args.notes]
    answer = client.call("forget", {"notes": [one["id"] for one in found], "purge": args.purge, "cwd": cwd})
    if args.json:
        context.print(dumps(answer["notes"]))
        return 0
    known = set() if args.purge else {one["id"] for one in found if one["state"] == "forgotten"}
    for one in answer["notes"]:
        done = f"{'Purged' if args.purge else 'Forgot'} {one['id']}"
        context.print(f"{one['id']} is forgotten already" if one["id"] in known else done)
        for place in one["still_in"]:
            context.print(f"still in: {display_safe(place)}")
    return 0


def _voter(*, helped: bool) -> Callable[[Namespace, Context], int]:
    def run(args: Namespace, context: Context) -> int:
        hidden = Redaction(context.environ)
        why = None if args.message is None else hidden.text(args.message)
        request = {"notes": args.notes, "helped": helped, "why": why, "cwd": folder()}
        answer = context.client().call("outcome", request)
        if args.json:
            context.print(dumps(answer["notes"]))
            return 0
        for one in answer["notes"]:
            context.print(f"{one['id']} helped {one['helped']}, hurt {one['hurt']}")
        return 0

    return run


_ONE = "a note: its id, at least 4 characters of it behind N-, or its key"


def _note() -> Parameter:
    return argument("note", _ONE)


def named_notes() -> Parameter:
    """The notes that a command is about."""
    return argument("notes", _ONE, nargs="+", metavar="note")


REMEMBER = Command(
    name="remember",
    arguments=[argument("text", "the text, at most 4,000 characters; - reads standard input", nargs="+")],
    options=[
        option(
            "--kind",
            "KIND",
            f"{', '.join(KINDS[:-1])} (default: that of the note that it replaces, else {KINDS[0]})",
            choices=KINDS[:-1],
        ),
        option("--scope", "SCOPE", "mission, repo (default), colony or global", choices=SCOPES),
        option("--tag", "TAG", "a word to find it by (repeatable)", repeat=True),
        option("--file", "GLOB", "a file that it is about, from the top of the repository (repeatable)", repeat=True),
        option("--key", "KEY", "the name by which it is called; writing it again makes the next version"),
        option("--replaces", "NOTE", "the note whose next version this is"),
        flag("--pin", "give it to each new agent of its scope"),
        JSON,
    ],
    examples=[
        "overmind remember 'the tests need redis: make redis' --kind gotcha --file 'tests/**'",
        "overmind remember 'we chose Postgres: the reports need window functions' --kind decision --key db",
        "overmind remember - --key release < steps.md",
    ],
    notes=(
        "A note is for the folder's repository unless --scope says otherwise. The same text makes no second note. "
        "Secrets are replaced before they are stored."
    ),
    run=remember,
)
RECALL = Command(
    name="recall",
    arguments=[argument("question", "the question; - reads standard input", nargs="*")],
    options=[
        option("--question", "QUESTION", "another wording of it (repeatable)", short="-q", repeat=True,
               attribute="also"),
        *found_options(_LIMIT),
        flag("--remote", "ask the Cortex instead of this machine"),
        JSON,
    ],
    examples=[
        "overmind recall 'why do the tests need redis?'",
        "overmind recall 'how is a release made?' -q 'release steps'",
    ],
    run=recall,
)  # fmt: skip
NOTES = Command(
    name="notes",
    options=[
        flag("--proposed", "only proposals, which a person accepts with: overmind note accept"),
        flag("--conflicts", "only those with versions beside each other"),
        flag("--stale", "only those none of whose files is there"),
        flag("--resting", "only those that hurt more than they helped"),
        kind_option(),
        scope_option(),
        tag_option(),
        flag("--all", "also those of other repositories; alone, or with --stale, forgotten ones too"),
        JSON,
    ],
    examples=["overmind notes", "overmind notes --proposed --all", "overmind notes --kind gotcha --scope global"],
    run=notes,
)
NOTE = Command(
    name="note",
    arguments=[_note()],
    options=[flag("--history", "its versions too, newest first"), JSON],
    examples=["overmind note N-7f3k", "overmind note db --history"],
    run=note,
)
NOTE_EDIT = Command(
    name="note edit",
    arguments=[_note()],
    options=[option("--text", "TEXT", "the new text; - reads standard input (default: opens $EDITOR)"), JSON],
    examples=["overmind note edit N-7f3k", "overmind note edit db --text 'we chose Postgres 16'"],
    run=edit,
)
_EXAMPLES = {"accept": "N-7f3k N-2b9d", "pin": "N-7f3k", "unpin": "N-7f3k", "restore": "N-7f3k"}
CHANGERS = tuple(
    Command(
        name=f"note {change}",
        arguments=[named_notes()],
        options=[JSON],
        examples=[f"overmind note {change} {example}"],
        run=changer(change),
    )
    for change, example in _EXAMPLES.items()
)
NOTE_PROMOTE = Command(
    name="note promote",
    arguments=[_note()],
    options=[option("--to", "SCOPE", "repo, colony or global (needed)", choices=SCOPES[1:]), JSON],
    examples=["overmind note promote N-7f3k --to global"],
    run=promote,
)
FORGET = Command(
    name="forget",
    arguments=[named_notes()],
    options=[flag("--purge", "leave no byte of them; nothing brings them back"), YES, JSON],
    examples=["overmind forget N-7f3k", "overmind forget N-7f3k --purge -y"],
    notes="A forgotten note is found and given no more; overmind note restore brings it back.",
    run=forget,
)
_VOTE_OPTIONS = [option("--message", "WHY", "why", short="-m"), JSON]
HELPED = Command(
    name="helped",
    arguments=[named_notes()],
    options=_VOTE_OPTIONS,
    examples=["overmind helped N-7f3k", "overmind helped N-7f3k -m 'the tests passed at once'"],
    run=_voter(helped=True),
)
HURT = Command(
    name="hurt",
    arguments=[named_notes()],
    options=_VOTE_OPTIONS,
    examples=["overmind hurt N-7f3k -m 'redis is no longer used'"],
    run=_voter(helped=False),
)

COMMANDS = (REMEMBER, RECALL, NOTES, NOTE, NOTE_EDIT, *CHANGERS, NOTE_PROMOTE, FORGET, HELPED, HURT)
