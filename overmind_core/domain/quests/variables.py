"""The variables of an attempt of a quest, which say where it reads and writes, and what it is an attempt of."""

from __future__ import annotations

from overmind_core.domain.plans.blueprint import FOLDER

INPUTS, OUTPUTS = "OVERMIND_IN", FOLDER
QUEST, ATTEMPT = "OVERMIND_QUEST", "OVERMIND_ATTEMPT"
SPEC, PHASE, TASK = "OVERMIND_SPEC", "OVERMIND_PHASE", "OVERMIND_TASK"
VARIABLES = frozenset({INPUTS, OUTPUTS, QUEST, ATTEMPT, SPEC, PHASE, TASK})
"""All of them; a mission has what it was given, and inherits none."""


def variables(
    *,
    inputs: str,
    outputs: str,
    quest: str,
    attempt: int,
    spec: str | None = None,
    phase: str | None = None,
    task: str | None = None,
) -> dict[str, str]:
    """What the environment of an attempt has of these; a quest without a spec has no variable for it.

    Args:
        inputs: Its folder to read. Wire form.
        outputs: Its folder to write. Wire form.
        quest: The quest's id.
        attempt: From 1, through all rounds.
        spec: The slug of its spec.
        phase: The phase of that spec which it is.
        task: The task of that spec which it is: `TSK-001`.
    """
    of_spec = {SPEC: spec, PHASE: phase, TASK: task}
    given = {INPUTS: inputs, OUTPUTS: outputs, QUEST: quest, ATTEMPT: str(attempt)}
    return given | {name: value for name, value in of_spec.items() if value is not None}
