"""A plan as a Mermaid flowchart, which the pages of code hosts draw. Pure.

Source: mermaid.js.org/syntax/flowchart.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from overmind_core.domain.cells import display_safe
from overmind_core.domain.plan.progress import Stage

_STYLES: Mapping[str, str] = {
    Stage.WAITING: "fill:#eaeef2,stroke:#8c959f,color:#1f2328",
    Stage.STARTING: "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
    Stage.RUNNING: "fill:#ddf4ff,stroke:#0969da,color:#1f2328,stroke-width:3px",
    Stage.STOPPING: "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    Stage.SUCCEEDED: "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
    Stage.FAILED: "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-width:3px",
    Stage.SKIPPED: "fill:#eaeef2,stroke:#8c959f,color:#57606a,stroke-dasharray:4",
    Stage.CANCELLED: "fill:#fff8c5,stroke:#9a6700,color:#1f2328,stroke-dasharray:4",
}
_SPECIAL = frozenset('"#&;<>\\`')
"""What could end a quoted label, or be taken for HTML, Markdown or a character's number in it."""


def mermaid(edges: Mapping[str, Sequence[str]], states: Mapping[str, str]) -> str:
    """The text of a flowchart from left to right.

    Args:
        edges: What each name depends on; a dependency that is no key is left out.
        states: The `Stage` of each name, shown as a word below it and as its colour; none for a name that is missing.
    """
    number = {name: f"n{place}" for place, name in enumerate(edges)}
    nodes = [f'{number[name]}["{_label(name, states.get(name))}"]' for name in edges]
    arrows = [
        f"{number[one]} --> {number[name]}" for name in edges for one in dict.fromkeys(edges[name]) if one in number
    ]
    lines = [*nodes, *arrows, *_colours(number, states)]
    return "\n".join(["flowchart LR", *(f"    {line}" for line in lines)]) + "\n"


def _label(name: str, state: str | None) -> str:
    return _escaped(name) + (f"<br/>{_escaped(state)}" if state else "")


def _colours(number: Mapping[str, str], states: Mapping[str, str]) -> list[str]:
    lines = []
    for stage, style in _STYLES.items():
        if members := [number[name] for name in number if states.get(name) == stage]:
            lines += [f"classDef {stage} {style}", f"class {','.join(members)} {stage}"]
    return lines


def _escaped(text: str) -> str:
    """With the numbers of characters that mean something to Mermaid."""
    return "".join(f"#{ord(one)};" if one in _SPECIAL else one for one in display_safe(text))
