"""`overmind search`: notes, runs of agents, or lines of transcripts, that have words."""

from __future__ import annotations

import time

from overmind_core.cli.command import JSON, Command, argument, flag, option
from overmind_core.cli.memory.asking import Redaction, found_filters, found_options
from overmind_core.cli.output import ABSENT, dumps, or_absent, table
from overmind_core.errors import UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace

    from overmind_core.cli.context import Context
    from overmind_core.log_pages.transcript_search import Found, TranscriptHit
    from overmind_core.log_pages.word_query import WordQuery

LIMIT = 50
TITLES = ("ID", "NAME", "WHEN", "WHO", "LINE")
_BEFORE = 20
"""Characters of a line that are shown before the first word, where that is far behind its beginning."""
_FAR = 60
_MOST_NAMED = 3
"""Logs that a sentence names."""
_OF_TRANSCRIPTS = {"since": "--since", "provider": "--provider"}
_OF_NOTES = {"literal": "--literal", "episodes": "--episodes", "scope": "--scope", "kind": "--kind", "tag": "--tag",
             "file": "--file"}  # fmt: skip
"""Attribute → option that means something for one kind of search only."""


def search(args: Namespace, context: Context) -> int:
    """Print the notes, the runs of agents, or the lines of transcripts, that have these words."""
    for attribute, name in (_OF_NOTES if args.transcripts else _OF_TRANSCRIPTS).items():
        if getattr(args, attribute) and args.transcripts:
            raise UsageError(f"{name} and --transcripts can't be used together")
        if getattr(args, attribute):
            raise UsageError(f"{name} is for --transcripts: overmind search --transcripts WORDS")
    return _search_transcripts(args, context) if args.transcripts else _search_notes(args, context)


def _search_notes(args: Namespace, context: Context) -> int:
    from overmind_core.cli.memory import lines  # start-up: transcripts need none of it
    from overmind_core.cli.memory.notes import print_found

    hidden = Redaction(context.environ)
    limit = LIMIT if args.limit is None else args.limit
    request = {
        "words": hidden.words(args.words),
        "literal": args.literal,
        "episodes": args.episodes,
        **found_filters(args, hidden, limit=limit),
    }
    answer = context.client().call("search", request)
    now = time.time()
    if args.episodes:
        if args.json:
            context.print(dumps(answer["episodes"]))
        elif answer["episodes"]:
            context.print("\n".join(lines.episode_line(one, now) for one in answer["episodes"]))
        else:
            context.hint("No run of an agent has these words. Search the notes without --episodes")
        return 0
    print_found(args, context, answer["notes"], lambda one: lines.searched_line(one, now), between="\n")
    if not answer["notes"] and not args.json:
        context.hint("No note has these words. See all with: overmind notes")
    return 0


def _search_transcripts(args: Namespace, context: Context) -> int:
    """Print a row for each hit in the logs of all missions: the daemon says where they are, and what people said."""
    from overmind_core.log_pages.transcript_search import SAID_KINDS, TranscriptSearch, unrecorded  # start-up
    from overmind_core.providers import registry

    query = _query(args)
    if args.provider is not None and not registry.is_known(args.provider):
        raise UsageError(registry.unknown(args.provider))
    limit = LIMIT if args.limit is None else args.limit
    missions = context.client().call("logs", {"kinds": [*SAID_KINDS], "hidden": True})["missions"]
    kept = unrecorded(context.home.logs, {one["id"] for one in missions})
    wanted = [one for one in (*missions, *kept) if args.provider in {None, one.get("provider")}]
    with context.waiting(f"Searching the transcripts of {len(wanted):,} missions …"):
        found = TranscriptSearch(query, limit=limit, since=args.since).run(wanted)
    _print_hits(args, context, query, found)
    if found.has_more and not args.json:
        context.note(f"These are the newest {limit:,}. See more with --limit, or fewer with another word")
    if found.unread:
        from overmind_core.domain.text.cells import display_safe  # start-up: hardly ever

        shown = ", ".join(map(display_safe, found.unread[:_MOST_NAMED]))
        more = ", …" if len(found.unread) > _MOST_NAMED else ""
        context.note(f"Not searched, as a file there is no regular one or can't be read: {shown}{more}")
    return 0


def _query(args: Namespace) -> WordQuery:
    from overmind_core.cli.context import text_of
    from overmind_core.log_pages.word_query import BrokenQuery, parsed  # start-up: as above

    try:
        return parsed([text_of(args.words)] if args.words == ["-"] else args.words)
    except BrokenQuery as error:
        raise UsageError(f"{error}. For example: overmind search --transcripts redis 'rate limit' -cluster") from None


def _print_hits(args: Namespace, context: Context, query: WordQuery, found: Found) -> None:
    from overmind_core.domain.text.moment import format_time  # start-up: as above

    if args.json:
        rows = ({**hit._asdict(), "at": format_time(hit.at)} for hit in found.hits)
        context.print(dumps([{"id": row.pop("mission"), "name": row.pop("name"), **row} for row in rows]))
    elif found.hits:
        context.print(table(TITLES, [_cells(hit, query) for hit in found.hits]))
    else:
        context.hint("No transcript has these words in one line or message. See what there is with: overmind ps --all")


def _cells(hit: TranscriptHit, query: WordQuery) -> list[str]:
    from datetime import datetime  # start-up: --help needs none

    line = hit.line.replace("\t", " ")
    if (place := query.place_in(line)) > _FAR:
        line = f"…{line[place - _BEFORE :]}"
    when = f"{datetime.fromtimestamp(hit.at).astimezone():%Y-%m-%d %H:%M:%S}" if hit.at else ABSENT
    return [hit.mission, or_absent(hit.name), when, hit.who, line]


def _time(word: str) -> float:
    from overmind_core.domain.text.moment import parse_time  # start-up: only where one is given

    return parse_time(word, time.time())


def _unwanted_words(words: list[str]) -> list[str]:
    """Return the words of a search in transcripts, with those that are to be left out, `-cluster`, behind `--`."""
    end = words.index("--") if "--" in words else len(words)
    if "--transcripts" not in words[:end]:
        return words
    valued = {name for one in SEARCH.options if one.takes_value for name in one.names}
    options = {name for one in SEARCH.options for name in one.names} | {"-h"}
    unwanted = {
        at
        for at, word in enumerate(words[:end])
        if len(word) > 1 and word[0] == "-" and word[1] != "-" and word not in options
        and not (at and words[at - 1] in valued)
    }  # fmt: skip
    kept = [word for at, word in enumerate(words[:end]) if at not in unwanted]
    return [*kept, "--", *(words[at] for at in sorted(unwanted)), *words[end + 1 :]]


SEARCH = Command(
    name="search",
    arguments=[argument("words", "the words; - reads standard input", nargs="+")],
    options=[
        flag("--literal", "exactly this text, upper and lower case apart"),
        flag("--episodes", "search what agents did in their runs: prompts, files, commands, errors"),
        flag("--transcripts", "search what people and agents said, and programs wrote, in all logs"),
        option("--since", "WHEN", "with --transcripts: only after this time: 5m (ago), 14:30, 2026-11-20T14:30:00Z",
               parse=_time),
        option("--provider", "NAME", "with --transcripts: only missions of this provider"),
        *found_options(LIMIT),
        JSON,
    ],
    examples=[
        "overmind search redis limiter",
        "overmind search --literal '100%'",
        "overmind search --episodes 'make test'",
        "overmind search --transcripts redis 'rate limit' -cluster --since 7d",
    ],
    notes=(
        "With --transcripts all words, or parts of words, have to be in one line or one message, in any case. Words in "
        "quotes are a phrase; a line with a word behind - is left out. The newest hits come first. The speaker (WHO) "
        "is human, agent, tool, or output: a line that a program wrote."
    ),
    rewrite=_unwanted_words,
    run=search,
)  # fmt: skip

COMMANDS = (SEARCH,)
