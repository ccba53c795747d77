"""What each tone looks like in the theme that is on: the same wherever it is drawn, so the program is asked once."""

from __future__ import annotations

from rich.style import Style
from textual.dom import DOMNode

TONES = (
    "news", "good", "wait", "slow", "calm", "bad", "off", "quiet", "faint", "guide", "name", "title", "key", "label",
    "accent", "mark", "chosen", "banner", "cursor", "cursor-rest", "graph-cpu", "graph-mem", "graph-out",
)  # fmt: skip
"""Each is a component class `tone--<name>` of the stylesheet."""
CLASSES = {f"tone--{tone}" for tone in TONES}


class Tones(dict[str, Style]):
    """The style of each tone by its name; "" is plain.

    Args:
        node: Has the component classes: one for all, since Textual computes those anew with each style of a node.
    """

    def __init__(self, node: DOMNode) -> None:
        super().__init__()
        self._node = node

    def __missing__(self, name: str) -> Style:
        found = self._node.get_component_styles(f"tone--{name}").partial_rich_style if name else Style.null()
        self[name] = found
        return found
