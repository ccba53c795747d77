"""What programs write to a terminal, invented: text of all widths, sequences with likely and unlikely numbers."""

from __future__ import annotations

from hypothesis import strategies as st

TEXTS = (
    "a",
    "word ",
    "ijklmnop",
    "日",
    "日本",
    "─│┌",
    "e\u0301",
    "\u0301",
    "👍",
    "👨\u200d👩",
    "❤\ufe0f",
    "🇩🇪",
    "🇩",
    "👍🏽",
    "1\ufe0f\u20e3",
    "é",
    "한",
    "x" * 20,
)
CONTROLS = ("\r", "\n", "\r\n", "\b", "\t", "\v", "\f", "\x0e", "\x0f", "\x00")
ESCAPES = ("7", "8", "D", "E", "H", "M", "(0", "(B", ")0", ")B", "#8", "=", ">", "n", "o")
FINALS = ("A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "P", "S", "T", "X", "Z", "@", "`", "a", "b",
          "d", "e", "f", "g", "r")  # fmt: skip
LOOKS = ("", "0", "1", "2", "3", "4", "7", "9", "22", "27", "31", "39", "42", "49", "91", "38;5;208", "48;2;1;2;3",
         "4:3", "58:5:9", "53", "59")  # fmt: skip
PRIVATE_MODES = (1, 5, 6, 7, 12, 25, 47, 1000, 1002, 1004, 1006, 1047, 1048, 1049, 2004)
ANSI_MODES = (4, 20)

_number = st.sampled_from(("", "0", "1", "2", "3", "5", "9", "99"))
text = st.sampled_from(TEXTS)
control = st.sampled_from(CONTROLS)
escape = st.sampled_from(ESCAPES).map("\x1b{}".format)
sequence = st.builds(
    "\x1b[{}{}".format, st.lists(_number, max_size=2).map(";".join), st.sampled_from(FINALS)
)  # fmt: skip
look = st.sampled_from(LOOKS).map("\x1b[{}m".format)
private_mode = st.builds("\x1b[?{}{}".format, st.sampled_from(PRIVATE_MODES), st.sampled_from("hl"))
ansi_mode = st.builds("\x1b[{}{}".format, st.sampled_from(ANSI_MODES), st.sampled_from("hl"))
link = st.sampled_from(("\x1b]8;;http://x/\x1b\\", "\x1b]8;;\x07"))
rare = st.sampled_from(("\x1b[!p", "\x1b[2 q", "\x1b[1;2A", "\x1b[s", "\x1b[u", "\x1b[3J"))

tokens = st.one_of(text, text, control, escape, sequence, sequence, look, private_mode, ansi_mode, link, rare)
streams = st.lists(tokens, max_size=60).map("".join)
"""Streams as text; `.encode()` is what the program writes."""
