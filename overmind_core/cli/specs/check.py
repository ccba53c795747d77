"""`overmind spec check`: what documents of a spec are worth, without a daemon and without an agent."""

from __future__ import annotations

import os

from overmind_core.cli.command import JSON, Command, argument, option
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.values import share
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.domain.text.cells import did_you_mean, display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping
    from typing import Any

    from overmind_core.domain.specs.check import CheckContext, DocumentVerdict
    from overmind_core.domain.specs.reading import Reading
    from overmind_core.domain.specs.spec import PhaseName

    CheckedFile = tuple[str, DocumentVerdict]


INPUTS = "OVERMIND_IN"
"""Variable with the folder that an attempt of a quest is given; an agent checks its document by those in there."""


def spec_check(args: Namespace, context: Context) -> int:
    """Print what each document is worth; fail when one of them doesn't pass."""
    from overmind_core.domain.specs.spec import THRESHOLD

    threshold = THRESHOLD if args.threshold is None else args.threshold
    phase = None if args.phase is None else _phase(args.phase)
    target = from_wire(args.spec)
    if os.path.lexists(target) and not os.path.isdir(target):
        checked, many = [_checked_file(target, phase, context)], False
    else:
        checked, many = _checked_folder(_folder(target), phase, context), phase is None
    if args.json:
        facts = [_facts(verdict, threshold) for _, verdict in checked]
        context.print(dumps(facts if many else facts[0]))
    else:
        for path, verdict in checked:
            for line in _lines(path, verdict, threshold, with_parts=phase is not None):
                context.print(display_safe(line))
    failed = [_summary(path, verdict, threshold) for path, verdict in checked if not verdict.passes(threshold)]
    if failed:
        raise OvermindError("invalid", f"{'; '.join(failed)}.")
    return 0


def _facts(verdict: DocumentVerdict, threshold: float) -> dict[str, Any]:
    return {
        "phase": str(verdict.phase),
        "score": verdict.score,
        "passed": verdict.passes(threshold),
        "parts": dict(verdict.parts),
        "vetoes": [{"code": veto.code, "text": veto.text, "line": veto.line} for veto in verdict.vetoes],
        "hints": list(verdict.hints),
    }


def _lines(path: str, verdict: DocumentVerdict, threshold: float, *, with_parts: bool) -> Iterator[str]:
    """Yield what a person reads of one document."""
    from overmind_core.domain.specs.check import CHECKS, score_text
    from overmind_core.domain.specs.phases import fault_line

    yield f"{verdict.phase}  {'passed' if verdict.passes(threshold) else 'failed'}  {score_text(verdict.score)}"
    rows = CHECKS[verdict.phase] if with_parts else ()
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        yield f"  {row.name.ljust(width)}  {score_text(verdict.parts[row.name])} of {score_text(row.weight)}"
    for veto in verdict.vetoes:
        yield fault_line(veto, path)
    for hint in verdict.hints:
        yield f"  hint: {hint}"


def _summary(path: str, verdict: DocumentVerdict, threshold: float) -> str:
    from overmind_core.domain.specs.check import score_text

    name = os.path.basename(path)
    if not verdict.vetoes:
        return f"{name} scores {score_text(verdict.score)}, below {score_text(threshold)}"
    faults = len(verdict.vetoes)
    return f"{name} has {faults} fault{'s' if faults > 1 else ''}"


def _phase(word: str) -> PhaseName:
    from overmind_core.domain.specs.spec import PHASES, PhaseName

    if word not in PHASES:
        known = f"Phases: {', '.join(PHASES)}."
        raise OvermindError("not_found", f"No phase {word!r}. {known}{did_you_mean(word, PHASES)}")
    return PhaseName(word)


def _folder(target: str) -> str:
    """Return the folder of the spec of this name, else the folder itself.

    Raises:
        OvermindError: `not_found`.
    """
    from overmind_core.spec_files.documents import SPECS, spec_folder
    from overmind_core.spec_files.repository import repository_around

    here = os.getcwd()
    top = repository_around(here) or here
    if os.sep not in target and target not in {os.curdir, os.pardir}:
        named = spec_folder(top, target)
        if os.path.isdir(named):
            return os.path.relpath(named)
    if os.path.isdir(target):
        return target
    raise OvermindError("not_found", f"No spec {to_wire(target)!r}: no file, and no folder in {to_wire(top)}/{SPECS}")


def _checked_file(path: str, phase: PhaseName | None, context: Context) -> CheckedFile:
    """Check one file, beside the documents that lie beside it and those that an agent was given."""
    from overmind_core.domain.specs.check import judge
    from overmind_core.spec_files.documents import phase_of_file, read_document, read_folder

    known = phase or phase_of_file(path)
    if known is None:
        raise OvermindError(
            "invalid", f"{to_wire(path)}: unknown document. Name its phase after the file, such as tasks"
        )
    reading = read_document(path, known)
    if reading is None:
        raise OvermindError("not_found", f"No file {to_wire(path)!r}.")
    folder = os.path.dirname(os.path.abspath(path))
    given = context.environ.get(INPUTS)
    others = (read_folder(os.path.join(given, "spec")) if given else {}) | read_folder(folder)
    return to_wire(path), judge(reading, _compared(others, folder, context))


def _checked_folder(folder: str, phase: PhaseName | None, context: Context) -> list[CheckedFile]:
    """Check the documents of a spec, each beside the others."""
    from overmind_core.domain.specs.check import judge
    from overmind_core.spec_files.documents import document_name, read_folder

    readings = read_folder(folder)
    wanted = [one for one in readings if phase in {None, one}]
    if not wanted:
        name = document_name(phase) if phase else "documents"
        raise OvermindError("not_found", f"No {name} in {to_wire(folder)}.")
    compared = _compared(readings, os.path.abspath(folder), context)
    paths = {one: to_wire(os.path.join(folder, document_name(one))) for one in wanted}
    return [(path, judge(readings[one], compared)) for one, path in paths.items()]


def _compared(readings: Mapping[PhaseName, Reading], folder: str, context: Context) -> CheckContext:
    """Return what the documents of a folder are compared with; it is that of a spec, or the repository is around us."""
    from overmind_core.spec_files.documents import check_context, top_of
    from overmind_core.spec_files.repository import files_of, repository_around

    top = top_of(folder) or repository_around(os.getcwd())
    return check_context(readings, None if top is None else files_of(top, context.environ))


CHECK = Command(
    name="spec check",
    arguments=[
        argument("spec", "slug of a spec in this repository, its folder, or one document", metavar="spec|file"),
        argument("phase", "check this document alone and show its parts", nargs="?", metavar="phase"),
    ],
    options=[
        option("--threshold", "SCORE", "score that a document needs to pass (default 0.7)", parse=share),
        JSON,
    ],
    examples=[
        "overmind spec check carts",
        "overmind spec check carts tasks",
        "overmind spec check .overmind/specs/carts/requirements.md",
        "overmind spec check $OVERMIND_OUTPUT_DIR/design.json",
        "overmind spec check carts --threshold 0.9 --json",
    ],
    notes=(
        "Needs no daemon and no agent. Documents are explore, requirements, design, tasks and sync, as .md or .json. "
        "Prints the score of each, from 0 to 1, then each fault as file:line: text, and hints. A document passes "
        "without faults when its score reaches the threshold; the exit code is 1 unless all of them pass. A document "
        "is compared with the other ones in its folder and with the files of the repository."
    ),
    run=spec_check,
)

COMMANDS = (CHECK,)
