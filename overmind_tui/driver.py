"""Our way of reading the terminal: Textual's driver with our tokenizer, and with an end of the terminal that is calm.

Textual's own parser is only given whole sequences that it knows, so that none can make it fail, wait or type.
"""

from __future__ import annotations

import codecs
import os
import selectors
import time
from collections.abc import Iterator
from typing import IO, Any

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from overmind_tui.messages import TerminalGone
from overmind_tui.sequences import Kind, Token, Tokenizer

ESCAPE_SECONDS = 0.025
REMOTE_ESCAPE_SECONDS = 0.150
"""Over a network a sequence may come in pieces."""
_POLL, _POLL_PENDING = 0.1, 0.02
_CHUNK = 4096
_REPORTS = "MmIOytR"


def escape_seconds() -> float:
    """How long a lone Esc waits here."""
    remote = any(name in os.environ for name in ("SSH_CONNECTION", "SSH_TTY", "MOSH_SERVER_PID"))
    return REMOTE_ESCAPE_SECONDS if remote else ESCAPE_SECONDS


class Driver(LinuxDriver):
    """Reads and writes the terminal that the program was started on."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - whatever Textual hands on
        super().__init__(*args, **options)
        assert self._file is not None
        self._file = _Calm(self._file)  # type: ignore[assignment]
        self._parser = XTermParser()

    def run_input_thread(self) -> None:
        """Read keys until the program ends, or the terminal does."""
        tokenizer = Tokenizer(escape_seconds())
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_POLL_PENDING if tokenizer.pending else _POLL):
                    data = self._read()
                    if not data:
                        self.send_message(TerminalGone())
                        return
                    self._post(tokenizer.feed(decode(data), time.monotonic()))
                self._post(tokenizer.tick(time.monotonic()))

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, _CHUNK)
        except OSError:
            return b""

    def _post(self, tokens: Iterator[Token]) -> None:
        for token in tokens:
            for message in self._messages(token):
                self.process_message(message)

    def _messages(self, token: Token) -> Iterator[Message]:
        if token.kind is Kind.PASTE:
            yield events.Paste(token.text)
        elif token.kind is Kind.KEY:
            yield events.Key(token.text, None)
        elif token.kind is Kind.CHARACTER or token.text in ANSI_SEQUENCES_KEYS or token.text[-1] in _REPORTS:
            yield from self._parsed(token.text)

    def _parsed(self, text: str) -> list[Message]:
        try:
            return list(self._parser.feed(text))
        except Exception:  # noqa: BLE001 - a foreign parser: whatever it stumbles over is one key lost
            self._parser = XTermParser()
            return []


class _Calm:
    """A terminal to write to, whose end is no error: the reader notices it and the program leaves in order."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        try:
            self._file.flush()
        except (OSError, ValueError):
            return

    def isatty(self) -> bool:
        return self._file.isatty()

    def fileno(self) -> int:
        return self._file.fileno()
