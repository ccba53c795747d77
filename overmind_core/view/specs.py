"""Rows of specs: all of them, and the phases and tasks of one; what is known of one, and what a sync would do. Pure.

A row of one spec is a phase or a task. A task is known from its document, and from its quest once there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.text import graph
from overmind_core.domain.text.cells import shown_name
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers
from overmind_core.view import plans as plans_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view.cells import Cell, Row, folded, safe
from overmind_core.view.columns import By, Column, since
from overmind_core.view.describe import Lines, Rendering, clock, pairs
from overmind_core.view.missions import Branch
from overmind_core.view.tables import Orders

if TYPE_CHECKING:
    from overmind_core.domain.specs.shape import SpecTask

CHANGES = frozenset({"spec", "quest", "asked", "answered", "landed", "removed"})
"""Kinds of events after which a spec stands otherwise."""
KIND, PHASE, TASK = "kind", "phase", "task"
"""Noted in each row of one spec: which of both it is."""
BRIEF = "brief"
"""The document that a person gives; it has no phase."""
OF_PHASE = "of_phase"
"""In the row of a spec that an action meets: the phase that is meant; "" for the spec as such."""
OF_TASK = "of_task"
"""The row of its quest, where a task is meant."""
AT_TASK = "at_task"
"""The id of the task that is meant: its place in the document."""
SPOT = "spot"
"""The line of a document that is meant."""
_SHOWN_AS = {
    "draft": "waiting",
    "pending": "waiting",
    "planned": "waiting",
    "given": "completed",
    "passed": "completed",
    "done": "completed",
    "working": "running",
    "landing": "running",
    "stuck": "blocked",
    "archived": "cancelled",
}
"""State of a spec or a phase → the status that has its mark, where that is another word."""
_STATES = ("review", "stuck", "failed", "landing", "running", "working", "draft", "done", "archived")
_WHY_TONES = {"failed": "", "review": "", "stuck": ""}
"""States whose reason stands out; mark and state have the colour."""


def status_of(state: str) -> str:
    """The status that has the mark of a state of a spec, or of a phase."""
    return _SHOWN_AS.get(state, state)


def _sign(state: str) -> str:
    return missions_rows.mark({"status": status_of(state)}).mark


# all specs


def specs(answer: Sequence[Row]) -> list[Row]:
    """The specs as rows with a name and a status."""
    return [named(one) for one in answer]


def named(spec: Row) -> Row:
    """A spec as a row of a table."""
    return {**spec, "name": spec["slug"], "status": status_of(spec["state"])}


def shown(spec: Row) -> str:
    """The words by which people know it: its slug, or its title where the slug can't say it."""
    return safe(shown_name(spec["slug"], spec.get("title")))


def current_phase(spec: Row) -> Row | None:
    """The phase that it is about now: one that is asked about or made, else the first that has not passed."""
    asked = (one for one in spec["phases"] if one["question"] is not None)
    running = (one for one in spec["phases"] if one["state"] == "running")
    others = (one for one in spec["phases"] if one["state"] != "passed")
    return next((one for found in (asked, running, others) for one in found), None)


def score(value: float | None) -> str:
    """A score as the command line shows it; "" for none."""
    from overmind_core.domain.specs.check import score_text  # noqa: PLC0415 - not for the first frame

    return "" if value is None else score_text(value)


def phase_words(phase: Row) -> str:
    """A phase in words: `tasks review 0.82`."""
    return " ".join(filter(None, (phase["phase"], phase["state"], score(phase["score"]))))


def waits_for(spec: Row) -> str:
    """What a person is asked about it."""
    asked = next((one["question"] for one in spec["phases"] if one["question"] is not None), spec["question"])
    return "" if asked is None else f"question {asked}: y n"


CHANGED = "changed since"
"""What is said of a spec that is done, whose brief or documents were edited afterwards."""


def state(spec: Row) -> str:
    """How it stands, in words: `done, changed since`."""
    is_changed = spec["changed_since"] is not None or spec.get("conflicts")
    return f"{spec['state']}, {CHANGED}" if is_changed else spec["state"]


def why(spec: Row) -> str:
    """What it waits for: a person, or what has to be mended first."""
    held = spec.get("held")
    if waiting := waits_for(spec) or ("" if held is None else safe(held["text"])):
        return waiting
    if spec["changed_since"] is not None:
        return f"{CHANGED}: :spec accept takes it as it is, r runs it again"
    if spec.get("problem") is not None:
        return f"{safe(spec['problem'])}: r tries again"
    phase = current_phase(spec)
    if phase is not None and phase["faults"] and spec["state"] != "draft":
        return safe(phase["faults"][0])
    if spec.get("conflicts") and spec["state"] in _ACCEPTED:
        from overmind_core.domain.specs.spec import changed_text  # noqa: PLC0415 - not for the first frame

        return safe(f"{changed_text(spec['conflicts'])}: :spec accept takes it as it is")
    return _WAYS.get(spec["state"], "")


_WAYS = {
    "draft": "r runs it", "stuck": "nothing goes on by itself: enter shows why", "failed": "r runs it again",
}  # fmt: skip
"""State → what helps where nothing else is known."""
_ACCEPTED = frozenset({"done", "working"})
"""States in which nothing is amiss but tasks that have changed, and those can be accepted."""


def tasks_done(spec: Row) -> str:
    """How many of its tasks are done, and how many there are; "" before there are any."""
    tasks: Mapping[str, int] = spec["tasks"]
    return f"{tasks.get('completed', 0)}/{sum(tasks.values())}" if tasks else ""


def cost(spec: Row) -> str:
    """What it has cost; `+2?`: of two attempts nobody knows."""
    known = numbers.cost_of(spec)
    return f"{known or '–'} +{spec['cost_unknown']}?" if spec["cost_unknown"] else known


def _phases(spec: Row, _now: float) -> Cell:
    """The mark of each phase, and in words how the one stands that it is about."""
    signs = "".join(_sign(one["state"]) for one in spec["phases"])
    phase = current_phase(spec)
    return Cell(f"{signs} {'all passed' if phase is None else phase_words(phase)}")


def _age(row: Row, now: float) -> float:
    return now - (numbers.moment(row["created_at"]) or now)


def _state(row: Row, _now: float) -> Cell:
    return Cell(row["state"], missions_rows.mark(row).tone)


def _why(row: Row, _now: float) -> Cell:
    return Cell(why(row), _WHY_TONES.get(row["state"], "quiet"))


COLUMNS: tuple[Column, ...] = (
    Column("name", "SPEC", 12, 20, 0, lambda row, _now: Cell(shown(row))),
    quests_rows.text_column("id", "ID", 8, 8, 14)._replace(wide=True),
    Column("state", "STATE", 8, 8, 1, _state),
    Column("phases", "PHASES", 18, 28, 2, _phases),
    Column("tasks", "TASKS", 5, 7, 4, lambda row, _now: Cell(tasks_done(row)), right=True),
    Column("cost", "COST", 6, 11, 5, lambda row, _now: Cell(cost(row), "quiet"), right=True, spare=True),
    Column(
        "age",
        "AGE",
        4,
        5,
        6,
        lambda row, now: Cell(numbers.span(_age(row, now)), "quiet"),
        right=True,
        ticks=since(lambda row: numbers.moment(row["created_at"])),
    ),
    quests_rows.text_column("title", "TITLE", 12, 40, 9)._replace(wide=True),
    Column("why", "WAITS FOR", 12, 0, 3, _why),
)
ORDERS: Orders = {
    "name": By(lambda row, _now: shown(row).casefold(), rises=True),
    "id": By(lambda row, _now: row["id"], rises=True),
    "title": By(lambda row, _now: row["title"].casefold(), rises=True),
    "state": By(lambda row, _now: _STATES.index(row["state"]), rises=True),
    "phases": By(lambda row, _now: sum(one["state"] == "passed" for one in row["phases"])),
    "tasks": By(lambda row, _now: row["tasks"].get("completed", 0) / max(sum(row["tasks"].values()), 1)),
    "cost": By(lambda row, _now: row["cost_usd"] or 0.0),
    "age": By(_age),
    "why": By(lambda row, _now: why(row).casefold(), rises=True),
}


def looked_in(row: Row) -> str:
    """The text in which a plain word of a filter is looked for."""
    return "\n".join(safe(row[key]) for key in ("slug", "id", "title", "state")) + "\n" + safe(why(row))


def standing(row: Row) -> str:
    """How a spec stands, in a line."""
    phase = current_phase(row)
    facts = (shown(row), state(row), "" if phase is None else phase_words(phase), why(row))
    return " · ".join(filter(None, facts))


# one spec


def whole(answer: Row) -> list[Row]:
    """The spec itself: its phases and tasks are made rows by `parts`."""
    return [answer]


class Work(NamedTuple):
    """What a document of tasks says: these, and the ids of those on the critical path."""

    tasks: Sequence[SpecTask] = ()
    path: Collection[str] = ()


def parts(spec: Row, work: Work, quests: Iterable[Row], *, brief: bool) -> list[Row]:
    """The phases of a spec, then its tasks, dependencies first.

    Args:
        spec: As the request `spec` answers.
        work: The tasks of its document.
        quests: Its quests; the newest of a name counts.
        brief: Whether there is a brief.
    """
    shown = [_phase(_given(), spec)] if brief else []
    return [*shown, *(_phase(one, spec) for one in spec["phases"]), *_tasks(spec, work, quests)]


def _given() -> Row:
    return {"phase": BRIEF, "state": "given", "score": None, "attempts": 0, "faults": [], "hints": [],
            "question": None, "quest": None}  # fmt: skip


def _phase(phase: Row, spec: Row) -> Row:
    name = phase["phase"]
    return {
        **phase, KIND: PHASE, "id": f"phase:{name}", "name": name, "status": status_of(phase["state"]), "needs": [],
        "critical": False, "spec": spec["slug"], "hours": None,
    }  # fmt: skip


def _tasks(spec: Row, work: Work, quests: Iterable[Row]) -> list[Row]:
    prefix = f"{spec['slug']}/"
    known = {one["name"].removeprefix(prefix): one for one in quests if one["name"].startswith(prefix)}
    for phase in spec["phases"]:
        known.pop(phase["phase"], None)
    listed = {one.id: _task(one.id, one.title, one.needs, one.hours, spec) for one in work.tasks if one.id}
    others = {  # what was reported, and tasks that the document has no more
        name: _task(name, quest.get("title") or "", _needs(quest, prefix), None, spec)
        for name, quest in known.items()
        if name not in listed
    }
    found = {name: _with_quest(row, known.get(name)) for name, row in (listed | others).items()}
    edges = {name: [need for need in row["needs"] if need in found] for name, row in found.items()}
    try:
        order = graph.order(edges)
    except graph.Cycle:  # of a document that does not pass
        order, edges = list(found), {name: [] for name in found}
    return [found[name] | {"needs": edges[name], "critical": name in work.path} for name in order]


def _task(name: str, title: str, needs: Iterable[str], hours: float | None, spec: Row) -> Row:
    return {
        KIND: TASK, "id": f"task:{name}", "name": name, "title": title, "needs": list(dict.fromkeys(needs)),
        "hours": hours, "score": None, "spec": spec["slug"], "question": None,
    }  # fmt: skip


def _needs(quest: Row, prefix: str) -> list[str]:
    return [one["name"].removeprefix(prefix) for one in quest.get("needs") or ()]


def _with_quest(task: Row, quest: Row | None) -> Row:
    """What is known of its quest, below what its document says."""
    if quest is None:
        return {"status": "waiting", "state": "planned", "quest": None} | task
    return {**quest, "quest": quest["id"], "state": quests_rows.state(quest)} | task


def is_task(row: Row) -> bool:
    """Whether a row of one spec is a task, and no phase."""
    return bool(row[KIND] == TASK)


GAP_ROW = Branch("gap", {"id": "", "name": "", "status": "waiting"}, dimmed=True)
"""Between phases and tasks; the cursor leaves it out."""


def branches(rows: Sequence[Row], *, drawn: bool) -> list[Branch]:
    """Phases, and below them tasks; `drawn`: with their edges."""
    phases = [row for row in rows if not is_task(row)]
    tasks = [row for row in rows if is_task(row)]
    graphed = plans_rows.branches(tasks) if drawn else plans_rows.listed(tasks)
    return [*plans_rows.listed(phases), *([GAP_ROW] if phases and tasks else []), *graphed]


def remark(row: Row) -> str:
    """What a row says besides: what is asked, what is wrong, what it waits for; else what it is about."""
    if row.get("question") is not None:
        return f"question {row['question']}: y n answer"
    if is_task(row):
        return " · ".join(filter(None, (quests_rows.why(row) if row["quest"] else "", safe(row["title"]))))
    if row["faults"]:
        return safe(row["faults"][0])
    if row["state"] == "stale":
        return "its sources have changed: r runs it again"
    if row["state"] == "running" and row["attempts"] > 1:
        return f"attempt {row['attempts']}"
    hints = len(row["hints"])
    return f"{hints} hint{'s' * (hints != 1)}: enter" if hints else ""


def _part_state(row: Row, _now: float) -> Cell:
    if not row["name"]:
        return Cell("")
    word = quests_rows.state(row) if is_task(row) and row["quest"] else row["state"]
    return Cell(word, missions_rows.mark(row).tone)


def _of_part(key: str, text: Callable[[float], str]) -> Callable[[Row, float], Cell]:
    return lambda row, _now: Cell("" if row.get(key) is None else text(row[key]), "quiet")


def _remark(row: Row, _now: float) -> Cell:
    if not row["name"]:
        return Cell("")
    tone = "" if row.get("question") is not None else _WHY_TONES.get(row["status"], "quiet")
    return Cell(remark(row), tone)


def _tries(row: Row, _now: float) -> Cell:
    if not row["name"] or not (row["quest"] if is_task(row) else row["attempts"]):
        return Cell("")
    return Cell(quests_rows.tries(row) if is_task(row) else str(row["attempts"]), "quiet")


def _cost(row: Row, _now: float) -> Cell:
    return Cell(quests_rows.cost(row) if row["name"] and is_task(row) else "", "quiet")


def hours_text(hours: float) -> str:
    """Hours of a task: `2 h`, `0.5 h`."""
    return f"{hours:g} h"


def _critical(row: Row, _now: float) -> Cell:
    return Cell(plans_rows.CRITICAL if row.get("critical") else "", "")


PART_COLUMNS: tuple[Column, ...] = (
    Column("name", "PHASE, TASK", 16, 36, 0, lambda row, _now: Cell(safe(row["name"]))),
    Column("critical", "", 1, 1, 2, _critical),
    Column("state", "STATE", 9, 10, 1, _part_state),
    Column("score", "SCORE", 6, 6, 4, _of_part("score", score), right=True),
    Column("hours", "HOURS", 5, 6, 6, _of_part("hours", hours_text), right=True, spare=True),
    Column("attempts", "TRY", 4, 5, 7, _tries, right=True, spare=True),
    Column("cost", "COST", 5, 7, 8, _cost, right=True, spare=True),
    Column("says", "WHY, WHAT", 16, 0, 3, _remark),
)  # fmt: skip
_UNKNOWN = -1.0
PART_ORDERS: Orders = {
    "name": By(lambda row, _now: row["name"], rises=True),
    "state": By(lambda row, _now: row["status"], rises=True),
    "score": By(lambda row, _now: _UNKNOWN if row["score"] is None else row["score"]),
    "hours": By(lambda row, _now: _UNKNOWN if row["hours"] is None else row["hours"]),
    "cost": By(lambda row, _now: row.get("cost_usd") or 0.0),
    "critical": By(lambda row, _now: row["critical"]),
}


def looked_in_part(row: Row) -> str:
    """The text in which a plain word of a filter is looked for."""
    return "\n".join((safe(row["name"]), safe(row["state"]), remark(row)))


def _path(tasks: Sequence[Row]) -> str:
    """The hours of the critical path, and those of all tasks."""
    whole_, path = (sum(row["hours"] or 0 for row in tasks if row["critical"] or all_) for all_ in (True, False))
    return f"{plans_rows.CRITICAL} critical path {path:g} of {whole_:g} h" if path else ""


def summary(spec: Row, rows: Sequence[Row]) -> str:
    """How the whole stands, in a line; `rows`: its phases and tasks."""
    tasks = [row for row in rows if is_task(row)]
    limit = f" of {numbers.money(spec['max_cost_usd'])}" if spec["max_cost_usd"] is not None else ""
    return " · ".join(
        filter(
            None,
            (
                state(spec),
                f"tasks {tasks_done(spec)}" if spec["tasks"] else "",
                _path(tasks),
                f"{cost(spec)}{limit}" if spec["cost_usd"] or spec["cost_unknown"] else "",
                waits_for(spec),
                f"drift {len(spec['drift'])} of {spec['drift_of']} files" if spec["drift"] else "",
            ),
        )
    )


def part_standing(row: Row) -> str:
    """How the phase or task under the cursor stands, in a line."""
    if is_task(row) and row["quest"]:
        return quests_rows.standing({**row, "name": f"{row['spec']}/{row['name']}"})
    scored = f"{row['state']} {score(row['score'])}".rstrip()
    return " · ".join(filter(None, (safe(row["name"]), scored, remark(row))))


# all that is known of one


def description(spec: Row, look: Rendering) -> Lines:
    """As the request `spec` answers: what `overmind spec show` prints, and what it is made with."""
    limit = f" of {numbers.money(spec['max_cost_usd'])}" if spec["max_cost_usd"] is not None else ""
    landed = spec["landed"]
    path = spec["critical_path"]
    mark = missions_rows.mark({"status": status_of(spec["state"])})
    sign = mark.ascii if look.ascii_only else mark.mark
    return [
        quests_rows.title(spec["slug"], spec["id"]),
        [Cell(f" {sign} {state(spec)}", mark.tone), Cell(f"  {why(spec)}" if why(spec) else "", "quiet")],
        *pairs(
            ("title", spec["title"]),
            ("folder", spec["folder"]),
            ("branch", None if spec["branch"] is None else f"{spec['branch']}, lands on {spec['base']}"),
            ("landed", f"{landed['after'][:12]} on {landed['branch']}" if landed and landed["after"] else None),
            ("gates", ", ".join(spec["gates"]) or "none"),
            ("threshold", score(spec["threshold"])),
            ("verify", spec["verify"]),
            ("cost", f"{cost(spec) or '–'}{limit}"),
            ("created", clock(spec["created_at"], look)),
            ("tasks", _counts(spec["tasks"])),
            ("reported", _counts(spec.get("reported") or {})),
            ("critical path", " → ".join(map(safe, path["tasks"])) or None),
            ("hours", f"{path['hours'] or 0:g} of {spec['hours'] or 0:g} on that path" if path["tasks"] else None),
        ),
        *_phase_lines(spec, look),
        *_coverage(spec),
        *_drift(spec),
    ]  # fmt: skip


def _phase_lines(spec: Row, look: Rendering) -> Lines:
    lines: Lines = [[], [Cell(" phases", "title")]]
    for one in spec["phases"]:
        mark = missions_rows.mark({"status": status_of(one["state"])})
        asks = f"  question {one['question']}" if one["question"] is not None else ""
        sign = mark.ascii if look.ascii_only else mark.mark
        stands = Cell(f"{one['state']:<8} {score(one['score']):<5}{asks}", mark.tone)
        lines.append([Cell(f"  {sign} ", mark.tone), Cell(f"{one['phase']:<13} "), stands])
        lines += [[Cell(f"      {safe(fault)}", "bad")] for fault in one["faults"]]
        lines += [[Cell(f"      hint: {safe(hint)}", "quiet")] for hint in one["hints"]]
    return lines


def _coverage(spec: Row) -> Lines:
    if not spec["coverage"]:
        return []
    lines: Lines = [[], [Cell(" requirements", "title")]]
    for one in spec["coverage"]:
        tasks = ", ".join(map(safe, one["tasks"]))
        lines.append([Cell(f"  {safe(one['requirement']):<18} "), Cell(tasks or "no task", "" if tasks else "bad")])
    return lines


def _counts(statuses: Mapping[str, int]) -> str | None:
    return ", ".join(f"{count} {status}" for status, count in statuses.items()) or None


def _drift(spec: Row) -> Lines:
    if not spec["drift"]:
        return []
    title = [Cell(f" drift: {len(spec['drift'])} of {spec['drift_of']} files have changed", "title")]
    help_ = [Cell("  :spec accept", "key"), Cell(" takes them as they are · r on explore looks again", "quiet")]
    return [[], title, *([Cell(f"  {safe(path)}")] for path in spec["drift"]), help_]


_STEP_TONES = {"create": "good", "update": "", "skip": "quiet", "conflict": "", "cancel": "bad"}
_STEP_WORDS = {
    "create": "a new quest",
    "update": "its quest is changed",
    "skip": "its quest stays as it is",
    "conflict": "its quest has begun, and stays as it is",
    "cancel": "its quest is cancelled: the document no longer has it",
}


def sync_text(synced: Row) -> Lines:
    """What a sync would do: a line for each task, and how it is done."""
    kinds = ("created", "updated", "skipped", "conflicts", "cancelled")
    counts = ", ".join(f"{synced[kind]} {kind.removesuffix('s') if synced[kind] == 1 else kind}" for kind in kinds)
    lines: Lines = [[Cell(f" would sync {safe(synced['slug'])}: {counts}", "accent")], []]
    for step in synced["steps"]:
        action = step["action"]
        meaning = Cell(_STEP_WORDS.get(action, ""), "quiet")
        lines.append(
            [Cell(f"  {action:<9} ", _STEP_TONES.get(action, "")), Cell(f"{safe(step['task']):<12} "), meaning]
        )
    if any(synced[word] for word in ("created", "updated", "cancelled")):
        lines += [[], [Cell(f"  :spec sync {safe(synced['slug'])}", "key"), Cell("   does it", "quiet")]]
    return lines


# a document

_NUMBER = 4
"""Cells of the number of a line."""
PENDING = "●"
_FAULT = 3
"""Cells from the left where a long fault goes on."""


def document_lines(
    lines: Sequence[str], why_not: str, phase: Row | None, *, name: str, pending: Iterable[str], cells: int
) -> tuple[Lines, list[int | None]]:
    """A document as it is drawn: what is wrong with it, then its lines with their numbers.

    Args:
        lines: Of the document.
        why_not: Why there are none.
        phase: How its phase stands; None for the brief.
        name: Of its file.
        pending: Places that have comments: `tasks.md:12`.
        cells: In which long lines are folded.

    Returns:
        What is drawn; and of each line of that the number of the document's line, None where it is none of those.
    """
    above: Lines = []
    places: list[int | None]
    if phase is not None:
        above += [[Cell(f" ✖ {safe(fault)}", "bad")] for fault in phase["faults"]]
        above += [[Cell(f" hint: {safe(hint)}", "quiet")] for hint in phase["hints"]]
        above = folded(above, cells, _FAULT)
        above += [[]] if above else []
    if why_not:
        above.append([Cell(f" {name}: {safe(why_not)}", "slow")])
    marked, faulty = set(pending), _faulty(phase, name)
    drawn, places = above, [None] * len(above)
    for number, line in enumerate(lines, 1):
        cell = Cell(f"{number:>{_NUMBER}}  ", "bad" if number in faulty else "faint")
        parts_ = [Cell(PENDING if f"{name}:{number}" in marked else " ", "mark"), cell, *_document_line(line)]
        rows = folded([parts_], cells, _NUMBER + 3 + _indent(line))
        drawn += rows
        places += [number] * len(rows)
    return drawn, places


def heading_line(lines: Sequence[str], name: str) -> int | None:
    """The number of the line that is the heading of a thing, such as a task; None: there is none."""
    heading = f"### {name}"
    found = (at for at, line in enumerate(lines, 1) if line == heading or line.startswith(f"{heading} "))
    return next(found, None)


def _faulty(phase: Row | None, name: str) -> set[int]:
    """The lines that faults name."""
    found = (str(fault).removeprefix(f"{name}:").partition(":")[0] for fault in (phase or {"faults": ()})["faults"])
    return {int(one) for one in found if one.isdecimal()}


def _indent(line: str) -> int:
    """Cells from its left where a long line goes on: below the text of an item."""
    text = line.lstrip()
    return len(line) - len(text) + (2 if text.startswith("- ") else 0)


def _document_line(line: str) -> list[Cell]:
    text = safe(line.expandtabs())
    if line.startswith("#"):
        return [Cell(text, "title" if line.startswith("##") else "accent")]
    key, colon, rest = text.partition(": ")
    if colon and key.startswith("- ") and " " not in key.removeprefix("- "):
        return [Cell(f"{key}: ", "label"), Cell(rest)]
    return [Cell(text)]
