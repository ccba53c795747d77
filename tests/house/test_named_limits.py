"""The pages name limits and periods that people rely on: each of them is the one that the program has."""

from __future__ import annotations

import os

from overmind_core.agents import briefing
from overmind_core.blueprint_file import probe
from overmind_core.cli.agents.mcp_tools import WAIT_LIMIT
from overmind_core.cli.headless import observer, output, runner
from overmind_core.cli.hives import gather
from overmind_core.client.hives import hive
from overmind_core.client.terminal_link import FAR_GONE_SECONDS
from overmind_core.cortex import connections, server
from overmind_core.daemon.instance import DRAIN_SECONDS
from overmind_core.domain import settings, web_access
from overmind_core.domain.agents import limits
from overmind_core.domain.isolation.project import READY_SECONDS
from overmind_core.domain.memory import episodes, notes, sync
from overmind_core.domain.missions import names, restart_policy
from overmind_core.domain.missions.mission import RestartPolicy
from overmind_core.domain.plans import blueprint, genome, progress
from overmind_core.domain.plans.fleet import SHORTEST_LEASE
from overmind_core.domain.quests import classes, score
from overmind_core.domain.specs import check, shape
from overmind_core.domain.swarm import fits, instance_names, leases, lineages
from overmind_core.domain.text.slug import LONGEST_SLUG
from overmind_core.domain.watching import conductor, guardian, tool_window
from overmind_core.git import changes
from overmind_core.git.remote_files import LARGEST
from overmind_core.kernel.config import Settings
from overmind_core.learning.service import KEPT_LESSONS
from overmind_core.logs import layout, time_index
from overmind_core.memory import store
from overmind_core.plans.plan_run import CLEAN_UP_SECONDS
from overmind_core.pool_engines import program
from overmind_core.quests.attempt_work import LARGEST_OUTPUT
from overmind_core.schedules.due import LONGEST_QUEUE, TOLERANCE
from overmind_core.swarm import others, places, service
from overmind_core.system.small_file import MOST
from overmind_core.terminal.screen import SCROLLBACK
from overmind_core.view.question_sight import LEAST_SECONDS
from overmind_core.view.row_filter import TIME_BUDGET
from overmind_core.view.screen_shape import BESIDE, ROOMY
from overmind_core.view.settling import HELD_SECONDS
from overmind_core.wire.gate import NOISE_LIMIT
from overmind_tui.hives import connections as machines
from overmind_tui.pages.dialog import MOMENT
from overmind_tui.widgets.log import COPIED
from overmind_web.live.presence import ANSWERED_SECONDS
from overmind_web.server import guard, login, protocol
from tests.kit.cases import each
from tests.kit.overmind import REPOSITORY

WORDS: dict[float, str] = {1: "one", 2: "two", 3: "three", 5: "five", 10: "ten"}
RESTART, HEALTH, GUARDIAN = RestartPolicy(), settings.HealthSettings(), settings.GuardianSettings()
REPORTS, QUEUE, CORTEX, WEB = (
    settings.ReportSettings(),
    settings.QueueSettings(),
    settings.CortexSettings(),
    settings.WebSettings(),
)
LIMITS = Settings()


def word(number: float) -> str:
    return WORDS.get(number, f"{number:g}")


def kib(size: int) -> str:
    return f"{size / 1024:g} KiB"


def mib(size: int) -> str:
    return f"{size / 1024**2:g} MiB"


def minutes(seconds: float) -> str:
    return f"{seconds / 60:g} min"


def share(part: float) -> str:
    return f"{part:g}"


NAMED = [
    (
        "activity",
        (
            f"otherwise after {limits.FIRST_WAIT:g} s, {2 * limits.FIRST_WAIT:g} s and so on up to "
            f"{minutes(limits.LONGEST_WAIT)}."
        ),
    ),
    ("activity", f"only after all of it has been in sight for {LEAST_SECONDS:g} s"),
    ("agents", f"A search that takes longer than {briefing.LIMIT * 1000:g} ms is given up."),
    ("blueprints", f"number of further tries after a failure, at most {blueprint.MOST_RETRIES}"),
    ("blueprints", f"pause before the second try ({blueprint.BACKOFF:g} s)"),
    ("blueprints", f"after `timeout` ({probe.DEFAULT:g} s) without success"),
    ("blueprints", f"its log as text, the last {kib(blueprint.LARGEST)}"),
    ("blueprints", f"A `result` or an output of more than {kib(blueprint.LARGEST)} does not fit into a variable"),
    ("blueprints", f"at least {SHORTEST_LEASE:g} s"),
    ("blueprints", f"a file has at most {mib(genome.LARGEST)}."),
    ("configuration", f"doubles with each, up to {progress.LONGEST_PAUSE:g}s"),
    ("configuration", f"and more than {mib(MOST)}."),
    ("cortex", f"by itself after a change, and every {CORTEX.every:g} seconds"),
    ("cortex", f"at most {sync.MOST_ENTRIES} and {mib(sync.MOST_BYTES)}"),
    ("cortex", f"A header may take {connections.HEADER_SECONDS:g} seconds, a body {server.BODY_SECONDS:g}."),
    ("headless", f"with the last {kib(output.KEPT)} of its output"),
    ("headless", f"The mission gets {word(runner.GRACE)} seconds"),
    ("headless", f"everything ends within {word(runner.STOP_LIMIT)} seconds"),
    ("headless", f"for at most {word(CLEAN_UP_SECONDS / 60)} minutes"),
    ("headless", f"A signal within {runner.ECHO:g} s of the first is ignored as its echo"),
    ("headless", f"if its output can't be saved for {word(observer.HELD_LIMIT)} seconds"),
    (
        "hives",
        (
            f"A list waits {word(gather.SILENCE)} second longer for a hive than for the others, and "
            f"{word(gather.CONNECT)} for one to which ssh has yet to connect"
        ),
    ),
    ("hives", f"find their way back for {FAR_GONE_SECONDS:g} seconds"),
    ("hives", f"A hive that has not answered for {machines.SILENT_SECONDS:g} seconds is `silent`."),
    ("hives", f"it is asked for again, for {hive.CONNECT_LIMIT:g} seconds"),
    ("hives", f"up to {kib(NOISE_LIMIT)}."),
    ("isolation", f"with a `timeout` ({READY_SECONDS:g} s)"),
    ("landing", f"Up to {changes.MAX_BYTES >> 20} MB are shown"),
    ("learning", f"of one run there are at most {word(episodes.MOST_PROPOSED)}"),
    ("learning", f"at most {KEPT_LESSONS:,} of each"),
    ("lifecycle", f"`--backoff` ({RESTART.backoff:g} s)"),
    ("lifecycle", f"up to {restart_policy.MAX_DELAY:g} s"),
    ("lifecycle", f"`--max-seconds` ({RESTART.window:g} s)"),
    ("lifecycle", f"`--max-restarts` ({RESTART.max_restarts}, 0 = unlimited)"),
    ("logs", f"{time_index.RECORD.size} bytes per record, at most one record per stream and {time_index.INTERVAL} ms"),
    ("logs", f"| {LIMITS.log_limit / 1e6:g} MB | `[logs] per_mission` |"),
    ("logs", f"| {layout.LIMIT / 1e6:g} MB | `[logs] per_mission` |"),
    ("logs", f"| {LIMITS.log_total / 1e9:g} GB, at most a tenth of the disk | `[logs] total` |"),
    ("logs", f"| {LIMITS.finished:,} | `[retention] finished` |"),
    ("logs", f"| {LIMITS.events:,} | `[retention] events` |"),
    ("memory", f"A note has 1 to {notes.LONGEST_TEXT:,} characters"),
    (
        "memory",
        (f"a repository keeps {store.PROPOSALS_OF_A_REPOSITORY}, each for {store.PROPOSAL_SECONDS / 86_400:g} days"),
    ),
    ("missions", f"at most {names.LONGEST_NAME} characters"),
    ("orchestration", f"return after {WAIT_LIMIT:g} s"),
    ("pools", f"gives what runs {DRAIN_SECONDS:g} seconds"),
    ("pools", f"at most {instance_names.LONGEST_NAME} characters"),
    ("pools", f"or takes longer than {program.SECONDS:g} seconds, is `silent`"),
    ("queue", f"dashes, at most {LONGEST_SLUG} characters"),
    (
        "queue",
        (
            f"`deadline` counts from {score.NEAR / 60:g} minutes before it, and multiplies the score by "
            f"{score.NEAR_FACTOR:g}"
        ),
    ),
    ("queue", f"counts up to {word(score.MOST_DEPENDANTS)} quests that need this one"),
    ("queue", f"After {word(score.LONG / 3600)} hours a quest scores at least {share(score._LONG_LEAST)}"),
    (
        "queue",
        (
            f"{share(score._AGE)}0 age + {share(score._DEADLINE)} deadline + {share(score._BLOCKING)} blocking + "
            f"{share(score._RETRIES)} retries"
        ),
    ),
    ("queue", f"after {QUEUE.backoff:g} s, {2 * QUEUE.backoff:g} s and so on"),
    ("queue", f"after {word(classes.MOST_UNCOUNTED)} in a row it fails"),
    (
        "queue",
        (
            f"another attempt at once, after {classes.FREE_PAUSES[1]:g} s, after {classes.FREE_PAUSES[2]:g} s; then "
            "it fails"
        ),
    ),
    (
        "queue",
        (
            f"A mission queues up to {REPORTS.per_source} quests this way, and a chain of quests that report each "
            f"other ends after {REPORTS.depth}."
        ),
    ),
    ("rituals", f"A run up to {word(TOLERANCE / 60)} minute late counts as on time."),
    ("rituals", f"at most {LONGEST_QUEUE} runs wait"),
    ("specs", f"each takes more than 0 and at most {check.MAX_HOURS}"),
    (
        "specs",
        (
            f"Limits: {mib(shape.MAX_BYTES)} a document, {shape.MAX_TASKS} tasks, {shape.MAX_REQUIREMENTS} "
            f"requirements, {shape.MAX_TEXT:,} characters a text, {shape.MAX_TITLE} the title of a task, "
            f"{shape.MAX_NEEDS} needs and {shape.MAX_PATHS} paths of each kind a task."
        ),
    ),
    ("swarm", f"each file up to {mib(LARGEST_OUTPUT)} as in the queue, all of a quest up to {mib(LARGEST)}"),
    ("swarm", f"Each hive beats every {word(service.BEAT)} seconds."),
    ("swarm", f"after {'a' if others.LOST_AFTER == 60 else others.LOST_AFTER} minute it is `lost`"),
    ("swarm", f"they try again after {', '.join(f'{at:g}' for at in leases.RETRY[:3])} … {leases.RETRY[-1]:g} seconds"),
    ("swarm", f"once they have run for {places.READY_AFTER:g} seconds"),
    ("swarm", f"A generation is for the first {fits.FIRST_FOR:g} seconds for the hive"),
    ("swarm", f"the newest {kib(lineages.LARGEST_NOTES)}"),
    ("tui", f"more than {TIME_BUDGET * 1000:g} ms of computing per row"),
    ("tui", f"at most {COPIED:,}, and says so if lines are missing"),
    ("tui", f"The scrollback has {SCROLLBACK:,} lines."),
    ("tui", f"question has been on the screen for {MOMENT:g} s"),
    ("tui", f"whole question, as it is now, has been in sight for {LEAST_SECONDS:g} s"),
    ("tui", f"press no key for {HELD_SECONDS:g} seconds"),
    ("tui", f"{BESIDE} columns"),
    ("tui", f"{ROOMY} rows"),
    ("watching", f"Each mission is checked once a *beat* ({HEALTH.beat:g} s)."),
    ("watching", f"a sign of life in the last {HEALTH.quiet} beats"),
    ("watching", f"| {HEALTH.stalled} beats |"),
    ("watching", f"or {HEALTH.hung} more after it was steered"),
    ("watching", f"at most every {GUARDIAN.every:g} s"),
    ("watching", f"of the last {guardian.LOOP_CALLS} tool calls, {guardian.REPEATED} were the same"),
    ("watching", f"in the last {tool_window.MOST_CALLS} tool calls, one file was edited {guardian.EDITED_AGAIN} times"),
    ("watching", f"more than {'twice' if guardian.OVERRUN == 2 else guardian.OVERRUN} its estimate"),
    *(("watching", f"| `{term}` | {cost:.2f} |") for term, cost in guardian.COSTS.items()),
    ("watching", f"steered at most once in {minutes(GUARDIAN.pause)} and {word(GUARDIAN.most)} times in all"),
    (
        "watching",
        (
            f"minus {share(conductor.LOW_WEIGHT)} times the share of missions below {share(guardian.LOW)}, minus "
            f"{share(conductor.STEERED_WEIGHT)} times the share that was steered and has no result yet, minus "
            f"{share(conductor.SHARING_WEIGHT)} times"
        ),
    ),
    (
        "watching",
        (
            f"Below {share(conductor.CRITICAL)} it is critical, below {share(conductor.LOW_COHERENCE)} low, above "
            f"{share(conductor.GOOD)} good."
        ),
    ),
    ("web", (f"within {word(web_access.LINK_SECONDS / 60)} minutes; the login lasts {WEB.session / 86_400:g} days")),
    ("web", f"has answered within {ANSWERED_SECONDS:g} seconds"),
    (
        "web",
        (
            f"a request is whole within {protocol.REQUEST_SECONDS:g} seconds, at most {mib(login.BODY_LIMIT)}, at most "
            f"{protocol.MOST_STRANGERS} connections without a login and {guard.MOST_PER_VISITOR} for each login"
        ),
    ),
]
"""Page, and the words on it; the figures in them are the program's own."""


def page(name: str) -> str:
    with open(os.path.join(REPOSITORY, "docs", f"{name}.md"), encoding="utf-8") as file:
        return " ".join(file.read().split())


@each(NAMED, str)
def test_a_limit_that_a_page_names_is_the_one_that_counts(row):
    name, words = row
    assert words in page(name)
