"""The lines that commands about notes print. Pure, of answers of the daemon."""

from __future__ import annotations

from overmind_core.cli.output import ABSENT, or_absent, size, table, text_cell
from overmind_core.domain.text.cells import cut, display_safe
from overmind_core.domain.text.decimals import decimal
from overmind_core.domain.text.duration import format_uptime
from overmind_core.domain.text.moment import parse_time

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    Facts = Mapping[str, Any]

GAP = "  "
ONE_LINE = 100
"""Cells of a note's text in one line."""
_INDENT = "  "


def plural(count: int, word: str) -> str:
    """Return `1 note`, `2 notes`."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def age(at: str | None, now: float) -> str:
    """Return how long ago a moment was: `21d`."""
    return ABSENT if at is None else format_uptime(now - parse_time(at, now))


def author(by: Facts) -> str:
    """Return who wrote it, in one word: a person, or a mission by its name."""
    return display_safe(by["person"] or by["name"] or by["mission"] or ABSENT)


def marks(note: Facts) -> list[str]:
    """Return the words for the state of a note; none of a live one."""
    words = [] if note["state"] == "live" else [note["state"]]
    words += [word for word in ("pinned", "rests", "stale") if note[word]]
    return [*words, "conflict"] if note["conflicts"] else words


def votes(note: Facts) -> str:
    """Return `+4 -0`."""
    return f"+{note['helped']} -{note['hurt']}"


def one_line(text: str) -> str:
    """Return a text of any length as one harmless line."""
    return cut(" ".join(clean(text).split()), ONE_LINE)


def clean(text: str) -> str:
    """Return a text as agents are given it: without control sequences, its lines kept."""
    from overmind_core.domain.memory.block import clean as cleaned  # start-up: tables of characters

    return "\n".join(map(display_safe, cleaned(text).split("\n")))


def body(text: str) -> str:
    """Return the text of a note below its head."""
    return "\n".join(f"{_INDENT}{line}".rstrip() for line in clean(text).split("\n"))


def remembered_lines(answer: Facts, *, versioned: bool) -> list[str]:
    """Return the lines about a note that was written. `versioned`: over another one, or under a key."""
    what = f"{answer['id']} ({answer['kind']}, {answer['scope']})"
    if not answer["new"]:
        first = f"Already known: {answer['id']}"
    elif answer["state"] == "proposed":
        first = f"Proposed {what}"
    else:
        first = f"Remembered {what}" + (f", version {answer['version']}" if versioned else "")
    return [first, *(f"similar: {one['id']}  {one_line(one['text'])}" for one in answer["similar"])]


def found_lines(found: Facts, now: float) -> str:
    """Return a note that answers a question: its head, and its text."""
    note = found["note"]
    head = [note["id"], note["kind"], note["scope"], age(note["edited_at"], now), author(note["author"]), votes(note),
            _why(found)]  # fmt: skip
    return "\n".join([GAP.join([*head, *marks(note)]), body(note["text"])])


def _why(found: Facts) -> str:
    corrected = ", ".join(f"{asked}: {meant}" for asked, meant in found["corrected"].items())
    words = ", ".join(found["why"])
    return display_safe(f"{words} ({corrected})" if corrected else words)


def searched_line(found: Facts, now: float) -> str:
    """Return a note that was found, in one line."""
    note = found["note"]
    head = [note["id"], note["kind"], note["scope"], age(note["edited_at"], now)]
    return GAP.join([*head, _marked(note)])


def _marked(note: Facts) -> str:
    """Return its text in one line, behind how it stands."""
    words = [word for word in marks(note) if word != "pinned"]
    return (f"({', '.join(words)}) " if words else "") + one_line(note["text"])


def episode_line(found: Facts, now: float) -> str:
    """Return a run of an agent that was found."""
    mission = f"{found['name']} ({found['mission']})"
    return GAP.join([display_safe(mission), f"run {found['run']}", age(found["at"], now), one_line(found["matched"])])


TITLES = ("ID", "KIND", "SCOPE", "AGE", "AUTHOR", "VOTES", "USED", "TEXT")


def notes_table(notes: Sequence[Facts], now: float) -> str:
    """Return the table of notes."""
    rows = [
        [one["id"], one["kind"], one["scope"], age(one["edited_at"], now), author(one["author"]), votes(one),
         str(one["used"]), text_cell(_marked(one))]
        for one in notes
    ]  # fmt: skip
    return table(TITLES, rows)


def note_text(note: Facts, now: float) -> str:
    """Return everything of one note: aligned lines, its text, and its versions, newest first, where they are there."""
    scope = f"{note['scope']} ({note['repository']})" if note["repository"] else note["scope"]
    edited = f"{age(note['edited_at'], now)} ago (version {note['version']}, {plural(note['versions'], 'version')})"
    used = plural(note["used"], "run") + (f", {age(note['used_at'], now)} ago" if note["used_at"] else "")
    rows = [
        ("Note", note["id"]),
        ("State", ", ".join(dict.fromkeys([note["state"], *marks(note)]))),
        ("Kind", note["kind"]),
        ("Scope", scope),
        ("Key", or_absent(note["key"])),
        ("Tags", or_absent(", ".join(note["tags"]))),
        ("Files", or_absent(", ".join(note["files"]))),
        ("Author", _author_at_length(note["author"])),
        ("From", note["from"]),
        ("Created", f"{age(note['created_at'], now)} ago"),
        ("Edited", edited),
        ("Votes", f"helped {note['helped']}, hurt {note['hurt']}"),
        ("Used", used),
        *((("For", f"next version of {note['proposed_for']}"),) if note["proposed_for"] else ()),
        *(("Conflict", version) for version in note["conflicts"]),
    ]
    head = [f"{name + ':':<10}{display_safe(value)}" for name, value in rows]
    return "\n".join([*head, "", body(note["text"]), *_history(note.get("history", ()), now)])


def _author_at_length(by: Facts) -> str:
    if by["person"]:
        return str(by["person"])
    known = [f"mission {by['mission']}"] if by["mission"] else []  # nobody knows it of a lesson of an older home
    known += [by["agent"]] if by["agent"] else []
    return f"{by['name'] or by['mission']}" + (f" ({', '.join(known)})" if known else "")


def _history(versions: Sequence[Facts], now: float) -> Iterator[str]:
    for one in versions:
        head = [f"version {one['number']}", one["version"], age(one["at"], now), author(one["by"]), one["standing"]]
        yield from ("", GAP.join(head), body(one["text"]))


_CHANGED = {"accept": "Accepted", "pin": "Pinned", "unpin": "Unpinned", "restore": "Restored"}
"""Change of a note → the word that is printed."""
_AIM = {"accept": "live", "restore": "live"}
"""Change → the state of a note that it leads to."""


def change_line(change: str, note: Facts, *, changed: bool) -> str:
    """Return what became of a note; where nothing was changed, how it stands."""
    if change == "promote":
        return f"Promoted {note['id']} to {note['scope']}" if changed else f"{note['id']} is in {note['scope']} already"
    if changed:
        return f"{_CHANGED[change]} {note['id']}"
    if change in {"pin", "unpin"}:
        return f"{note['id']} {'is pinned already' if note['pinned'] else 'is not pinned'}"
    already = " already" if note["state"] == _AIM[change] else ""
    return f"{note['id']} is {note['state']}{already}"


def memory_lines(state: Facts, now: float) -> list[str]:
    """Return the state of memory: whether it is on, what it holds, what waits for a person, the Cortex."""
    return [switch_line(state), *_counts(state), *_cortex(state["cortex"], now)]


def switch_line(state: Facts) -> str:
    """Return whether memory is on."""
    if not state["on"]:
        return display_safe(f"Memory off: {state['reason'] or OFF}")
    by = "words only"
    if state["model"]:
        by = f"{by}: {state['model_error']}" if state["model_error"] else f"words and meaning ({state['model']})"
    return display_safe(f"Memory on, {state['inject']}, {by}")


OFF = "notes stay, none are given, and Overmind proposes none"


def _counts(state: Facts) -> Iterator[str]:
    if state["reason"] is not None:  # nobody could count them
        return
    here = f" ({state['here']} of this repository)" if state["repository"] and state["live"] else ""
    yield f"{plural(state['live'], 'note')}{here}, {size(state['bytes'])}"
    yield from (
        f"{number} {what}. See: overmind notes {option} --all"
        for number, what, option in (
            (state["proposed"], "proposed, waiting for you", "--proposed"),
            (state["resting"], "suspended, because they hurt more than they helped", "--resting"),
            (state["conflicts"], "with two versions", "--conflicts"),
        )
        if number
    )


def _cortex(cortex: Facts | None, now: float) -> Iterator[str]:
    if cortex is None:
        return
    synced = "never synced" if cortex["synced_at"] is None else f"synced {age(cortex['synced_at'], now)} ago"
    parts = [f"{host_of(cortex['url'])} ({cortex['colony']})", synced, f"{cortex['to_send']} to send"]
    yield display_safe(", ".join([*parts, *([cortex["error"]] if cortex["error"] else [])]))


def host_of(url: str) -> str:
    """Return the host of a Cortex, with its port where it has one."""
    return url.partition("://")[2].partition("/")[0] or url


def reindexed_line(answer: Facts) -> str:
    """Return the line about a reindex."""
    gone = f" ({plural(answer['logs_gone'], 'log')} {'is' if answer['logs_gone'] == 1 else 'are'} gone)"
    seconds = decimal(answer["seconds"], 1)
    counts = f"{plural(answer['notes'], 'note')}, {plural(answer['episodes'], 'episode')}"
    return f"Reindexed {counts} in {seconds}s{gone if answer['logs_gone'] else ''}"


def recovered_line(answer: Facts) -> str:
    """Return the line about a recovered file."""
    recovered, lost = answer["recovered"], answer["lost"] or 0
    return display_safe(
        f"Recovered {recovered} of {plural(recovered + lost, 'note')}; the old file is {answer['damaged']}"
    )


def imported_line(answer: Facts, *, dry_run: bool) -> str:
    """Return the line about an import."""
    counts = [f"{answer['new']} new", f"{answer['changed']} changed", f"{answer['known']} known"]
    forgotten = [f"{len(answer['skipped'])} forgotten here"] if answer["skipped"] else []
    return f"{'Would import' if dry_run else 'Imported'}: {', '.join([*counts, *forgotten])}"
