"""From what a terminal sends to keys: names of those that do something, and text, also of a paste."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

ESCAPE, ENTER, BACKSPACE, CANCEL, END = "escape", "enter", "backspace", "cancel", "end"
NAMES = {"\x1b": ESCAPE, "\r": ENTER, "\n": ENTER, "\x7f": BACKSPACE, "\x08": BACKSPACE, "\x03": CANCEL, "\x04": END}
_BEGIN, _CLOSE = "\x1b[200~", "\x1b[201~"
_TOKEN = re.compile(
    r"\x1b\[200~(?P<paste>.*?)\x1b\[201~|\x1b\[[0-?]*[ -/]*[@-~]|\x1bO."
    r"|(?P<key>[\x00-\x1f\x7f])|(?P<text>[^\x00-\x1f\x7f]+)",
    re.DOTALL,
)


class Keys:
    """Remembers half a character, and a paste whose end has not come."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> Iterator[tuple[str, str]]:
        """Pairs: the name of a key and "", or "" and a text."""
        said = self._rest + self._decoder.decode(data)
        self._rest = ""
        if _BEGIN in said and _CLOSE not in said.rpartition(_BEGIN)[2]:
            said, _, rest = said.rpartition(_BEGIN)
            self._rest = _BEGIN + rest
        for found in _TOKEN.finditer(said):
            text = found["paste"] if found["paste"] is not None else found["text"]
            if text is not None:
                yield "", text
            elif found["key"] in NAMES:
                yield NAMES[found["key"]], ""
