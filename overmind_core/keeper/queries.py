"""The queries of a run's program to its terminal, and who owes each its one answer. Pure: time is an argument.

A terminal answers by itself what it is asked: its kind, the cursor's place, its colours. Of all terminals that show
the run, the active writer's answers. Where nobody is that, the terminal in memory does, which the supervisor
draws. A query is known by the offset behind it in the run's output: it is owed one answer, whoever comes, goes or dies,
and what others send to it is dropped. Only the keeper sees all of that in its order, and it lives as long as the run.
"""

from __future__ import annotations

import re
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Terminal = object
    """A viewer, for the terminal in front of it; compared by identity."""


PATIENCE = 1.0
"""Seconds that a person's terminal has for its answer. Programs wait two (crossterm, prompt_toolkit)."""
MOST_OPEN = 256
"""Queries that may wait for answers; a program that sends more reads none."""
MOST_EXPECTED = 64
"""Answers that are expected of one terminal."""
PASTE = b"\x1b[200~"
"""Begins pasted text (bracketed paste), in which nothing is a report."""

_END = rb"(?:\x07|\x1b\\)"
_TEXT = rb"[^\x07\x18\x1a\x1b]*"
_STATUS, _POSITION, _ATTRIBUTES = 1, 2, 3
PROGRAM_STATUS = b"\x1b]7501;?\x1b\\"
"""Asks whether a terminal takes the reports of the Program Status Protocol, and says that it does."""
_KINDS = (
    (rb"\[5n", rb"\[[03]n"),
    (rb"\[6n", rb"\[[0-9]+;[0-9]+R"),
    (rb"(?:\[0?c|Z)", rb"\[\?[0-9;:]*c"),
    (rb"\[\?6n", rb"\[\?[0-9]+;[0-9;]+R"),
    (rb"\[>0?c", rb"\[>[0-9;:]*c"),
    (rb"\[\??[0-9]{1,6}\$p", rb"\[\??[0-9;]+\$y"),
    (rb"\[18t", rb"\[8;[0-9;]+t"),
    (rb"\[19t", rb"\[9;[0-9;]+t"),
    (rb"\[\?u", rb"\[\?[0-9;]*u"),
    (rb"\]10;\?" + _END, rb"\]10;" + _TEXT + _END),
    (rb"\]11;\?" + _END, rb"\]11;" + _TEXT + _END),
    (rb"\]12;\?" + _END, rb"\]12;" + _TEXT + _END),
    (rb"P\$q[^\x07\x18\x1a\x1b]{0,16}\x1b\\", rb"P[01]\$r" + _TEXT + _END),
    (rb"P\+q[0-9A-Fa-f;]{0,256}\x1b\\", rb"P[01]\+r" + _TEXT + _END),
    (rb"\]7501;\?" + _END, rb"\]7501;\?" + _END),
)
"""Behind ESC: each query that the terminal in memory answers, and what a terminal sends back. Numbers count from 1.

Source: XTerm Control Sequences; the kitty keyboard protocol, "Detection of support".
"""
_OWN = {len(_KINDS): PROGRAM_STATUS}
"""Kind → the answer of the keeper itself, whoever looks: it takes these reports on behalf of all.

It must be there before the answer to any query that follows (pi asks for the attributes in the same write, and takes
those alone for a no), and no terminal of a person may say otherwise.
"""
_BY_ALL = frozenset((_STATUS, _POSITION, _ATTRIBUTES))
"""Kinds that every terminal answers: one that does not is not there, as its program is stopped or its line dead."""
_QUERY = re.compile(rb"\x1b(?:%s)" % b"|".join(b"(%s)" % query for query, _ in _KINDS))
_REPORT = re.compile(
    rb"\x1b(?:%s" % b"|".join(b"(%s)" % report for _, report in _KINDS)
    + rb"|\[(?:[?>=][0-9;:]*c|\??[0-9;]+n|[0-9;:]+t|[IO])"  # colour scheme, sizes, focus in and out
    + rb"|(?:\][0-9]+;|P[0-9>!]|_G)"
    + _TEXT
    + _END  # palette, version, graphics
    + rb")"
)
"""All that a terminal sends by itself; without a group what answers none of the queries above, or no query at all.

Source: as above; in-band resize notifications (mode 2048).
"""
_ESCAPE = re.compile(rb"\x1b")
_CUT = re.compile(
    rb"\x1b(?:\[[?>]?[0-9]{0,6}\$?|\](?:(?:1(?:[0-2])?|7(?:5(?:01?)?)?)?|(?:1[0-2]|7501);(?:\?\x1b?)?)|P(?:[$+](?:q[^\x07\x18\x1a\x1b]{0,256}\x1b?)?)?)?\Z"
)
_LONGEST = 264
"""Bytes of a query."""


class Query:
    """One that is owed an answer."""

    __slots__ = ("due", "end", "kind", "owner", "start")

    def __init__(self, kind: int, start: int, end: int, *, owner: Terminal | None, due: float) -> None:
        """`start`, `end`: where it stands in the output; `owner`: None for the terminal in memory."""
        self.kind = kind
        self.start = start
        self.end = end
        self.owner = owner
        self.due = due
        """When its owner is waited for no longer (seconds of this boot)."""

    @property
    def own_answer(self) -> bytes:
        """The answer that the keeper gives at once; empty: somebody else owes it."""
        return _OWN.get(self.kind, b"")


class TerminalQueries:
    """The queries of one run."""

    __slots__ = ("_cut", "_expected", "_open")

    def __init__(self) -> None:
        self._cut = b""
        """The beginning of what may be a query."""
        self._open: dict[int, Query] = {}
        """Those that are owed an answer, by their ends, in their order."""
        self._expected: dict[Terminal, deque[Query]] = {}
        """Terminal → queries that it has been shown and will answer, though perhaps for nobody."""

    def may_be_in(self, data: bytes | memoryview) -> bool:
        """Whether `data` is worth a look; most is not."""
        return bool(self._cut) or _ESCAPE.search(data) is not None

    def read(
        self,
        data: bytes | memoryview,
        end: int,
        *,
        active: Terminal | None,
        shown: Iterable[Terminal],
        now: float,
    ) -> list[Query]:
        """Return the queries that `data` completes, those with an `own_answer` among them.

        Args:
            data: The next output.
            end: The offset behind it.
            active: The terminal that answers; None: the one in memory.
            shown: All terminals that are shown it, and can send anything.
            now: Seconds of this boot.
        """
        text = self._cut + bytes(data)
        at = end - len(text)
        found: list[Query] = []
        for match in _QUERY.finditer(text):
            if len(self._open) >= MOST_OPEN:
                break
            assert match.lastindex is not None
            first, last = at + match.start(), at + match.end()
            query = Query(match.lastindex, first, last, owner=active, due=now + PATIENCE)
            if not query.own_answer:
                self._open[last] = query
            found.append(query)
        for terminal in shown if found else ():
            self._expected.setdefault(terminal, deque(maxlen=MOST_EXPECTED)).extend(found)
        cut = _CUT.search(text, max(0, len(text) - _LONGEST))
        self._cut = cut[0] if cut else b""
        return found

    def admit(self, terminal: Terminal, data: bytes, *, active: bool) -> tuple[bytes, bool]:
        """Return what of `data`, which cuts no sequence in two, is for the program, and whether a person typed any.

        An answer is, if this terminal owes it. Anything else that terminals send by themselves is if it is the active
        writer's.
        """
        if b"\x1b" not in data:
            return data, True
        head, paste, tail = data.partition(PASTE)
        typed = bool(paste or _REPORT.sub(b"", head))
        kept = _REPORT.sub(lambda report: report[0] if self._admits(terminal, report, active) else b"", head)
        return kept + paste + tail, typed

    def _admits(self, terminal: Terminal, report: re.Match[bytes], active: bool) -> bool:  # noqa: FBT001 - as above
        """Whether a report is for the program; the query that it answers is done with."""
        expected = self._expected.get(terminal, ())
        answered = [query for query in expected if query.kind == report.lastindex]
        if not answered:  # it answers none of these, or is F3 with modifiers, which looks like the cursor's position
            return active
        owed = next((query for query in answered if self._owes(terminal, query)), None)
        self._expected[terminal].remove(owed or answered[0])
        if owed is not None:
            del self._open[owed.end]
        return owed is not None

    def _owes(self, terminal: Terminal, query: Query) -> bool:
        return query.owner is terminal and query.end in self._open

    def leave(self, terminal: Terminal) -> bool:
        """A terminal is gone: return whether it leaves answers to the one in memory."""
        self._expected.pop(terminal, None)
        return self._hand_over({terminal})

    def expire(self, now: float) -> set[Terminal]:
        """Wait no longer for what is overdue; return the terminals that are not there, though nobody has said so.

        The one in memory takes their place. Where a terminal is there, it does not know what it was asked: then nobody
        answers.
        """
        overdue = [query for query in self._open.values() if query.owner is not None and query.due <= now]
        absent = {query.owner for query in overdue if query.owner is not None and query.kind in _BY_ALL}
        for query in overdue:
            if query.owner not in absent:
                del self._open[query.end]
        self._hand_over(absent)
        return absent

    def _hand_over(self, terminals: set[Terminal]) -> bool:
        left = [query for query in self._open.values() if query.owner in terminals]
        for query in left:
            query.owner = None
        return bool(left)

    @property
    def due(self) -> float | None:
        """When `expire` is to be called next; None while no person's terminal is waited for."""
        return min((query.due for query in self._open.values() if query.owner is not None), default=None)

    def for_memory(self) -> list[tuple[int, int]]:
        """Where the queries stand in the output that the terminal in memory owes an answer, in their order."""
        return [(query.start, query.end) for query in self._open.values() if query.owner is None]

    def answer(self, end: int) -> bool:
        """Return whether the terminal in memory owes the query before `end` an answer; it does so once."""
        query = self._open.get(end)
        if query is None or query.owner is not None:
            return False
        del self._open[end]
        return True
