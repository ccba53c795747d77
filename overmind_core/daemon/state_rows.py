"""The rows of state.db, as a recovery judges them: whether one means something, and may come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.agents import store as agents
from overmind_core.isolation import store as isolation
from overmind_core.kernel.codec import Codec
from overmind_core.learning import outbox
from overmind_core.missions import registry
from overmind_core.plans import store as plans
from overmind_core.quests import store as quests
from overmind_core.reports import store as reports
from overmind_core.schedules import store as schedules
from overmind_core.specs import store as specs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from overmind_core.kernel.salvage import Table, Values

_JSON = Codec(dict[str, Any])
_DECODERS: Mapping[tuple[str, str], Callable[[str], object]] = {
    ("missions", "record"): registry.MISSION.decode,
    ("runs", "state"): registry.RUN.decode,
    ("events", "data"): _JSON.decode,
    ("environments", "data"): _JSON.decode,
    ("agents", "state"): agents.STATE.decode,
    ("agents", "definition"): agents.DEFINITION.decode,
    ("questions", "asked"): _JSON.decode,
    ("plans", "blueprint"): plans.BLUEPRINT.decode,
    ("plan_nodes", "state"): plans.NODE.decode,
    ("quests", "record"): quests.RECORD.decode,
    ("work_environments", "data"): _JSON.decode,
    ("rituals", "record"): schedules.RITUAL.decode,
    ("ritual_environments", "data"): _JSON.decode,
    ("ritual_runs", "record"): schedules.RUN.decode,
    ("isolations", "record"): isolation.RECORD.decode,
    ("specs", "record"): specs.SPEC.decode,
    ("spec_phases", "record"): specs.PHASE.decode,
    ("reports", "record"): reports.RECORD.decode,
    ("lessons", "record"): outbox.RECORD.decode,
}
"""Table and column → reads the JSON that it holds."""
_PASSING = frozenset({
    "attempt_votes", "inputs", "keyed_requests", "lessons", "swarm_claims", "web_accesses", "web_links",
})  # fmt: skip
"""Tables of what is done once, or may have been taken back since: a day later it would be done again."""
_OPEN: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "messages": ("state", agents.OPEN),
    "questions": ("state", (agents.QUESTION_OPEN,)),
}
"""The same of some rows: table → the column that tells, and its values."""


def is_valid(table: Table, values: Values) -> bool:
    """Whether a row that has the shape of this table's can be read, and belongs to the key that it has."""
    for (name, column), decode in _DECODERS.items():
        if name == table.name:
            try:
                found = decode(str(table.get(values, column)))
            except (msgspec.MsgspecError, ValueError, TypeError):
                return False
            stored = table.get(values, "id")
            if isinstance(stored, str) and getattr(found, "id", stored) != stored:
                return False
    return True


def may_come_back(table: Table, values: Values) -> bool:
    """Whether a row of an earlier day may take the place of one that is lost."""
    if table.name in _PASSING:
        return False
    column, passing = _OPEN.get(table.name, ("", ()))
    return not column or table.get(values, column) not in passing
