"""One spec as `spec show` prints it: its phases, what waits, and what a person can do about it."""

from __future__ import annotations

from overmind_core.cli.output import ABSENT, money
from overmind_core.domain.missions import status_marks as marks
from overmind_core.domain.text.cells import display_safe

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

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
    cost = money(row["cost_usd"])
    return f"{cost}+{row['cost_unknown']}?" if row["cost_unknown"] else cost


def spec_text(spec: Row) -> str:
    """Return what a person reads of one spec."""
    return "\n".join(_spec_lines(spec))


def _spec_lines(spec: Row) -> Iterator[str]:
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
        yield display_safe(f"    {_remedy(one)}")
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


def _remedy(waiting: Row) -> str:
    """The command that helps a task that waits."""
    name = waiting["name"]
    if waiting["why"] == "dirty":  # it lands by itself once a person's files are out of its way
        return f"see: overmind quest why {name}"
    asks = waiting["status"] in {"review", "running"}
    return f"go on with: overmind {f'answer {name} allow' if asks else f'quest retry {name}'}"


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
