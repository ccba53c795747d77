"""The instructions for the agent of a phase: which document it writes, from what, and how that is checked. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.quests.briefing import one_line
from overmind_core.domain.specs.check import score_text
from overmind_core.domain.specs.shape import MAX_TITLE, SHAPES
from overmind_core.domain.specs.spec import PHASES, PhaseName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_BRIEF = 16 * 1024
"""Most bytes of a spec's brief in the prompt; the whole brief is in the input folder."""
_CUT = "[…]"

PURPOSE: Mapping[PhaseName, str] = {
    PhaseName.EXPLORE: "Explore the repository: describe what is there, and what has to be found out.",
    PhaseName.REQUIREMENTS: "Write the requirements: the conditions that hold once the work is done.",
    PhaseName.DESIGN: "Write the design: how the requirements are met.",
    PhaseName.TASKS: "Write the tasks: the work in pieces that one agent can do in at most four hours each.",
}
"""Of each phase that an agent does."""
_RULES: Mapping[PhaseName, str] = {
    PhaseName.EXPLORE: "Name only files that exist.",
    PhaseName.REQUIREMENTS: (
        "Word each as `When <condition>, the <system> shall <response>`, and give it at least two acceptance criteria."
    ),
    PhaseName.DESIGN: "For a field that is empty on purpose, say so in `none_because`.",
    PhaseName.TASKS: (
        "Cover every requirement. Two tasks that change the same file run one after the other. "
        "A `check` is a shell command that exits 0 once the task is done."
    ),
}
_FAULTS = "It does not pass:"
_AGAIN = "An earlier document is in `partial/`: keep what is right, its ids above all, and change what is not."


def phase_title(phase: PhaseName, title: str) -> str:
    """Return the title of a phase's quest; a long one of a spec is cut."""
    whole = f"{phase}: {title}"
    return whole if len(whole) <= MAX_TITLE else f"{whole[: MAX_TITLE - len(_CUT)]}{_CUT}"


def phase_brief(
    phase: PhaseName, brief: str, *, threshold: float, again: bool = False, faults: Sequence[str] = ()
) -> str:
    """Return what the quest of a phase has to do, Markdown.

    Args:
        phase: One that an agent does.
        brief: The spec's own.
        threshold: Score from which the document passes.
        again: There is a document that is to be changed.
        faults: Why that does not pass, a line each.
    """
    earlier = [f"`spec/{one}.md`" for one in PHASES[: PHASES.index(phase)]]
    read = ", ".join(["`spec/brief.md`", *earlier])
    fields = "\n".join(f"- `{row.name}`: {row.about}" for row in SHAPES[phase].fields)
    parts = (
        f"{PURPOSE[phase]} {_RULES[phase]}",
        (
            f"Hand in one document, `{phase}.json`, by the JSON schema in `schema.json`; `{phase}.md` in the format of "
            f"`overmind spec check` is fine, too. Change no file of the repository. Read first: {read}."
        ),
        _AGAIN if again else "",
        "\n".join((_FAULTS, "", *(f"- {one_line(fault)}" for fault in faults))) if faults else "",
        f"Fields:\n\n{fields}",
        (
            f"It passes without faults and with a score of {score_text(threshold)} or more: "
            f'`overmind spec check "$OVERMIND_OUTPUT_DIR/{phase}.json"`.'
        ),
        f"## Brief\n\n{_beginning(brief)}",
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _beginning(brief: str) -> str:
    data = brief.encode("utf-8", "replace")
    if len(data) <= LONGEST_BRIEF:
        return brief.strip()
    return f"{data[:LONGEST_BRIEF].decode('utf-8', 'ignore')}\n{_CUT}"
