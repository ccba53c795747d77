"""The terminal driver: Textual's own with our tokenizer, and with a writer that a stopped terminal cannot hold up.

Textual's parser is only given whole sequences that it knows, so that none can make it fail, wait or type. The writer is
a thread with a description of its own that never makes it wait, so that a terminal that takes nothing can be left.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import select
import selectors
import signal
import threading
import time
from collections.abc import Iterator
from typing import IO, Any

from textual import constants, events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from overmind_core.system.selectable_event import SelectableEvent
from overmind_tui.shell.frame import Frame
from overmind_tui.shell.keys import Token, Tokenizer, TokenKind
from overmind_tui.shell.messages import Tapped, TerminalGone
from overmind_tui.shell.settings import Settings
from overmind_tui.terminal import input_tap
from overmind_tui.terminal.input_tap import InputTap, Part

PIECE = 1 << 14
"""Bytes offered to the terminal at once."""
LAST_SECONDS = 1.0
"""How long the terminal may take nothing of what is to be shown at the end."""


class TerminalWriter(threading.Thread):
    """As Textual's own writer, but frames never queue up: see `behind`.

    Args:
        file: The terminal as it was opened by who started us.
    """

    def __init__(self, file: IO[str]) -> None:
        super().__init__(daemon=True, name="terminal-output")
        self._file = file
        self._fd, self._own = _opened(file)
        self._unsent = bytearray()
        self._news = threading.Condition()
        self._ends_at: float | None = None

    @property
    def behind(self) -> bool:
        """Whether the terminal has not taken all that was written: no further frame is due."""
        return bool(self._unsent)

    def write(self, text: str) -> None:
        """Write behind what waits."""
        with self._news:
            self._unsent += text.encode("utf-8", "replace")
            self._news.notify()

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        """As the file is."""
        return self._file.isatty()

    def fileno(self) -> int:
        """The file's descriptor."""
        return self._file.fileno()

    def run(self) -> None:
        """Write until `stop`, or until the terminal is gone."""
        while self._wait():
            try:
                self._write_some()
            except BlockingIOError:
                self._until_writable()
            except OSError:  # the terminal is gone; who reads it notices
                with self._news:
                    self._unsent.clear()

    def stop(self) -> None:
        """Have the rest written, as far as the terminal takes it soon, and end."""
        with self._news:
            self._ends_at = time.monotonic() + LAST_SECONDS
            self._news.notify()
        if self.ident is not None:
            self.join()
        if self._own:
            with contextlib.suppress(OSError):
                os.close(self._fd)

    def _wait(self) -> bool:
        """Until there is something to write; whether to go on."""
        with self._news:
            while not self._unsent and self._ends_at is None:
                self._news.wait()
            return bool(self._unsent) and (self._ends_at is None or time.monotonic() < self._ends_at)

    def _write_some(self) -> None:
        written = os.write(self._fd, self._unsent[:PIECE])
        with self._news:
            del self._unsent[:written]
            if self._ends_at is not None:
                self._ends_at = time.monotonic() + LAST_SECONDS

    def _until_writable(self) -> None:
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        poll.poll(100)


def _opened(file: IO[str]) -> tuple[int, bool]:
    """A descriptor to write to, and whether it is ours alone."""
    try:
        return os.open(os.ttyname(file.fileno()), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC), True
    except OSError:
        return file.fileno(), False


linux_driver.WriterThread = TerminalWriter  # type: ignore[attr-defined,assignment] # the one place where Textual makes its writer

ESCAPE_SECONDS = 0.025
REMOTE_ESCAPE_SECONDS = 0.150
"""Over a network a sequence may come in pieces."""
REMOTE_FRAME_SECONDS = 1 / 15
"""Over a network frames come no faster than anybody needs."""
_POLL_PENDING = 0.005
_CHUNK = 4096
_REPORTS = "MmIOytR"
KEYBOARD_FLAGS_BACK = "\x1b[<u"
"""Takes the newest flags of kitty's keyboard protocol off the terminal's stack."""
PLAIN = "\x1b[m"
"""Text without colours and attributes."""


def is_remote() -> bool:
    """Whether the terminal is at the other end of a network."""
    return any(name in os.environ for name in ("SSH_CONNECTION", "SSH_TTY", "MOSH_SERVER_PID"))


def escape_seconds(milliseconds: int = 0) -> float:
    """How long a lone Esc waits here; 0 milliseconds: as long as suits the terminal."""
    return milliseconds / 1000 or (REMOTE_ESCAPE_SECONDS if is_remote() else ESCAPE_SECONDS)


def frame_seconds(fps: int = 0) -> float:
    """The least time between two frames here; 0 frames a second: as many as suit the terminal."""
    return max(REMOTE_FRAME_SECONDS if is_remote() else 0.0, 1 / fps if fps else 0.0)


class Driver(LinuxDriver):
    """Reads and writes the terminal that the program was started on.

    Attributes:
        tap: While there is one, it cuts what is read, for a mission's terminal; None: all of it is for the program.
        escape_seconds: How long a lone Esc waits for company.
        frame: What the terminal shows by now.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - whatever Textual hands on
        super().__init__(*args, **options)
        assert self._file is not None
        self._file = _Calm(self._file)  # type: ignore[assignment] # a file as far as it is used
        self.exit_event: SelectableEvent = SelectableEvent()
        self._parser = XTermParser()
        self.tap: InputTap | None = None
        self._tapping: InputTap | None = None
        self._settings = getattr(self._app, "settings", None) or Settings()
        self.escape_seconds = escape_seconds(self._settings.escape_ms)
        self._tokenizer = Tokenizer(self.escape_seconds)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._frame_seconds = frame_seconds(self._settings.fps)
        self._framed_at = 0.0
        self._away = False
        self._stopped = False
        self.frame = Frame()
        self._listen()

    def start_application_mode(self) -> None:
        """Have the terminal: nobody knows what it shows."""
        self.frame.forget()
        super().start_application_mode()  # type: ignore[no-untyped-call] # Textual has no types here

    def stop_application_mode(self) -> None:
        """Give the terminal back, with colours as they were."""
        self.write(PLAIN)
        super().stop_application_mode()

    def _listen(self) -> None:
        """Stop and go on between two steps of the loop.

        Textual does so in the middle of whatever is going on: when that is writing, it waits for a thread that waits
        for what it holds. And it begins anew, with a second reader of keys, when it goes on though it had not stopped.
        """
        loop = asyncio.get_running_loop()
        with contextlib.suppress(RuntimeError, ValueError):  # not in the main thread: somebody else's signals
            loop.add_signal_handler(signal.SIGTSTP, self._stop)
            loop.add_signal_handler(signal.SIGCONT, self._go_on)

    def _stop(self) -> None:
        """Give the terminal back, unless another program has it, which is stopped as well; and sleep."""
        if not self._away:
            self.suspend_application_mode()
            self._stopped = self._must_signal_resume = True
        os.kill(os.getpid(), signal.SIGSTOP)

    def _go_on(self) -> None:
        """Have the terminal again, if it was given back; in the background that is refused, and tried next time."""
        if self._stopped:
            reader = self._key_thread
            self.resume_application_mode()
            self._stopped = self._away = self._key_thread is reader

    def suspend_application_mode(self) -> None:
        """Let another program have the terminal."""
        super().suspend_application_mode()
        self._away = True

    def resume_application_mode(self) -> None:
        """Have it again."""
        self._away = False
        super().resume_application_mode()

    def write(self, data: str) -> None:
        """Write, unless another program has the terminal: nobody would take it from the queue.

        Textual takes keyboard flags off at its end also where it has set none: they are those of who started us.
        """
        is_of_others = data == KEYBOARD_FLAGS_BACK and constants.DISABLE_KITTY_KEY
        if not (self._away or is_of_others):
            super().write(data)

    def take_frame(self) -> bool:
        """Whether a frame is due now; while the terminal has not taken the last one, or a moment after it, none is."""
        now = time.monotonic()
        if now < self._framed_at + self._frame_seconds or getattr(self._writer_thread, "behind", False):
            return False
        self._framed_at = now
        return True

    def adopt(self, settings: Settings) -> None:
        """Do as these settings say from now on; a mouse that is not taken is the terminal's."""
        self._settings = settings
        self.escape_seconds = self._tokenizer.escape_seconds = escape_seconds(settings.escape_ms)
        self._frame_seconds = frame_seconds(settings.fps)
        if settings.mouse and not self._mouse:
            self._mouse = True
            self._enable_mouse_support()
        elif self._mouse and not settings.mouse:
            self._disable_mouse_support()
            self._mouse = False

    def run_input_thread(self) -> None:
        """Read keys until the program ends, or the terminal does."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self.exit_event, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                ready = selector.select(_POLL_PENDING if self._pending else None)
                if any(key.fileobj == self.fileno for key, _ in ready):
                    data = self._read()
                    if not data:
                        self.send_message(TerminalGone())
                        return
                    self._take(data, time.monotonic())
                self._let_pass(time.monotonic())

    @property
    def _pending(self) -> bool:
        return self._tokenizer.pending or (self._tapping is not None and self._tapping.pending)

    def _take(self, data: bytes, now: float) -> None:
        """Something was read."""
        self._change_tap(now)
        if self._tapping is None:
            self._post(self._tokenizer.feed(self._decode(data), now))
        else:
            self._post_tapped(self._tapping.feed(data, now), now)

    def _let_pass(self, now: float) -> None:
        """Some time went by."""
        if self._tapping is not None:
            self._post_tapped(self._tapping.tick(now), now)
        self._post(self._tokenizer.tick(now))

    def _change_tap(self, now: float) -> None:
        """Somebody else has the terminal from now on; half a sequence that waits is theirs."""
        if self._tapping is not self.tap:
            rest = self._tapping.remainder() if self._tapping is not None else b""
            self._tapping = self.tap
            if self._tapping is None and rest:
                self._post(self._tokenizer.feed(self._decode(rest), now))

    def _post_tapped(self, parts: Iterator[Part], now: float) -> None:
        """Hand on what is for the mission's terminal; our own sequences, and what comes after leaving, are keys."""
        theirs: list[Part] = []
        for part in parts:
            if part.kind is not input_tap.PartKind.AFTER:
                theirs.append(part)
            if part.kind is input_tap.PartKind.LEFT:
                self._tapping = self.tap = None
            if part.kind in {input_tap.PartKind.OURS, input_tap.PartKind.AFTER}:
                self._hand_over(theirs)
                self._post(self._tokenizer.feed(self._decode(part.data), now))
        self._hand_over(theirs)

    def _hand_over(self, parts: list[Part]) -> None:
        if parts:
            self.send_message(Tapped(tuple(parts)))
            parts.clear()

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
        if token.kind is TokenKind.PASTE:
            yield events.Paste(token.text)
        elif token.kind is TokenKind.KEY:
            yield events.Key(token.text, None)
        elif token.kind is TokenKind.CHARACTER or token.text in ANSI_SEQUENCES_KEYS or token.text[-1] in _REPORTS:
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
