"""What a program tells its terminal apart from text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TitleChanged:
    """The window has another title (OSC 0 or 2)."""

    title: str


@dataclass(frozen=True, slots=True)
class Bell:
    """It rang, once or several times in a row."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A person should read this (OSC 9 has no title, OSC 777 has one)."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Clipboard:
    """Text for a clipboard (OSC 52); `selection`: letters such as `c` (clipboard) or `p` (primary), or ""."""

    selection: str
    data: bytes


@dataclass(frozen=True, slots=True)
class PromptMark:
    """A shell marks its prompt (OSC 133): A prompt, B input, C output begins, D the command ended."""

    kind: str
    status: int | None
    """Exit code of the command, with D."""


@dataclass(frozen=True, slots=True)
class FolderChanged:
    """The program works in another folder (OSC 7)."""

    host: str
    path: str


Event = TitleChanged | Bell | Notification | Clipboard | PromptMark | FolderChanged
