"""A JUnit report: one case for each mission. Pure.

Source: the schema that Jenkins' xunit plugin publishes; XML 1.0, 2.2 (which characters may be in a document).
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from overmind_core.cli.headless.outcome import Outcome, Result

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(result: Result) -> str:
    """Return the report as an XML document."""
    failures = sum(1 for one in result.outcomes if result.failure(one))
    errors = 0 if result.outcomes else 1
    began = next((one.started_at for one in result.outcomes if one.started_at), None)
    counts = {
        "tests": len(result.outcomes) or 1,
        "failures": failures,
        "errors": errors,
        "skipped": sum(1 for one in result.outcomes if _skipped(result, one)),
        "time": f"{sum(one.seconds for one in result.outcomes):.3f}",
    }
    stamp = {} if began is None else {"timestamp": began.rstrip("Z")}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        _open("testsuites", name="overmind", **counts),
        _open("testsuite", name=result.name, **counts, **stamp),
        *(line for one in result.outcomes for line in _case(result, one)),
        *([] if result.outcomes else _nothing(result)),
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(result: Result, outcome: Outcome) -> Iterator[str]:
    yield _open("testcase", classname=result.classname, name=outcome.name, time=f"{outcome.seconds:.3f}")
    failure = result.failure(outcome)
    if failure:
        opened = _open("failure", type=outcome.reason or outcome.status, message=failure)
        yield f"{opened}{_text(outcome.detail)}</failure>"
    elif outcome.skipped:
        yield f"{_open('skipped', message=outcome.skipped)}</skipped>"
    if outcome.output:
        left_out = f"[{outcome.dropped} characters left out]\n" if outcome.dropped else ""
        yield f"<system-out>{_text(left_out + outcome.output)}</system-out>"
    yield "</testcase>"


def _skipped(result: Result, outcome: Outcome) -> bool:
    return bool(outcome.skipped) and not result.failure(outcome)


def _nothing(result: Result) -> Iterator[str]:
    """The case of a run that could not begin."""
    yield _open("testcase", classname="overmind", name="start", time="0.000")
    yield f"{_open('error', type='error', message=result.trouble)}</error>"
    yield "</testcase>"


def _open(tag: str, **attributes: object) -> str:
    words = (f"{name}={quoteattr(_clean(str(value)))}" for name, value in attributes.items())
    return f"<{tag} {' '.join(words)}>"


def _text(text: str) -> str:
    return escape(_clean(text))


def _clean(text: str) -> str:
    """Leave out what no XML document may hold, not even escaped."""
    return _NO_XML.sub("", text)
