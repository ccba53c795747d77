"""The sequence of a landing or a night: its stages, and the second try of a few tests that failed in them."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from scripts.landing.execution import HEARTBEAT_SECONDS, Ended, Executor, Interrupted, Interrupts, Job, write_duration
from scripts.landing.reports import OPTIONS, Unreadable, read_cases, read_cost, read_left_out
from scripts.landing.second_try import MOST, FailedTest, Final, check_second_try, choose_failed
from scripts.landing.summary import Result, write_summary
from scripts.landing.unsteady import PATH, Row, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scripts.landing.targets import Plan, Target

SECOND_WORKERS = 2
"""Workers of a second try, which runs when nothing else does."""


class Landing:
    """One landing, or one night.

    Args:
        folder: For output and reports; it exists.
        plan: What is run.
        out: Everything that people read goes there.
        interrupts: Signals that end it.
        heartbeat_seconds: No silence is longer.
    """

    def __init__(
        self,
        folder: str,
        plan: Plan,
        *,
        out: BinaryIO,
        interrupts: Interrupts,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._folder = folder
        self._plan = plan
        self._out = out
        self._executor = Executor(
            folder, say=self._say, on_end=self._finish, interrupts=interrupts, heartbeat_seconds=heartbeat_seconds
        )
        self._results: list[Result] = []
        self._final: list[str] = []
        self._failed_tests = 0
        self._reports = 0

    def run(self) -> bool:
        """Run all stages up to a red one, and print the last lines; true: it lands."""
        begun = time.monotonic()
        try:
            for stage in self._plan.stages:
                results = self._execute([[self._make_job(target) for target in lane] for lane in stage])
                red = [result for result in results if result.ended.code]
                if red and not self._forgive(red):
                    break
        except Interrupted as reason:
            self._final.append(f"{reason}.")
        lines = write_summary(
            self._results, self._plan, final=self._final, listed=_read_listed(), seconds=time.monotonic() - begun
        )
        self._say("\n=== The last lines ===\n" + "\n".join(lines))
        return not self._final

    def _execute(self, lanes: Sequence[Sequence[Job]]) -> list[Result]:
        """Run jobs, and return their results in the order of their lanes."""
        for lane in lanes:
            self._say(f"Starting {', then '.join(job.title for job in lane)}.")
        known = len(self._results)
        self._executor.execute(lanes)
        results = {result.ended.job: result for result in self._results[known:]}
        return [results[job] for lane in lanes for job in lane]

    def _make_job(self, target: Target, tests: Sequence[FailedTest] = (), seed: str = "") -> Job:
        """Return the run of a target, or the second try of some of its tests."""
        if not target.reports:
            return Job(target, target.words)
        self._reports += 1
        report = os.path.join(self._folder, f"{self._reports}-{target.name}.xml")
        arguments = OPTIONS + report
        if not tests:
            return Job(target, (*target.words, f"ARGS={arguments}"), report=report)
        arguments += f" -n {SECOND_WORKERS}"
        environment: tuple[tuple[str, str], ...] = ()
        if seed.startswith("--"):
            arguments += f" {seed}"
        elif seed:
            name, _, value = seed.partition("=")
            environment = ((name, value),)
        files = " ".join(sorted({test.file for test in tests}))
        return Job(target, (f"TESTS={files}", f"ARGS={arguments}"), environment, report=report, again=True)

    def _finish(self, ended: Ended) -> None:
        """Keep the result of a job that has ended, and print its whole output."""
        self._say(f"\n=== {ended.job.title}: exit {ended.code} after {write_duration(ended.seconds)} ===")
        result = Result(ended)
        self._results.append(result)
        with contextlib.suppress(FileNotFoundError), open(ended.output, "rb") as file:
            shutil.copyfileobj(file, self._out)
            file.seek(0)
            output = file.read().decode(errors="replace")
            result.cost, result.left_out = read_cost(output), read_left_out(output)
        with contextlib.suppress(Unreadable):
            result.cases = read_cases(ended.job.report) if ended.job.report else ()
        self._say("")

    def _forgive(self, red: Sequence[Result]) -> bool:
        """Try the tests again that failed in these; false: the landing is refused."""
        chosen = [(result, tests) for result in red if (tests := self._choose(result))]
        self._failed_tests += sum(len(tests) for _, tests in chosen)
        if not self._final and not self._plan.second_try:
            self._final += [f"{result.ended.job.title}: exit {result.ended.code}." for result, _ in chosen]
        if not self._final and self._failed_tests > MOST:
            self._final.append(f"{self._failed_tests} tests have failed; {MOST} at most are tried again.")
        if self._final:
            self._final += [
                f"{result.ended.job.title}: {test.name}: {test.message}" for result, tests in chosen for test in tests
            ]
            return False
        tries = [(result, tests, seed) for result, all_tests in chosen for seed, tests in _group(all_tests)]
        jobs = [self._make_job(result.ended.job.target, tests, seed) for result, tests, seed in tries]
        for (result, tests, _), second in zip(tries, self._execute([jobs]), strict=True):
            self._compare(result, tests, second)
        return not self._final

    def _choose(self, result: Result) -> list[FailedTest]:
        """Return the tests to try again; none: the failure is final."""
        job = result.ended.job
        try:
            if job.report:
                return choose_failed(read_cases(job.report))
        except (Final, Unreadable) as reason:
            self._final.append(f"{job.title}: {reason}.")
        else:
            self._final.append(f"{job.title}: exit {result.ended.code}.")
        return []

    def _compare(self, first: Result, tests: Sequence[FailedTest], second: Result) -> None:
        """Note tests as unsteady that passed the second time."""
        try:
            check_second_try(tests, second.ended.code, second.cases)
        except Final as reason:
            self._final.append(f"{second.ended.job.title}: {reason}.")
        else:
            today = datetime.now(UTC).date()
            first.unsteady += [Row(test.name, today, test.message, test.seed) for test in tests]

    def _say(self, line: str) -> None:
        self._out.write(line.encode(errors="replace") + b"\n")
        self._out.flush()


def _group(tests: Iterable[FailedTest]) -> list[tuple[str, list[FailedTest]]]:
    """Return the tests by their seed: a run has one."""
    groups: dict[str, list[FailedTest]] = defaultdict(list)
    for test in tests:
        groups[test.seed].append(test)
    return list(groups.items())


def _read_listed() -> list[Row]:
    """Return the rows of the list of unsteady tests; a landing says nothing about lines that are none."""
    with contextlib.suppress(OSError), open(PATH, encoding="utf-8") as file:
        return read_rows(file.read())[0]
    return []
