"""One spec as `spec show` prints it: its phases, what waits, and what a person can do about it."""

from __future__ import annotations

from overmind_core.cli.output import ABSENT, cost, money
from overmind_core.domain.missions import status_marks as marks
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from overmind_core.client.client import Client
    from overmind_core.domain.missions.status_marks import StatusMark

    Row = Mapping[str, Any]

PHASE_MARKS: dict[str, StatusMark] = {
    "pending": marks.PENDING,
    "running": marks.WORKING,
    "review": marks.REVIEW,
    "passed": marks.SUCCEEDED,
    "failed": marks.FAILED,
    "stale": marks.STALE,
}
"""State of a phase → how it is shown."""
CHANGED = "changed since"
"""What stands beside a spec that is done, whose brief or documents were edited afterwards."""
_GOES_ON = frozenset({"running", "archived"})
"""States of a spec in which nobody has to decide about stale documents."""
_SHOWN = 10
"""Faults, hints and files that `spec show` lists of each."""


def cost_cell(row: Row) -> str:
    """The cost of a spec, with the count of agents whose cost nobody knows."""
    known = cost(row)
    return f"{known}+{row['cost_unknown']}?" if row["cost_unknown"] else known


def asked_of(client: Client, spec: Row) -> list[Row]:
    """The open questions about a spec and its quests, oldest first; none inside a mission, which may not read them."""
    try:
        questions = client.call("inbox")
    except OvermindError as error:
        if error.code != "forbidden":
            raise
        return []
    abouts = [(question, question.get("about") or question) for question in questions]
    return [one for one, about in abouts if about["id"] == spec["id"] or about["name"].startswith(f"{spec['slug']}/")]


def ways_out(client: Client, spec: Row) -> Sequence[str]:
    """Return lines with the commands by which a spec goes on that has failed or is stuck."""
    from overmind_core.domain.engine_questions import FOR_YOU, with_answer  # start-up: for those alone
    from overmind_core.domain.quests.remedies import lead_of

    known = client.call("spec", {"id": spec["id"]})
    waits, held = known["waits"], known.get("held")
    ended = [one["name"] for one in waits if one["status"] in {"failed", "cancelled"}]
    if ended:
        return [f"go on with: overmind quest retry {' '.join(ended)}"]
    if asked := asked_of(client, spec):
        return [f"{FOR_YOU}: {with_answer(question)}" for question in asked]
    if held is not None and held["do"]:
        return [f"{lead_of(command)}: {command}" for command in held["do"]]
    ways = [client.call("quest_why", {"id": one["id"]})["do"] or [f"overmind quest why {one['name']}"] for one in waits]
    first = [way[0] for way in ways] or [f"overmind spec run {spec['slug']}"]
    return [f"{lead_of(command)}: {command}" for command in first]


def spec_text(spec: Row, asked: Sequence[Row] = ()) -> str:
    """Return what a person reads of one spec; `asked`: the open questions about it and its quests."""
    from overmind_core.domain.engine_questions import DECIDES_WORK  # start-up: only for the text

    numbers = {_about(one): one["question"] for one in reversed(asked) if one["need"] in DECIDES_WORK}
    lines = list(_spec_lines(spec, numbers))
    return "\n".join((*lines, *_asked_lines(spec, asked, lines)))


def _asked_lines(spec: Row, asked: Sequence[Row], lines: Sequence[str]) -> Iterator[str]:
    """A line for each question that no other line answers; a retry answers that of a quest that has failed."""
    from overmind_core.domain.engine_questions import FOR_YOU, EngineNeed, with_answer  # start-up: for those alone

    retried = {one["id"] for one in spec["waits"]}
    for one in asked:
        is_retried = one["need"] == EngineNeed.STUCK and _about(one) in retried
        if not is_retried and not any(f"overmind answer {one['question']} " in line for line in lines):
            yield display_safe(f"{FOR_YOU}: {with_answer(one)}")


def _about(question: Row) -> str:
    """The id of its subject."""
    return str((question.get("about") or question)["id"])


def _spec_lines(spec: Row, numbers: Mapping[str, object]) -> Iterator[str]:
    """All that is said without the inbox; `numbers`: those of questions about work, by the id of its quest."""
    state = spec["state"] if spec["changed_since"] is None else f"{spec['state']}, {CHANGED}"
    yield display_safe(f"{spec['slug']}  {with_changed(state, spec)}  {spec['title']}")
    yield display_safe(f"folder: {spec['folder']}")
    if spec["branch"] is not None:
        yield display_safe(f"branch: {spec['branch']}, lands on {spec['base']}")
    landed = spec["landed"]
    if landed is not None and landed["after"]:
        yield display_safe(f"landed: {landed['after'][:12]} on {landed['branch']}")
    limit = f" of {money(spec['max_cost_usd'])}" if spec["max_cost_usd"] is not None else ""
    yield f"cost: {cost_cell(spec)}{limit}"
    yield from _problem(spec)
    for phase in spec["phases"]:
        yield from _phase_lines(phase)
    yield from _counts(spec)
    for one in spec["waits"]:
        why = "" if one["why"] is None else f": {one['why']}"
        yield display_safe(f"  {one['name']}: {one['status']}{why}")
        yield display_safe(f"    {_remedy(one, numbers)}")
    for one in spec["coverage"]:
        yield display_safe(f"  {one['requirement']}: {', '.join(one['tasks']) or 'no task'}")
    path = spec["critical_path"]
    if path["tasks"]:
        hours = f"{path['hours'] or 0:g} of {spec['hours'] or 0:g} h"  # somebody may have edited sync.md
        yield display_safe(f"critical path: {' -> '.join(path['tasks'])} ({hours})")
    yield from _edited(spec)
    if spec.get("conflicts"):
        yield f"{changed_text(spec)}; nothing of it runs again by itself"
        yield f"  go on with: overmind spec accept {spec['slug']} to leave it as it was done, or"
        yield f"    a new id in tasks.md, then overmind spec run {spec['slug']} to have it done as it is now"
    if spec["drift"]:
        yield f"drift: {len(spec['drift'])} of {spec['drift_of']} files"
        yield from _listed(spec["drift"])
        yield f"  go on with: overmind spec accept {spec['slug']}, or spec run {spec['slug']} --from explore"
    if spec["question"] is not None:
        yield f"waits: question {spec['question']}: overmind answer {spec['question']} allow"
    yield from held_lines(spec)


def held_lines(row: Row) -> Iterator[str]:
    """Yield what it waits for while none of its quests runs, and how a person lets it go on."""
    held = row.get("held")
    if held is not None:
        yield display_safe(f"waits: {held['name']}: {held['text']}")
        yield from (display_safe(f"  go on with: {command}") for command in held["do"])


def changed_text(row: Row) -> str:
    """Return what is said of tasks that have changed since their quests began; "" where none has."""
    from overmind_core.domain.specs import spec  # start-up: for those alone

    tasks = row.get("conflicts") or ()
    return display_safe(spec.changed_text(tasks)) if tasks else ""


def with_changed(state: str, row: Row) -> str:
    """Return how a spec stands, with such tasks: `done; changed since its quest began: TSK-001`."""
    return "; ".join(filter(None, (state, changed_text(row))))


def _counts(spec: Row) -> Iterator[str]:
    for what in ("tasks", "reported"):
        if counts := spec.get(what):
            yield f"{what}: " + " · ".join(f"{count} {status}" for status, count in counts.items())


def _remedy(waiting: Row, numbers: Mapping[str, object]) -> str:
    """The command that helps a task that waits."""
    name = waiting["name"]
    if waiting["why"] == "dirty":  # it lands by itself once a person's files are out of its way
        return f"see: overmind quest why {name}"
    asks = waiting["status"] in {"review", "running"}
    asked = numbers.get(waiting["id"], name)
    return f"go on with: overmind {f'answer {asked} allow' if asks else f'quest retry {name}'}"


def _edited(spec: Row) -> Iterator[str]:
    """What a person can do about documents that are out of date, as the brief or one before them was edited."""
    stale = [one["phase"] for one in spec["phases"] if one["state"] == "stale"]
    if spec["changed_since"] is not None:
        yield f"{CHANGED} it was done: from {spec['changed_since']} on; nothing runs by itself"
    elif spec["state"] == "failed":
        yield from _after_failure(spec)
        return
    elif not stale or spec["state"] in _GOES_ON:
        if spec["state"] == "draft":
            yield f"  go on with: overmind spec run {spec['slug']}"
        return
    first, accept = spec["changed_since"] or stale[0], f"overmind spec accept {spec['slug']}"
    if spec["changed_since"] is None:
        accept += f" && overmind spec run {spec['slug']}"
    yield f"  go on with: {accept} to take it as it is, or"
    yield f"    overmind spec run {spec['slug']} to do {first} and later phases again"


def _after_failure(spec: Row) -> Iterator[str]:
    """The commands that help where an agent has failed to make a document; none where a person has to mend it."""
    from overmind_core.domain.specs.spec import OF_QUEST  # start-up: for those alone

    failed = next(one for one in spec["phases"] if one["state"] == "failed")
    if not any(str(fault).startswith(OF_QUEST) for fault in failed["faults"]):
        return
    again = [one for one in spec["phases"] if one["state"] in {"stale", "failed"}]
    run = f"overmind spec run {spec['slug']} to do {again[0]['phase']} again, and later phases"
    if all(one["sha256"] is None for one in again[: again.index(failed) + 1]):
        yield f"  go on with: {run}"
        return
    yield f"  go on with: overmind spec accept {spec['slug']} to take what is there as it is, or"
    yield f"    {run}"


def _problem(spec: Row) -> Iterator[str]:
    if spec["problem"] is not None:
        yield display_safe(spec["problem"])
        yield f"  go on with: overmind spec run {spec['slug']}"


def _phase_lines(phase: Row) -> Iterator[str]:
    mark = PHASE_MARKS[phase["state"]]
    score = ABSENT if phase["score"] is None else score_cell(phase["score"])
    asks = "" if phase["question"] is None else f"  question {phase['question']}"
    yield f"{mark.mark} {phase['phase'].ljust(12)}  {phase['state'].ljust(7)}  {score.ljust(5)}{asks}".rstrip()
    yield from _listed(phase["faults"])


def _listed(lines: Sequence[str]) -> Iterator[str]:
    for line in lines[:_SHOWN]:
        yield display_safe(f"  {line}")
    if len(lines) > _SHOWN:
        yield f"  … {len(lines) - _SHOWN} more"


def score_cell(score: float) -> str:
    """A score as everywhere else."""
    from overmind_core.domain.specs.check import score_text  # start-up: for scores

    return score_text(score)
