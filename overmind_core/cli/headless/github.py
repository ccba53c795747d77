"""What GitHub Actions reads besides the output: groups and annotations on stdout, and a step summary. Pure.

Source: docs.github.com, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import html

from overmind_core.cli.headless.outcome import lasted
from overmind_core.domain.cells import display_safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from overmind_core.cli.headless.outcome import Result

END_GROUP = "::endgroup::"
_SHOWN_LINES = 40
"""Of a failed mission's output, in the summary."""


def begin_group(title: str) -> str:
    """Return the line that begins a folded part of the output."""
    return f"::group::{_data(display_safe(title))}"


def error_lines(result: Result) -> list[str]:
    """Return an error for each mission that failed, or for the run when none could."""
    found = [
        f"::error title={_property(display_safe(one.name))}::{_data(display_safe(failure))}"
        for one in result.outcomes
        if (failure := result.failure(one))
    ]
    if not found and result.trouble:
        found.append(f"::error title=overmind::{_data(display_safe(result.trouble))}")
    return found


def step_summary(result: Result) -> str:
    """Return the summary as Markdown."""
    lines = [
        f"### {'❌' if result.exit_status else '✅'} {_cell(result.name)}",
        "",
        *([f"{_cell(result.trouble)}", ""] if result.trouble else []),
    ]
    if result.graph:
        lines += ["```mermaid", result.graph.rstrip("\n"), "```", ""]
    if result.outcomes:
        lines += [f"| {result.noun} | status | exit code | duration | restarts |", "| --- | --- | ---: | ---: | ---: |"]
    for one in result.outcomes:
        status = one.status if one.reason is None else f"{one.status} ({one.reason})"
        code = "-" if one.exit_code is None else one.exit_code
        lines.append(f"| {_cell(one.name)} | {_cell(status)} | {code} | {lasted(one.seconds)} | {one.restarts} |")
    for one in result.outcomes:
        if result.failure(one) and one.output:
            last = html.escape("\n".join(one.output.splitlines()[-_SHOWN_LINES:]), quote=False)
            lines += ["", f"<details><summary>The end of {_cell(one.name)}</summary>", "", f"<pre>{last}</pre>", "",
                      "</details>"]  # fmt: skip
    return "\n".join(lines) + "\n\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _cell(text: str) -> str:
    """Text as it is, whatever Markdown would make of it."""
    safe = html.escape(display_safe(text), quote=False)
    return "".join(f"\\{character}" if character in "\\`*_[]|#~" else character for character in safe)
