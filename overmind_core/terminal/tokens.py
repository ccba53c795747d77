"""The one regular expression that finds most of a terminal's language whole.

Text behind a colour or a line end belongs to the same token: that is how most output looks, and each token costs.
"""

from __future__ import annotations

import re
from enum import IntEnum

from overmind_core.terminal.width import NARROW, WIDE


class Kind(IntEnum):
    """What a token is, as the number of its last group."""

    PLAIN_FLOOD = 1
    """Many plain lines."""
    TEXT = 2
    STYLED = 4
    """SGR (group 3) and the text behind it."""
    SEQUENCE = 7
    """A control sequence: prefix (5), numbers (6), the rest."""
    STYLED_FLOOD = 8
    """A line end and many lines of text and SGR behind it."""
    LINE = 9
    """A line end and the text behind it."""
    CONTROL = 10
    """A control, or a sequence that another escape cuts off."""
    NARROW = 11
    """Text of characters of one cell."""
    WIDE = 12
    """Text of characters of two cells."""
    ESCAPE = 13
    """An escape sequence without numbers."""
    COMMAND = 14
    """A whole system command."""
    STRING = 15
    """The beginning of any string."""
    ANY = 16
    """Any other character."""
    ODD = 17
    """An escape that begins a sequence which is cut, too long, or has controls inside."""


TOKEN = re.compile(
    r"((?:[ -~]*+\r\n){8,}+)"  # 1
    r"|([ -~]++)"  # 2
    r"|\x1b\[([0-9;:]{0,256}+)m([ -~]*+)"  # 3, 4
    r"|\x1b\[([<-?]?)([0-9;:]{0,256}+)([ -/]{0,4}+[@-~])"  # 5, 6, 7
    r"|\r\n((?:(?:[ -~]++|\x1b\[[0-9;:]{0,256}+m)*+\r\n){8,}+)"  # 8
    r"|\r\n([ -~]*+)"  # 9
    r"|([\x00-\x1a\x1c-\x1f\x7f]|\x1b(?:\[[ -?]{0,256}+|[ -/]{1,8}+)?(?=\x1b))"  # 10
    rf"|([ -~{NARROW}]++)"  # 11
    rf"|([{WIDE}]++)"  # 12
    r"|\x1b([ -/]{1,4}+[0-~]|[0-OQ-WYZ\\`-~])"  # 13
    r"|\x1b\]([^\x00-\x1f\x7f\x9c]{0,4096}+)(?:\x07|\x1b\\)"  # 14
    r"|\x1b([\]PX^_])"  # 15
    r"|([^\x00-\x1f\x7f])"  # 16
    r"|(\x1b)"  # 17
)
STRING_END = re.compile("[\x07\x18\x1a\x1b\x9c]")
CUT = re.compile(r"\x1b(?:\[[ -?]*+|[ -/]*+)\Z")
"""A sequence whose end is not there yet."""
REST = re.compile("[ -?]*+")
"""What a control sequence consists of before its last byte."""
