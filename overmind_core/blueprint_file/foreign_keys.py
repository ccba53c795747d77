"""Keys that other programs have for what a blueprint calls otherwise, and what to write instead.

Those of GitHub Actions, GitLab CI, docker compose, Airflow, Argo and make's kin; with `_` for `-`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping


def _for_each(names: str, ours: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), ours)


FOREIGN_AGENT: Mapping[str, str] = {
    **_for_each("needs requires require dependencies deps depends after upstream", 'depends_on = ["NAME"]'),
    **_for_each("if condition run_if rules trigger_rule", 'when = "success", "failure" or "always"'),
    **_for_each("finally after_script on_exit post cleanup", 'a separate agent with when = "always"'),
    **_for_each(
        "matrix strategy foreach for_each with_items parallel replicas scale count",
        "an [agents.NAME] for each: one table is one agent",
    ),
    **_for_each("working_dir working_directory workdir dir directory folder chdir", 'cwd = "…"'),
    **_for_each("environment environ variables", 'env = { NAME = "…" }'),
    **_for_each("continue_on_error allow_failure ignore_errors fail_fast", 'on_failure = "continue" below [blueprint]'),
    **_for_each("run script cmd exec args entrypoint shell steps task prompt instructions", 'command = "…"'),
    **_for_each("healthcheck health_check readiness readiness_probe wait_for", "ready = { tcp = 5432 }"),
    **_for_each("timeout_minutes timeout_seconds deadline execution_timeout", 'timeout = "10m"'),
    **_for_each("retry attempts max_retries retry_limit tries", "retries = 2"),
    **_for_each("retry_delay retry_backoff delay", 'backoff = "10s"'),
    **_for_each("artifacts produces returns", 'outputs = ["NAME"]'),
    **_for_each("name id", "the name in its header: [agents.NAME]"),
    **_for_each("agent llm program", 'provider = "claude"'),
    **_for_each("image container services docker", 'command = "docker run …"'),
    **_for_each("ports port expose probe liveness_probe", "ready = { tcp = 5432 }: a program takes its ports itself"),
    **_for_each("volumes volume mounts", 'cwd = "…": a command sees the files of this machine'),
    **_for_each("runs_on runner tags availability node", 'nothing: it runs here; in a swarm, on = { LABEL = "…" }'),
    **_for_each("shutdown stop stop_command kill_signal", 'stop_signal = "INT" and grace = "10s"'),
    **_for_each("profiles disabled enabled skip", "nothing: leave the table out, or put a # before its lines"),
    **_for_each("autostart auto_start start", "nothing: it starts once all in depends_on has"),
    **_for_each("concurrency max_concurrency resource_group", "max_parallel = 4 below [blueprint]"),
    **_for_each("namespace group project", 'labels = { group = "…" }'),
    **_for_each("logs log_file log_location log logging", "nothing: overmind logs NAME has all of it"),
    **_for_each("cache caches uses with", "a command that does the same"),
    **_for_each("restart_policy autorestart auto_restart", 'restart = "on-failure"'),
}
"""Below [agents.NAME]."""
FOREIGN_WHOLE: Mapping[str, str] = {
    **_for_each("concurrency parallel parallelism max_workers jobs max_active_tasks", "max_parallel = 4"),
    **_for_each("fail_fast continue_on_error", 'on_failure = "stop", "continue" or "cancel"'),
    **_for_each("timeout_minutes deadline", 'timeout = "2h"'),
    **_for_each("env environment", "env below each agent, or [vars]"),
    **_for_each("schedule cron on", "a ritual: overmind ritual create NAME CRON --apply FILE"),
}
"""Below [blueprint]."""
FOREIGN_ROOT: Mapping[str, str] = {
    **_for_each("jobs steps tasks stages services agent pipeline workflow processes procs", "[agents.NAME]"),
    **_for_each("runs_on permissions version volumes networks", "nothing: it has no equivalent"),
    **_for_each("variables env environment params inputs", "[vars]"),
    **_for_each("plan settings config defaults name timeout max_parallel on_failure concurrency", "[blueprint]"),
    **_for_each("schedule cron on", "a ritual: overmind ritual create NAME CRON --apply FILE"),
}
"""In the file itself."""


_YAML = re.compile(r"(?:---\s*|[\w.\"'-]+:(?:\s.*)?)")
"""A first line, as TOML has none."""


def foreign_format(name: str, text: str) -> str | None:
    """Return what a file is that is no TOML, and what to do with it; None: nobody can tell.

    `name`: the file's, without its folder.
    """
    plain, _, end = name.lower().rpartition(".")
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    if (plain or end).startswith("procfile"):
        return (
            'this is a Procfile, and a blueprint is TOML: write [agents.NAME] and command = "…" for each of its lines. '
            "As services of isolated missions: overmind init --isolation"
        )
    if first.startswith("{") or end == "json":
        return "this is JSON, and a blueprint is TOML. To begin one: overmind init"
    if end in {"yml", "yaml"} or _YAML.fullmatch(first):
        return (
            "this is YAML, and a blueprint is TOML: each process, job or service is a table [agents.NAME]. To begin "
            "one: overmind init. For a compose file's containers beside missions: overmind init --isolation"
        )
    return None
