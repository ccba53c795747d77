"""The search in the transcripts of all missions: the newest lines that people and agents said, or programs wrote.

Files are sieved as bytes, the ones that were written last first, and only those that may hold a hit are made readable.
It ends once no older file can hold a newer hit. A log in which a file is no regular one is not read.
"""

from __future__ import annotations

import os
import re
import signal
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from heapq import heappush, heappushpop
from typing import Any, BinaryIO, NamedTuple, Self

from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.log_pages.raw_sieve import JsonSieve, PlainSieve, needs_of
from overmind_core.log_pages.word_query import WordQuery
from overmind_core.logs.display import LONGEST, Line, RunDisplay
from overmind_core.logs.layout import ERR, OUT, data_name, data_starts
from overmind_core.logs.reader import RunLog
from overmind_core.logs.tail import at_moment, full_screen_bytes
from overmind_core.providers import registry
from overmind_core.providers.lines import FAILED, GEAR

Json = dict[str, Any]

HUMAN, _AGENT, _TOOL, _OUTPUT = "human", "agent", "tool", "output"
"""Speakers: a person, the agent itself, a tool that it uses, or its program."""
_FIGURE = r"(?:\d+ turns?|\d+(?:\.\d)? s|\d+ min \d+ s|\d+ h \d+ min|~?\$[\d.]+|[\d.]+[kM]? in / [\d.]+[kM]? out)"
_ASIDE = re.compile(
    rf"— (?:turn over|{_FIGURE}(?:, {_FIGURE})*|the conversation was summarised to make room) —"
    r"|… .*: try \d+ of \d+ in [\d.]+ s"
)
_TOOL_LINE = re.compile(rf"\s*{GEAR} (.*) → (?:ok|no answer|{FAILED} (?:failed|(.*?)))(?:, \d+\.\d s)?", re.DOTALL)
_QUESTION_LINE = re.compile(r"\s*\? (?:permission|question|plan|setup|draft): (.*)", re.DOTALL)
_FAILURE_LINE = re.compile(rf"{FAILED} [a-z_]+(?: \d+)?(?:: (.*))?", re.DOTALL)
SAID_KINDS = {"prompt": HUMAN, "message_delivered": HUMAN, "answer_found": _AGENT}
"""Types of the events that repeat what was said → who said it."""
_HUMAN_LEAD = "[human] "
LONGEST_LINE = 2000
"""Characters of a hit; of a longer line those around the first word."""
_PART = 1 << 20
"""Bytes of a stream that are sieved at once."""
_LEAD = 128 << 10
"""Bytes before a part of an agent's output in which the calls began that return in it."""
_WORTH_A_PROCESS = 4 << 20
"""Bytes."""
_RULED_OUT = b"0"
_MOST_LINES = 10_000
"""Lines that count as one message."""


class TranscriptHit(NamedTuple):
    """A line that has the words. `at`: seconds since the epoch."""

    at: float
    mission: str
    name: str
    provider: str | None
    run: int
    who: str
    line: str


class Found(NamedTuple):
    """The newest hits, and what was left out."""

    hits: list[TranscriptHit]
    has_more: bool
    unread: list[str]
    """Folders of logs in which a file is no regular one, or can't be read."""


class LoggedFile(NamedTuple):
    """The log of one run, as far as its files tell without being opened."""

    written_at: float
    size: int
    """Bytes; of many files, of the newest."""
    mission: Json
    run: int
    path: str
    format: str | None
    starts: tuple[Sequence[int], Sequence[int]]
    """Of the segments of each stream."""


class _SecondSieve:
    """A process that sieves the older half of many logs while the newer one is searched; it ends with the block.

    Sieving is all that most logs need, and takes a core for as long as it lasts.
    """

    def __init__(self, may_hold: Callable[[LoggedFile], bool], files: Sequence[LoggedFile]) -> None:
        self._may_hold = may_hold
        self._older = files[(len(files) + 1) // 2 :]
        self._first = len(files) - len(self._older)
        self._process = 0
        self._answers: BinaryIO | None = None

    def __enter__(self) -> Self:
        if sum(one.size for one in self._older) < _WORTH_A_PROCESS or os.cpu_count() == 1:
            return self
        reader, writer = os.pipe()
        self._process = os.fork()
        if self._process:
            os.close(writer)
            self._answers = open(reader, "rb")
            return self
        try:
            os.close(reader)
            for file in self._older:
                os.write(writer, self._answer(file))
        finally:
            os._exit(0)

    def __exit__(self, *_: object) -> None:
        if self._answers is not None:
            self._answers.close()
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)

    def has_ruled_out(self, number: int) -> bool:
        """Whether a log was sieved, and holds no hit."""
        return number >= self._first and self._answers is not None and self._answers.read(1) == _RULED_OUT

    def _answer(self, file: LoggedFile) -> bytes:
        try:
            return b"1" if self._may_hold(file) else _RULED_OUT
        except OSError:
            return b"1"


class TranscriptSearch:
    """One search.

    Args:
        query: The words.
        limit: Of hits.
        since: Seconds since the epoch; None: whenever.
    """

    def __init__(self, query: WordQuery, *, limit: int, since: float | None = None) -> None:
        self._query = query
        self._needs = needs_of(query.pieces)
        self._plain = PlainSieve(query, self._needs)
        self._limit = limit
        self._since = since
        self._hits: list[tuple[float, int, TranscriptHit]] = []
        """A heap, with the oldest one first."""
        self._count = 0
        self._unread: list[str] = []

    def run(self, missions: Sequence[Json]) -> Found:
        """Search missions, as the answer to `logs` describes them, with their people's messages as annotations."""
        for mission in missions:
            for note in mission["annotations"]:
                if note["kind"] in SAID_KINDS and self._is_wanted(note["at"]):
                    lines = str(note["text"]).removeprefix(_HUMAN_LEAD).splitlines()
                    who = SAID_KINDS[note["kind"]]
                    self._add_message(mission, int(note["run"] or 1), who, [(note["at"], line) for line in lines])
        files = [one for one in self._files(missions) if self._is_wanted(one.written_at)]
        files.sort(key=lambda one: one.written_at, reverse=True)
        ended_early = False
        with _SecondSieve(self._may_hold, files) as second:
            for number, file in enumerate(files):
                if self._hits and len(self._hits) >= self._limit and self._hits[0][0] > file.written_at:
                    ended_early = True
                    break
                if second.has_ruled_out(number):
                    continue
                try:
                    self._search(file)
                except OSError:
                    self._unread.append(file.path)
        hits = [hit for _, _, hit in sorted(self._hits, reverse=True)]
        return Found(hits, has_more=ended_early or self._count > len(hits), unread=self._unread)

    def _may_hold(self, file: LoggedFile) -> bool:
        """Whether a log may hold a hit, as far as its bytes tell."""
        for stream in (OUT, ERR):
            is_agent = stream == OUT and file.format is not None
            sieve = self._sieve_of(str(file.format)) if is_agent else self._plain
            begin = file.starts[stream][0] if file.starts[stream] else None
            if begin is not None and any(sieve.passes(raw) for _, raw in _parts(file, stream, begin)):
                return True
        return False

    def _is_wanted(self, wall: float) -> bool:
        return self._since is None or wall >= self._since

    def _files(self, missions: Iterable[Json]) -> Iterator[LoggedFile]:
        """The logs of all runs that have written anything."""
        for mission in missions:
            for run in mission["runs"]:
                if file := self._file(mission, run):
                    yield file

    def _file(self, mission: Json, run: Json) -> LoggedFile | None:
        """A run's log; None where there is none, or none that can be read. Most are one file: one look tells."""
        path, number, format_ = from_wire(str(run["path"])), int(run["number"]), run["format"]
        whole = -1 if run.get("err", 1) else run.get("out") or -1
        try:
            if (status := os.lstat(f"{path}/{data_name(OUT, 0)}")).st_size == whole and stat.S_ISREG(status.st_mode):
                return LoggedFile(status.st_mtime, whole, mission, number, path, format_, ([0], []))
        except OSError:
            pass  # it begins later, or says nothing
        try:
            names = os.listdir(path)
            starts = data_starts(names, OUT), data_starts(names, ERR)
            newest = [data_name(stream, each[-1]) for stream, each in enumerate(starts) if each]
            found = [os.lstat(f"{path}/{name}") for name in newest]
        except FileNotFoundError:
            return None
        except OSError:
            self._unread.append(path)
            return None
        if not found:
            return None
        size = sum(one.st_size for one in found)
        return LoggedFile(max(one.st_mtime for one in found), size, mission, number, path, format_, starts)

    def _search(self, file: LoggedFile) -> None:
        for stream in (OUT, ERR):
            if not file.starts[stream]:
                continue
            if stream == OUT and file.format is not None:
                self._search_agent(file, file.format)
            else:
                self._search_plain(file, stream)

    def _search_agent(self, file: LoggedFile, format_: str) -> None:
        """Search what an agent said, message by message, and its tools."""
        sieve = self._sieve_of(format_)
        start = self._start(file, OUT)
        first: int | None = None
        for at, raw in _parts(file, OUT, start):
            has_all = sieve.passes(raw)
            first = at if first is None and sieve.has_any else first
            if has_all:
                break
        else:
            return
        _check_files(file)
        self._search_readable(file, format_, max((first or 0) - _LEAD, file.starts[OUT][0]))

    def _search_readable(self, file: LoggedFile, format_: str, offset: int) -> None:
        from overmind_core.logs.transcript import LogSelection  # noqa: PLC0415 - start-up: most logs have no hit

        log = RunLog(file.path)
        selection = LogSelection(renderers=registry.renderer)
        rendered = selection.rendered(log, format_, (offset, 0))
        display = RunDisplay(since=(offset, 0), rendered=rendered)
        if rendered is None:
            self._search_plain(file, OUT)
            return
        said: list[tuple[float, str]] = []
        for wall, _, text in _lines(log, display, OUT, offset, log.end[OUT]):
            who, own = _speaker_of(text)
            if who == _AGENT and len(said) < _MOST_LINES:
                said.append((wall, text))
                continue
            self._add_message(file.mission, file.run, _AGENT, said)
            said = [(wall, text)] if who == _AGENT else []
            if own and who != _AGENT and self._query.matches(own):
                self._add(TranscriptHit(wall, *_columns_of(file.mission), file.run, who, text.strip()))
        self._add_message(file.mission, file.run, _AGENT, said)

    def _sieve_of(self, format_: str) -> JsonSieve:
        return JsonSieve(self._needs, registry.text_pieces(format_))

    def _search_plain(self, file: LoggedFile, stream: int) -> None:
        """Search a stream of which each line stands for itself."""
        log = RunLog(file.path)
        for offset, raw in _parts(file, stream, self._start(file, stream)):
            if not self._plain.passes(raw):
                continue
            _check_files(file)
            since = (offset, 0) if stream == OUT else (0, offset)
            display = RunDisplay(since=since, full_screen=full_screen_bytes(log, stream, offset) if offset else 0)
            for wall, _, text in _lines(log, display, stream, offset, offset + len(raw)):
                if self._query.matches(text):
                    self._add(TranscriptHit(wall, *_columns_of(file.mission), file.run, _OUTPUT, text.strip()))

    def _start(self, file: LoggedFile, stream: int) -> int:
        """Where the lines begin that are wanted."""
        first = file.starts[stream][0]
        if self._since is None:
            return first
        _check_files(file)
        return max(at_moment(RunLog(file.path), self._since)[stream], first)

    def _add_message(self, mission: Json, run: int, who: str, lines: Sequence[tuple[float, str]]) -> None:
        for number in self._query.found_in([text for _, text in lines]) if lines else ():
            wall, text = lines[number]
            self._add(TranscriptHit(wall, *_columns_of(mission), run, who, text.strip()))

    def _add(self, hit: TranscriptHit) -> None:
        if not self._is_wanted(hit.at):
            return
        self._count += 1
        if len(hit.line) > LONGEST_LINE:
            place = max(self._query.place_in(hit.line) - LONGEST_LINE // 2, 0)
            hit = hit._replace(line=hit.line[place : place + LONGEST_LINE])
        entry = (hit.at, self._count, hit)
        if len(self._hits) < self._limit:
            heappush(self._hits, entry)
        else:
            heappushpop(self._hits, entry)


def unrecorded(logs: str, known: Collection[str]) -> list[Json]:
    """Return the folders of logs without a record, as the answer to `logs` would describe their missions.

    Args:
        logs: The folder of all logs.
        known: The ids of the missions that have one.
    """
    try:
        names = sorted(set(os.listdir(logs)).difference(known))
    except OSError:
        return []
    about: Json = {"name": "", "provider": None, "annotations": []}
    return [{**about, "id": to_wire(name), "runs": _kept_runs(f"{logs}/{name}")} for name in names]


def _kept_runs(folder: str) -> list[Json]:
    try:
        names = sorted(name for name in os.listdir(folder) if name.isascii() and name.isdigit())
    except OSError:
        return []
    paths = ((int(name), f"{folder}/{name}") for name in names)
    return [{"number": number, "path": to_wire(path), "format": _format_of(path)} for number, path in paths]


def _format_of(path: str) -> str | None:
    """Whose lines a log holds, by its first one."""
    with suppress(OSError):
        for _, data in _blocks(LoggedFile(0.0, 0, {}, 0, path, None, (data_starts(os.listdir(path), OUT), ())), OUT, 0):
            return registry.recognised(data.partition(b"\n")[0])
    return None


def _check_files(file: LoggedFile) -> None:
    """Refuse a log that is not made of regular files: its readers would wait for a pipe, or follow a link.

    Raises:
        OSError: It is not.
    """
    with os.scandir(file.path) as entries:
        if odd := next((one.name for one in entries if not one.is_file(follow_symlinks=False)), None):
            raise OSError(f"{file.path}/{odd}: no regular file")


def _speaker_of(line: str) -> tuple[str, str]:
    """Return whose line of a transcript this is, and the part of its text that is theirs: "" where all is ours."""
    if _ASIDE.fullmatch(line):
        return _OUTPUT, ""
    if found := _TOOL_LINE.fullmatch(line):
        return _TOOL, " ".join(filter(None, found.groups()))
    if found := _QUESTION_LINE.fullmatch(line):
        return _TOOL, found[1]
    if found := _FAILURE_LINE.fullmatch(line):
        return _OUTPUT, found[1] or ""
    return _AGENT, line


def _columns_of(mission: Json) -> tuple[str, str, str | None]:
    return str(mission["id"]), str(mission["name"]), mission.get("provider")


def _lines(log: RunLog, display: RunDisplay, stream: int, start: int, end: int) -> Iterator[Line]:
    """The lines of one stream between two offsets."""
    since, until = ((start, 0), (end, 0)) if stream == OUT else ((0, start), (0, end))
    for chunk in log.interleaved(since, until):
        yield from display.feed(chunk)
    yield from display.finish()


def _parts(file: LoggedFile, stream: int, start: int) -> Iterator[tuple[int, bytes]]:
    """The bytes of a stream from an offset on, in parts that end with a line where one ends; with the offset of each.

    Raises:
        OSError: A segment is no regular file, or can't be read.
    """
    kept: list[bytes] = []
    size, offset = 0, start
    for at, data in _blocks(file, stream, start):
        if at != offset + size:  # retention has removed what was between
            if kept:
                yield offset, b"".join(kept)
            kept, size, offset = [], 0, at
        newline = data.rfind(b"\n") + 1
        if size + len(data) >= LONGEST:
            newline = newline or len(data)
        kept.append(data[:newline] if newline else data)
        size += len(kept[-1])
        if newline:
            yield offset, kept[0] if len(kept) == 1 else b"".join(kept)
            offset += size
            kept = [data[newline:]] if newline < len(data) else []
            size = len(data) - newline
    if kept:
        yield offset, b"".join(kept)


def _blocks(file: LoggedFile, stream: int, start: int) -> Iterator[tuple[int, bytes]]:
    """The same as they are read: a file at a time, or a part of it."""
    starts = file.starts[stream]
    for number, first in enumerate(starts):
        if number + 1 < len(starts) and starts[number + 1] <= start:
            continue
        try:
            opened = os.open(
                f"{file.path}/{data_name(stream, first)}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            )
        except FileNotFoundError:
            continue
        try:
            status = os.fstat(opened)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(f"{file.path}: no regular file")
            at = max(start - first, 0)
            while data := os.pread(opened, min(_PART, status.st_size - at), at) if at < status.st_size else b"":
                yield first + at, data
                at += len(data)
        finally:
            os.close(opened)
