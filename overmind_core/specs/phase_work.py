"""The documents of attempts: what an attempt gets to read, and how the document that it hands in is accepted."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING

from overmind_core.domain.replacing import replace
from overmind_core.domain.specs.check import score_text
from overmind_core.domain.specs.document_json import as_json, read_json, schema
from overmind_core.domain.specs.markdown import parse, render
from overmind_core.domain.specs.phases import accepted, fault_lines
from overmind_core.domain.specs.shape import MAX_BYTES
from overmind_core.domain.specs.spec import PHASES, PhaseName
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.problems import Problems, decoded
from overmind_core.errors import OvermindError
from overmind_core.quests.input_folder import attempt_folders, handed_in
from overmind_core.quests.ports import Judgement, OutputProblem, SpecInput
from overmind_core.spec_files.documents import BRIEF, JSON, MARKDOWN, document_name
from overmind_core.specs import documents
from overmind_core.specs.document_writing import WrittenDocument, write_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.domain.quests.quest import Quest
    from overmind_core.domain.specs.check import DocumentVerdict
    from overmind_core.domain.specs.reading import Reading
    from overmind_core.domain.specs.shape import Document
    from overmind_core.domain.specs.spec import Spec, SpecPhase
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.output_files import FolderFiles
    from overmind_core.specs.looking import SpecLooks, Turns
    from overmind_core.specs.registry import SpecRegistry
    from overmind_core.system.paths import Home

UNFIT = "output_invalid"


class PhaseWork:
    """Prepares and accepts the documents of attempts. Used from the event loop's thread only."""

    def __init__(self, *, registry: SpecRegistry, looks: SpecLooks, turns: Turns, journal: Journal, home: Home) -> None:
        self._registry = registry
        self._looks = looks
        self._turns = turns
        self._journal = journal
        self._home = home

    # what an attempt gets

    async def given(self, quest: Quest) -> SpecInput | None:
        """What the newest attempt of a spec's quest gets to read; see `SpecWork.given`."""
        spec = self._registry.of_quest(quest)
        if spec is None:
            return None
        async with self._turns.of(spec.id):
            phase = self._registry.phase_of(quest)
            if phase is None:
                names = (BRIEF, *map(document_name, PHASES))
                found = await asyncio.to_thread(documents.raw, spec, names)
                return SpecInput(spec.slug, None, self._registry.task_of(quest), found, {}, None)
            return await self._given_to_phase(quest, spec, phase)

    async def _given_to_phase(self, quest: Quest, spec: Spec, phase: PhaseName) -> SpecInput:
        standing = await self._looks.settle(spec)
        if standing.problem is not None:
            raise OvermindError(standing.problem.code, standing.problem.text)
        earlier = PHASES[: PHASES.index(phase)]
        names = (BRIEF, *map(document_name, earlier))
        found = await asyncio.to_thread(documents.raw, spec, names)
        document = await asyncio.to_thread(documents.standing, spec, phase)
        partial = await asyncio.to_thread(self._partial, quest, spec, phase, document)
        self._registry.change_phase(
            spec.id,
            phase,
            refused=(),
            given_read_sha256=self._looks.read_hash(spec, phase, standing.brief_sha256),
        )
        return SpecInput(spec.slug, phase, None, found, partial, _json(schema(phase)))

    def _partial(self, quest: Quest, spec: Spec, phase: PhaseName, document: Document | None) -> dict[str, bytes]:
        """What the attempt before has handed in; else the document in the folder, as Markdown and as JSON."""
        assert quest.queue is not None
        if len(quest.queue.tries) > 1:
            before = self._handed_in(quest, phase).data
            if before:
                return before
        beside = self._registry.phase(spec.id, phase).beside
        found = documents.raw(spec, [document_name(phase), *([beside] if beside else [])])
        return found if document is None else {**found, f"{phase}{JSON}": _json(as_json(document))}

    # what it hands in

    async def judge(self, quest: Quest) -> Judgement | None:
        """Check the document that an attempt has handed in; see `SpecWork.judge`."""
        spec, phase = self._registry.of_quest(quest), self._registry.phase_of(quest)
        if spec is None or phase is None:
            return None
        async with self._turns.of(spec.id):
            problem = await self._judged(quest, self._registry.all[spec.id], phase)
            if problem is not None:
                self._registry.change_phase(spec.id, phase, refused=problem.notes)
                await self._journal.saved()
            return Judgement(problem)

    async def _judged(self, quest: Quest, spec: Spec, phase: PhaseName) -> OutputProblem | None:
        if self._registry.phase(spec.id, phase).given_read_sha256 is None:
            return None  # accepted already: an earlier daemon ended right after that
        found = await asyncio.to_thread(self._handed_in, quest, phase)
        name = next(iter(found.data), None)
        if name is None:
            return await asyncio.to_thread(self._nothing, quest, phase, found.too_large)
        try:
            reading = _read(phase, name, found.data[name], spec.title)
        except Problems as error:
            first = error.problems[0]
            return OutputProblem(UNFIT, notes=(f"{name}:{first.line}:{first.column}: {first.message}",))
        examined = await asyncio.to_thread(self._examine, spec, reading)
        verdict = examined.verdict
        if not verdict.passes(spec.threshold):
            self._registry.change_phase(spec.id, phase, score=verdict.score, hints=verdict.hints)
            return OutputProblem(UNFIT, notes=tuple(_notes(verdict, name, spec.threshold)))
        return await self._adopt(spec, phase, reading.document, examined)

    async def _adopt(
        self, spec: Spec, phase: PhaseName, document: Document, examined: documents.ExaminedDocument
    ) -> OutputProblem | None:
        """Write a passing document into the folder, unless somebody has edited the one there meanwhile."""
        text = render(document).encode()
        record = self._registry.phase(spec.id, phase)
        try:
            written = await asyncio.to_thread(_write, spec, record, text)
        except OSError as error:
            refused = documents.unwritable(from_wire(spec.folder), error)
            return OutputProblem(refused.code, notes=(refused.message,))
        if not written.stands:
            found = replace(
                record,
                contested=True,
                beside=written.name,
                beside_sha256=written.sha256,
                read_sha256=record.given_read_sha256,
                feedback="",
                file_sha256=None,  # it is looked at again: perhaps it does not pass
            )
            self._registry.put_phase(spec.id, found)
            await self._looks.settle(spec)
        else:
            found = accepted(
                record,
                examined.verdict,
                sha256=examined.sha256,
                read_sha256=record.given_read_sha256 or "",
                files=examined.files,
            )
            found = replace(
                found,
                file_sha256=written.sha256,
                written_sha256=written.sha256,
                beside="",
                beside_sha256="",
                commands=tuple(one.sha256 for one in examined.commands),
            )
            self._registry.put_phase(spec.id, found)
        await self._journal.saved()
        return None

    def _examine(self, spec: Spec, reading: Reading) -> documents.ExaminedDocument:
        """Check a document against the earlier ones; blocks."""
        context = documents.context_of(spec, documents.read_all(spec))
        return documents.examine(spec, reading, context, self._looks.rules(spec))

    def _nothing(self, quest: Quest, phase: PhaseName, too_large: Sequence[str]) -> OutputProblem:
        """Why there is no document that can be read; blocks."""
        if too_large:
            return OutputProblem(UNFIT, notes=(f"{too_large[0]} is larger than {MAX_BYTES >> 20} MiB.",))
        outputs = attempt_folders(self._home, quest.id).outputs
        for name in (f"{phase}{JSON}", f"{phase}{MARKDOWN}"):
            if os.path.lexists(os.path.join(outputs, name)):
                note = f"{name} is a link, a folder or a device, which is not read: hand in a regular file."
                return OutputProblem("output_missing", notes=(note,))
        return OutputProblem("output_missing", notes=(f"It did not hand in {phase}{JSON}.",))

    def _handed_in(self, quest: Quest, phase: PhaseName) -> FolderFiles:
        return handed_in(self._home, quest.id, (f"{phase}{JSON}", f"{phase}{MARKDOWN}"), largest=MAX_BYTES)


def _read(phase: PhaseName, name: str, data: bytes, title: str) -> Reading:
    text = decoded(data)
    reading = read_json(phase, text, title=title) if name.endswith(JSON) else parse(phase, text)
    return reading._replace(document=replace(reading.document, title=title))


def _write(spec: Spec, record: SpecPhase, text: bytes) -> WrittenDocument:
    """Write a document to its place, or beside a person's; blocks. After a crash it is written again."""
    return write_document(
        from_wire(spec.folder), document_name(record.phase), text, own=record.own, beside=record.beside
    )


def _notes(verdict: DocumentVerdict, name: str, threshold: float) -> list[str]:
    """The feedback on a document that does not pass: faults, score, and hints."""
    lines = fault_lines(verdict, name, threshold)
    if verdict.vetoes:
        count = len(verdict.vetoes)
        faults = f"{count} fault{'s' * (count != 1)}"
        score = f"{name} has {faults}, so it is refused. Its score: {score_text(verdict.score)}."
    else:
        score = f"The score of {name} is {score_text(verdict.score)}; it needs {score_text(threshold)}."
    return [score, *(line for line in lines if verdict.vetoes), *(f"hint: {hint}" for hint in verdict.hints)]


def _json(value: object) -> bytes:
    return f"{json.dumps(value, indent=1, ensure_ascii=False)}\n".encode("utf-8", "replace")
