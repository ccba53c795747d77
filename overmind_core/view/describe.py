"""A mission's description, for reading: what it is, how it stands, how it is treated, its runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.isolation.project import service_and_number
from overmind_core.domain.missions.reasons import FOREVER, killed_after, limit_of, sentence, to_send_again
from overmind_core.view import mission_notes, numbers, plans
from overmind_core.view import missions as rows
from overmind_core.view.cells import Cell, fitted, safe
from overmind_core.view.columns import changed_lines

Lines = list[list[Cell]]
Info = Mapping[str, Any]
WRITTEN = "written"
"""Noted in what `info` says: how each note that it wrote stands, and its text."""
LABEL = 18
"""Cells of a name before its value."""
VALUE = LABEL + 3
"""The cell at which values begin."""
WAITS_FOR = {"question": "waiting for an answer", "permission": "waiting for permission",
             "plan": "waiting for approval of its plan"}  # fmt: skip
"""What an agent needs → what it does meanwhile."""
TOLD_BY = {"stream": "as its stream tells", "status": "as it reports itself", "hook": "as its hooks tell",
           "title": "as its window title tells", "terminal": "as its terminal tells",
           "screen": "as its screen looks"}  # fmt: skip
"""The source of what an agent does → the words for people."""
RUNS = 50
"""Of the newest runs each has a line."""


class Rendering(NamedTuple):
    """When and how it is looked at; `now` in seconds since the epoch, zone None is the machine's."""

    now: float
    zone: tzinfo | None = None
    ascii_only: bool = False


def lines(info: Info, terms: Info | None, look: Rendering) -> Lines:
    """The sections, one after the other.

    Args:
        info: As `info` answers.
        terms: What `definition` says of it; None where nobody may know.
        look: When and how.
    """
    agent = (terms or {}).get("agent")
    sections: Sequence[tuple[str, Lines]] = (
        ("", _head(info, look)),
        ("agent", _agent(info, agent or {}) if info.get("provider") != "raw" else _conversation(info)),
        ("rules", _rules(info, agent) if agent else []),
        ("mission", _world(info, terms or {})),
        ("notes", _notes(info)),
        ("isolation", _isolation(info.get("isolation") or {}, changed_lines(dict(info)))),
        ("policy", _treatment(info)),
        (numbers.counted(len(info.get("runs") or []), "run"), _runs(info, look)),
    )
    return _titled(sections)


def plan_lines(info: Info, plan: Mapping[str, Any], look: Rendering) -> Lines:
    """The sections of a plan: how it stands, its agents, dependencies first, and how it is treated.

    Args:
        info: As `info` answers.
        plan: As `plan` does.
        look: When and how.
    """
    agents = plans.agents(dict(plan), look.now)
    again = (info.get("run") or 0) > 1
    of_plan = pairs(
        ("file", safe(plan["file"])),
        ("last run", clock(info.get("run_started_at"), look) if again else None),
        ("agents at a time", plan["max_parallel"] or None),
        ("after a failure", _AFTER_FAILURE.get(str(plan["on_failure"]))),
    )
    return _titled((
        ("", _head(info, look)),
        ("plan", of_plan),
        (numbers.counted(len(agents), "agent"), _agents(agents, look)),
        ("mission", _world(info, {})),
        ("notes", _notes(info)),
        ("policy", _treatment(info)),
    ))  # fmt: skip


_AFTER_FAILURE = {
    "stop": "nothing new starts",
    "continue": "all that does not depend on it goes on",
    "cancel": "nothing new starts, and what runs is stopped",
}
"""What `on_failure` means."""


def _agents(agents: Sequence[Info], look: Rendering) -> Lines:
    """A line for each: how it stands, for how long, behind whom, and why."""
    names = [safe(agent["name"]) for agent in agents]
    needs = [safe(", ".join(agent["needs"])) for agent in agents]
    wide = max([len("AGENT"), *map(len, names)])
    after = max([len("AFTER"), *map(len, needs)])
    found: Lines = [[Cell(f"   {'AGENT':<{wide}}  {'STATE':<10} {'TOOK':>7}  {'AFTER':<{after}}  WHY", "label")]]
    for agent, name, needed in zip(agents, names, needs, strict=True):
        mark = rows.mark(dict(agent))
        took = "" if agent["began"] is None else numbers.span(plans.seconds(dict(agent), look.now))
        found.append([
            Cell(f" {mark.ascii if look.ascii_only else mark.mark} ", mark.tone),
            Cell(f"{name:<{wide}}  "),
            Cell(f"{plans.state(dict(agent), look.now):<10} ", mark.tone),
            Cell(f"{took:>7}  {needed:<{after}}  ", "quiet"),
            Cell(plans.why(dict(agent), look.now)),
        ])  # fmt: skip
    return found if agents else []


def _titled(sections: Iterable[tuple[str, Lines]]) -> Lines:
    """Those that say something, each below its title."""
    found: Lines = []
    for title, section in sections:
        if section:
            found += [*([[]] if found else []), *([[Cell(f" {title}", "title")]] if title else []), *section]
    return found


def _head(info: Info, look: Rendering) -> Lines:
    mark = rows.mark(dict(info))
    sign = mark.ascii if look.ascii_only else mark.mark
    state = f"{sign} {rows.since(dict(info), look.now)}"
    whys = (sentence(info.get("reason"), limit_of(info)), killed_after(info))
    reason = f"  {safe(', '.join(filter(None, whys)))}" if any(whys) else ""
    return [
        [Cell(f" {safe(info['name'])} ", "accent"), Cell(safe(info["id"]), "quiet")],
        [Cell(f" {state}", rows.tone(dict(info))), Cell(reason, "bad")],
        *pairs(
            ("now", info.get("now")),
            ("activity", _activity(info)),
            ("send again", to_send_again(info["name"]) if info.get("failed_message") else None),
            ("command", info.get("command")),
            ("folder", info.get("cwd")),
            ("exit code", info.get("exit_code")),
            ("next restart", clock(info.get("next_restart_at"), look)),
            ("started", clock(info.get("started_at"), look)),
            ("ended", clock(info.get("ended_at"), look)),
            ("last activity", clock(info.get("last_activity_at"), look)),
            ("process", info.get("os_pid")),
            ("attached", info.get("attached") or None),
            ("in background", ", ".join(map(str, info.get("background") or []))),
            ("left running", ", ".join(map(str, info.get("survivors") or []))),
        ),
    ]


def _activity(info: Info) -> str:
    """What it does, and who says so."""
    guess, need = info.get("activity_guess"), str(info.get("need") or "")
    activity = str(guess or info.get("activity") or "")
    asks = activity == "waiting"
    doing = f"{rows.ASKS if asks else activity}{'?' if guess else ''}"
    if asks and need and not guess:
        doing = WAITS_FOR.get(need, f"waiting for {need}")
    told = TOLD_BY.get(str(info.get("activity_source") or ""), "")
    return f"{doing}, {told}" if doing and told else doing


def _conversation(info: Info) -> Lines:
    return pairs(("session", info.get("session_id")))


def _agent(info: Info, agent: Info) -> Lines:
    tokens = info.get("tokens") or {}
    counted = f"{numbers.size(tokens.get('input'))} in, {numbers.size(tokens.get('output'))} out" if tokens else ""
    tree = numbers.Cost.of(info, "tree_cost")
    return pairs(
        ("program", info.get("provider")),
        ("mode", info.get("mode")),
        ("model", agent.get("model") or info.get("model")),
        ("session", info.get("session_id")),
        ("cost", numbers.cost_of(info)),
        ("tokens", counted),
        ("tree cost", _limited(numbers.cost(tree), numbers.money(info.get("max_cost_usd")))),
        ("tree tokens", _limited(_counted(info.get("tree_tokens")), _counted(info.get("max_tokens")))),
        ("max turns", agent.get("max_turns") or None),
        ("orchestrator", agent.get("orchestrator") or None),
        ("prompt", agent.get("prompt")),
        ("system prompt", agent.get("system_prompt") or agent.get("append_system_prompt")),
    )


def _limited(used: str, most: str) -> str:
    return f"{used or '-'} of {most}" if most else ""


def _counted(tokens: int | None) -> str:
    return "" if tokens is None else f"{tokens:,}"


def _rules(info: Info, agent: Info) -> Lines:
    return [
        *pairs(("permission mode", agent.get("permission_mode"))),
        *_list("own rules", info.get("own_rules"), "good"),
        *_list("allow", agent.get("allow"), "good"),
        *_list("deny", agent.get("deny"), "bad"),
        *_list("allowed tools", agent.get("allowed_tools"), ""),
        *_list("disallowed tools", agent.get("disallowed_tools"), ""),
        *_list("MCP servers", agent.get("mcp_config"), ""),
    ]


def _list(label: str, values: Iterable[str] | None, tone: str) -> Lines:
    return [_pair(label if at == 0 else "", value, tone) for at, value in enumerate(values or ())]


def _world(info: Info, terms: Info) -> Lines:
    labels = "  ".join(f"{key}={value}" for key, value in (info.get("labels") or {}).items())
    env = "  ".join(terms.get("env") or {})
    size = f"{info['columns']}x{info['rows']}" if info.get("tty") and info.get("columns") else None
    return pairs(
        ("type", _type(info)),
        ("labels", labels),
        ("parent", info.get("parent")),
        ("children", "  ".join(info.get("children") or [])),
        ("environment", env),
        ("terminal", size or ("pipes" if info.get("tty") is False and info.get("type") != rows.PLAN else None)),
    )


def _type(info: Info) -> str:
    """What it is in words: a command, an agent's task or session, a plan."""
    provider, kind = safe(info.get("provider")), safe(info.get("type"))
    if provider in {"", RAW}:
        return {"task": "command", "session": "interactive command", rows.PLAN: "plan"}.get(kind, kind)
    return f"{provider} {kind}"


FREE = ", free: it has it again at its next start if nobody else has"
"""Behind a port that an ended mission has had."""


def _isolation(isolation: Info, changed: str) -> Lines:
    ports, held = isolation.get("ports") or {}, isolation.get("ports_held", True)
    containers = isolation.get("containers") or {}
    services = isolation.get("services") or {}
    base = isolation.get("base")
    branch = isolation.get("branch")
    lacking = isolation.get("no_worktree")
    return pairs(
        ("step", isolation.get("step") or None),
        ("worktree", f"none: {lacking}" if lacking else isolation.get("worktree")),
        ("branch", f"{branch}, based on {base}" if branch and base else branch),
        ("lines changed", changed),
        *((_port_name(key), f"{port}{'' if held else FREE}") for key, port in sorted(ports.items())),
        *((f"container {name}", container) for name, container in sorted(containers.items())),
        *((f"service {name}", mission) for name, mission in sorted(services.items())),
    )


def _port_name(key: str) -> str:
    service, number = service_and_number(key)
    return " ".join(filter(None, ("port", number, service and f"of {service}")))


def _treatment(info: Info) -> Lines:
    policy = str(info.get("restart_policy") or "").replace("_", "-")
    if policy not in {"", "never"}:
        most = info.get("max_restarts")
        window = info.get("max_seconds") or 0.0
        span = "" if window >= FOREVER else f" in {_seconds(window)}"
        times = f"at most {most}{span}" if most else "no limit"
        policy = f"{policy}, {times}, first delay {_seconds((info.get('backoff_ms') or 0) / 1000)}"
    return pairs(
        ("restart", policy),
        ("restarted", info.get("restart_count") or None),
        ("activity timeout", _seconds(info.get("activity_timeout_seconds"))),
        ("timeout", _seconds((info.get("timeout_ms") or 0) / 1000)),
        ("grace", _seconds(info.get("grace_seconds"))),
        ("max children", _limit(info.get("max_children"))),
        ("max depth", _limit(info.get("max_depth"))),
    )


def _runs(info: Info, look: Rendering) -> Lines:
    runs = list(reversed(info.get("runs") or []))
    if not runs:
        return []
    header = f" {'RUN':>5}  {'BEGAN':<19} {'LASTED':>7} {'EXIT':>5} {'OUTPUT':>7}  REASON"
    shown = [_run(run, look) for run in runs[:RUNS]]
    more = [[Cell(f"  … and {len(runs) - RUNS} earlier", "quiet")]] if len(runs) > RUNS else []
    return [[Cell(header, "label")], *shown, *more]


def _run(run: Info, look: Rendering) -> list[Cell]:
    began, ended = numbers.moment(run.get("started_at")), numbers.moment(run.get("ended_at"))
    lasted = "" if began is None else numbers.span(max(0.0, (ended or look.now) - began))
    live = run.get("ended_at") is None
    code = "" if run.get("exit_code") is None else str(run["exit_code"])
    goes_on = live and run.get("os_pid")
    reason = f"running as process {run.get('os_pid')}" if goes_on else safe(sentence(run.get("reason")))
    text = f" {run['number']:>5}  {clock(run.get('started_at'), look) or '':<19} {lasted:>7} "
    tail = f"{numbers.size(run.get('output_bytes')):>7}  "
    tone = "bad" if run.get("exit_code") else ("good" if live else "")
    return [Cell(text), Cell(fitted(code, 5, right=True) + " ", tone), Cell(tail, "quiet"), Cell(reason, tone)]


def _notes(info: Info) -> Lines:
    if not info.get("notes"):
        return []
    return [line.cells for line in mission_notes.lines(info["notes"], info.get(WRITTEN))]


def _limit(count: int | None) -> str | None:
    """As text, since none at all is a limit, too."""
    return None if count is None else str(count)


def pairs(*known: tuple[str, object]) -> Lines:
    """A line for each that says something; a text of several lines gets as many."""
    found: Lines = []
    for label, value in known:
        if value is None or value in {"", False}:
            continue
        shown = "yes" if value is True else str(value)
        found += [_pair(label if at == 0 else "", line) for at, line in enumerate(shown.splitlines() or [""])]
    return found


def _pair(label: str, value: str, tone: str = "") -> list[Cell]:
    return [Cell(f"  {label:<{LABEL}} ", "quiet"), Cell(safe(value.expandtabs()), tone)]


def clock(text: str | None, look: Rendering) -> str | None:
    """A time of the API as the person's clock shows it; None for none."""
    wall = numbers.moment(text)
    return None if wall is None else datetime.fromtimestamp(wall, look.zone).strftime("%Y-%m-%d %H:%M:%S")


def _seconds(value: float | None) -> str:
    """A span; "" for none."""
    return "" if not value else (f"{value * 1000:.0f}ms" if value < 1 else numbers.span(value))
