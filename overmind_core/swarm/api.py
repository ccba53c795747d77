"""The requests about the swarm: the command line asks its own daemon, and that the database."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions.names import generate
from overmind_core.domain.plans.placement import label_problem
from overmind_core.domain.swarm.scaling import JOINED, outlook
from overmind_core.domain.swarm.secrets import fingerprint
from overmind_core.domain.swarm.standing import ENDED, TAIL, how_ended
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions.requests import Nothing
from overmind_core.swarm import requests
from overmind_core.swarm.api_lineages import check_generation
from overmind_core.swarm.api_vault import check_known
from overmind_core.swarm.host import NO_SWARM
from overmind_core.swarm.posts import find_post

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.kernel.request import Caller
    from overmind_core.swarm import answer_types as answers
    from overmind_core.swarm.answers import Hive, Instance, ListedPost, NamedPost, Pool, Post, PostEnd, Status
    from overmind_core.swarm.database import Swarm
    from overmind_core.swarm.host import SwarmHost

TAKEN_WITHIN = 5.0
"""Seconds in which a hive that has room takes what was posted."""
SILENT_SECONDS = 12.0
"""A hive beats every five seconds: one that has missed two beats is shown as silent."""
_LOOK = 0.1


class SwarmApi:
    """All requests about the swarm."""

    def __init__(self, host: SwarmHost) -> None:
        self._host = host

    @handles(requests.SwarmInit)
    async def swarm_init(self, request: requests.SwarmInit, caller: Caller) -> answers.SwarmReady:
        """Make a swarm of a database; again for an upgrade."""
        del caller
        self._host.check_installed()
        from overmind_core.swarm import administration  # noqa: PLC0415 - it loads psycopg

        ready = await asyncio.to_thread(administration.init, request.url)
        self._host.keep_owner(request.url)
        return ready

    @handles(requests.SwarmInvite)
    async def swarm_invite(self, request: requests.SwarmInvite, caller: Caller) -> answers.SwarmInvited:
        """Make a login, with a new password."""
        del caller
        import secrets  # noqa: PLC0415 - as above

        from overmind_core.swarm.connection import url_with_login  # noqa: PLC0415 - as above
        from overmind_core.swarm.pool_settings import Invitation  # noqa: PLC0415 - as above
        from overmind_core.swarm.vault import new_key_pair  # noqa: PLC0415 - as above

        password = secrets.token_urlsafe(24)
        line, url = self._host.owner_line(), self._host.owner_url()
        pair = new_key_pair() if request.pool else None
        public = None if pair is None else pair.public
        try:
            await line.ask(
                lambda swarm: swarm.invite(request.name, request.role, password, pool=request.pool, key=public)
            )
        finally:
            line.close()
        invited = url_with_login(url, request.name, password)
        kept = False
        if pair is not None:
            kept = self._host.keep_invitation(Invitation(request.name, invited, pair.private), if_configured=True)
            invited = f"{invited}#{pair.private}"
        return {"name": request.name, "role": request.role, "url": invited, "kept": kept}

    @handles(requests.SwarmJoin)
    async def swarm_join(self, request: requests.SwarmJoin, caller: Caller) -> answers.SwarmJoined:
        """Become a hive."""
        del caller
        self._host.check_installed()
        url, _, private = request.url.partition("#")
        if private:
            return await self._keep_invitation(url, private)
        for label, value in request.labels.items():
            if (problem := label_problem(label, value)) is not None:
                raise OvermindError("invalid", f"--label {label}={value}: {problem.text}. No post could ask for it.")
        swarm, hive, others = await self._host.join(request.url, request.labels, request.slots)
        key = fingerprint(self._host.vault.key().public) if hive else ""
        return {"swarm": swarm, "hive": hive, "pool": None, "others": others, "fingerprint": key}

    async def _keep_invitation(self, url: str, private: str) -> answers.SwarmJoined:
        """Keep what a pool's instances join with, once it was seen to be good."""
        from overmind_core.swarm import sealing  # noqa: PLC0415 - it loads PyNaCl
        from overmind_core.swarm.line import SwarmLine  # noqa: PLC0415 - it loads psycopg
        from overmind_core.swarm.pool_settings import Invitation  # noqa: PLC0415 - for members of a swarm

        line = SwarmLine(url)
        try:
            hello, pools = await line.ask(lambda swarm: (swarm.hello(), swarm.pools()))
        finally:
            line.close()
        known = next((one for one in pools if one.name == hello.login), None)
        try:
            public = sealing.public_key_of(bytes.fromhex(private))
        except (ValueError, TypeError):
            public = ""
        if not hello.pool or known is None or known.key != public:
            message = f"This is no whole invitation of a pool, or {hello.login} was invited again since."
            raise OvermindError("invalid", message)
        self._host.keep_invitation(Invitation(hello.login, url, private))
        return {
            "swarm": hello.name, "hive": "", "pool": hello.login, "others": 0, "fingerprint": fingerprint(public),
        }  # fmt: skip

    @handles(requests.SwarmLeave)
    async def swarm_leave(self, request: requests.SwarmLeave, caller: Caller) -> answers.SwarmLeft:
        """Be a hive no more."""
        del caller
        return {"swarm": await self._host.leave(release=request.release, force=request.force)}

    @handles(Nothing)
    async def swarm_status(self, request: Nothing, caller: Caller) -> answers.SwarmState:
        """The swarm in figures; also while its database is silent."""
        del request, caller
        line, service = self._host.line(), self._host.service
        session = None if service is None else self._host.store.session
        began = time.monotonic()
        state: answers.SwarmState = {
            "swarm": "" if session is None else session.swarm,
            "hive": None if session is None else session.hive,
            "silence": "",
            "silent_seconds": 0.0,
            "mode": "open",
            "queued": 0,
            "claimed": 0,
            "lost": 0,
            "store_ms": 0.0,
            "warnings": [],
            "hives": [],
        }
        try:
            status, hives, seconds, warnings = await line.ask(_looked)
        except OvermindError as error:
            if error.code != "swarm_silent":
                raise
            state["silence"] = error.message
            state["silent_seconds"] = round(time.monotonic() - began, 1)  # it was waited for
        else:
            state |= {"swarm": status.name, "mode": status.mode, "hives": [_hive_row(one, status) for one in hives]}
            state |= {"queued": status.queued, "claimed": status.claimed, "lost": status.lost}
            state |= {"store_ms": round(seconds * 1000, 1), "warnings": warnings}
        if service is not None and not state["silence"]:  # it answers others, and this hive can't go on by itself
            state["silence"] = service.condition.silence
        if service is not None:
            state["silent_seconds"] = max(state["silent_seconds"], service.silent_seconds() or 0.0)
        return state

    @handles(requests.SwarmPosts)
    async def swarm_posts(self, request: requests.SwarmPosts, caller: Caller) -> list[answers.SwarmPostRow]:
        """What the swarm holds, oldest first."""
        del caller
        ended = request.ended if request.all else 0
        return await self._host.line().ask(lambda swarm: [_post_row(one) for one in swarm.listed(ended=ended)])

    @handles(requests.SwarmRun)
    async def swarm_run(self, request: requests.SwarmRun, caller: Caller) -> answers.SwarmPosted:
        """Post a run, and see for some seconds whether a hive takes it."""
        del caller
        line = self._host.line()
        post = _post_id(request.request)
        name = request.run.get("name")
        if not name:
            known = await line.ask(lambda swarm: swarm.names())
            name = generate({one.name for one in known if one.id != post}, Random(post))  # noqa: S311 - the same for the same key
        definition = _definition(request, post, str(name), self._only_hive(request))
        await self._check(request)
        if request.dry_run:
            lines, summary = await line.ask(lambda swarm: _foreseen(swarm, definition))
            return {"id": post, "name": definition["name"], "hive": None, "summary": summary, "hives": lines}
        about = f"{post} ({definition['name']})"
        await line.ask_surely(lambda swarm: swarm.post([definition]), f"{about} may have been posted")
        try:
            found, summary = await self._taken(post)
        except OvermindError as error:
            if error.code != "swarm_silent":
                raise
            found, summary = None, f"it is not known whether a hive has taken it: {error.message}"
        if found is not None and found.hive is not None:
            return {"id": post, "name": found.name, "hive": found.hive, "summary": "", "hives": []}
        if request.now:
            await line.ask_surely(lambda swarm: swarm.cancel(post), f"{about} may have been cancelled")
            raise OvermindError("no_room", f"No hive has taken {definition['name']} ({summary}). It was cancelled.")
        return {"id": post, "name": definition["name"], "hive": None, "summary": summary, "hives": []}

    async def _taken(self, post: str) -> tuple[Post | None, str]:
        """Wait for some seconds until a hive has begun a post; return it, and why none has.

        One that has claimed it may give it back: it has begun once it says how that goes.
        """
        line = self._host.line()
        deadline = time.monotonic() + TAKEN_WITHIN
        while True:
            found = await line.ask(lambda swarm: swarm.find_post(post))
            is_late = time.monotonic() >= deadline
            if found is not None and found.state != "queued" and (found.state != "claimed" or found.status or is_late):
                return found, ""
            if is_late:
                break
            await asyncio.sleep(_LOOK)
        summary = (await line.ask(lambda swarm: _why(swarm, post))).summary
        # As far as the swarm knows: one that fits may be silent since a moment ago.
        return found, "waits: no hive has taken it yet" if summary == "yes" else summary

    @handles(Nothing)
    async def swarm_queue(self, request: Nothing, caller: Caller) -> answers.SwarmQueue:
        """What waits, in the order in which a hive that fits takes it, and why each does."""
        del request, caller
        return await self._host.line().ask(_queue)

    @handles(requests.SwarmEvents)
    async def swarm_events(self, request: requests.SwarmEvents, caller: Caller) -> list[answers.SwarmEvent]:
        """What happened in the swarm, oldest first."""
        del caller
        found = await self._host.line().ask(lambda swarm: swarm.events(request.after, request.limit))
        return [
            {
                "seq": one.seq,
                "at": format_time(one.at),
                "type": one.type,
                "post": one.post,
                "hive": one.hive,
                "by": one.by,
                "body": one.body,
            }
            for one in found
        ]

    @handles(requests.SwarmPost)
    async def swarm_why(self, request: requests.SwarmPost, caller: Caller) -> answers.SwarmWhy:
        """Why a post waits, with a line for each hive."""
        del caller
        line = self._host.line()
        post = await self._found(request.id)
        why, pools = await line.ask(lambda swarm: (_why(swarm, post.id), _pools(swarm, post)))
        return {
            "id": post.id, "name": post.name, "state": post.state, "summary": why.summary, "blocked": why.blocked,
            "hives": why.lines, "pools": pools,
        }  # fmt: skip

    @handles(requests.SwarmPost)
    async def swarm_cancel(self, request: requests.SwarmPost, caller: Caller) -> answers.SwarmCancelled:
        """Cancel a post; its hive ends what it has begun."""
        del caller
        post = await self._found(request.id)
        state = await self._host.line().ask(lambda swarm: swarm.cancel(post.id))
        return {"id": post.id, "name": post.name, "state": state}

    @handles(requests.SwarmPost)
    async def swarm_tail(self, request: requests.SwarmPost, caller: Caller) -> answers.SwarmTail:
        """The end of what a post's run has written, once it has ended."""
        del caller
        post = await self._found(request.id)
        now, end = await self._host.line().ask(lambda swarm: (swarm.find_post(post.id), swarm.end_of(post.id)))
        tail = b"" if end is None or end.tail is None else end.tail
        session = None if self._host.service is None else self._host.store.session
        hive = None if now is None else now.hive
        return {
            "id": post.id,
            "name": post.name,
            "state": post.state,
            "hive": hive,
            "here": session is not None and session.hive == hive,
            "tail": tail.decode(errors="replace"),
            "format": None if now is None or end is None else _format_of(now, end),
            "cut": len(tail) >= TAIL,
        }

    @handles(requests.SwarmHive)
    async def swarm_drain(self, request: requests.SwarmHive, caller: Caller) -> answers.SwarmDrained:
        """Have a hive take nothing new, or again."""
        del caller
        held = await self._as_owner(lambda swarm: swarm.drain(request.name, undo=request.undo))
        return {"name": request.name, "held": held, "draining": not request.undo}

    @handles(requests.SwarmRemove)
    async def swarm_remove(self, request: requests.SwarmRemove, caller: Caller) -> answers.SwarmRemoved:
        """Remove a hive and its login."""
        del caller
        session = None if self._host.service is None else self._host.store.session
        if session is not None and session.hive == request.name:
            raise OvermindError("invalid", f"{request.name} is this hive. It leaves with: overmind swarm leave")
        removed = await self._as_owner(lambda swarm: swarm.remove_hive(request.name, dead=request.dead))
        return {"name": request.name, "free": removed.free, "failed": removed.failed}

    async def _as_owner(self, work: Any) -> Any:  # noqa: ANN401 - what the work returns
        line = self._host.owner_line()
        try:
            return await line.ask(work)
        finally:
            line.close()

    async def _check(self, request: requests.SwarmRun) -> None:
        """Refuse what no hive could begin.

        Raises:
            OvermindError: as it says.
        """
        if request.lineage is not None:
            check_generation(request)
        if request.secrets:
            check_known(request.secrets, await self._host.line().ask(lambda swarm: swarm.secrets()))

    def _only_hive(self, request: requests.SwarmRun) -> str | None:
        """The one hive that takes a run; None: any that fits.

        Raises:
            OvermindError: `no_swarm`, it is to be this one, which is none.
        """
        if not request.here:
            return None
        session = None if self._host.service is None else self._host.store.session
        if session is None:
            raise OvermindError("no_swarm", NO_SWARM)
        return session.hive

    async def _found(self, word: str) -> NamedPost:
        return find_post(await self._host.line().ask(lambda swarm: swarm.named([word])), word)


def _post_id(key: str | None) -> str:
    """Return an id for a post; with a key of the caller's choice the same again."""
    import uuid  # noqa: PLC0415 - it loads what few daemons need

    found = (uuid.uuid5(uuid.NAMESPACE_OID, key) if key else uuid.uuid4()).hex[:8]
    return f"a{found[1:]}" if found.isdigit() else found  # digits alone are no id of a mission, which gets this one


def _definition(request: requests.SwarmRun, post: str, name: str, only_hive: str | None) -> dict[str, Any]:
    provider = request.run.get("provider")
    return {
        **({} if only_hive is None else {"only_hive": only_hive}),
        **({} if request.lineage is None else {"lineage": request.lineage}),
        "id": post,
        "kind": "run",
        "name": name,
        "labels": request.on,
        "cpu": request.cpu,
        "memory": request.memory,
        "provider": None if provider in {None, "raw"} else provider,
        "secrets": sorted(set(request.secrets)),
        "pack": request.pack,
        "on_lost": request.on_lost,
        "lease": request.lease,
        "run": request.run | {"name": name},
    }


def _looked(swarm: Swarm) -> tuple[Status, list[Hive], float, list[str]]:
    """The swarm in figures, its hives, the seconds that it has taken to say so, and what its server lacks."""
    began = time.monotonic()
    status, hives = swarm.status(), swarm.hives()
    return status, hives, time.monotonic() - began, swarm.warnings()


def _queue(swarm: Swarm) -> answers.SwarmQueue:
    from overmind_core.swarm.oracle import line_of  # noqa: PLC0415 - it loads psycopg

    posts, hives = swarm.posts(ended=False), swarm.hives()
    needed = swarm.ended_badly(sorted({need for one in posts if one.unmet for need in one.needs}))
    waiting: list[answers.SwarmQueued] = [
        {
            "position": position,
            "id": post.id,
            "name": post.name,
            "kind": post.kind,
            "priority": post.priority,
            "score": post.score,
            "why": why,
        }
        for position, (post, why) in enumerate(line_of(posts, hives, swarm.refusals(), needed), 1)
    ]
    slots = sum(one.slots for one in hives if one.session is not None)
    return {"slots": slots, "used": sum(one.state == "claimed" for one in posts), "posts": waiting}


class _Why(NamedTuple):
    """How a post stands, and why it waits."""

    lines: list[answers.SwarmWhyLine]
    summary: str
    blocked: bool = False


def _why(swarm: Swarm, post: str) -> _Why:
    from overmind_core.swarm.oracle import why  # noqa: PLC0415 - it loads psycopg

    found = swarm.find_post(post)
    if found is None:
        raise OvermindError("not_found", f"The swarm has no post {post!r}.")
    if found.state in {"claimed", "lost"}:
        return _Why([], f"{found.hive} has it")
    if found.state in ENDED:
        return _Why([], _ended(found))
    posts = swarm.posts(ended=False) + (swarm.ended_badly(found.needs) if found.unmet else [])
    answer = why(found, swarm.hives(), posts, swarm.refusals())
    lines: list[answers.SwarmWhyLine] = [{"hive": one.hive, "text": one.text} for one in answer.lines]
    ended = [one.name for one in posts if one.id in found.needs and one.state in {"failed", "cancelled"}]
    then = "".join(f". Go on with: overmind quest retry swarm/{name}" for name in ended[:1])
    enough = found.needs_min or len(found.needs)
    return _Why(lines, answer.summary + then, len(found.needs) - len(ended) < enough)


def _pools(swarm: Swarm, post: NamedPost) -> list[answers.SwarmWhyPool]:
    """What pools do for a post that waits for their machines."""
    names = swarm.pools_for(post.id) if post.state == "queued" else []
    if not names:
        return []
    instances = [one for one in swarm.instances() if one.state != "ended"]
    return [{"pool": one.name, "text": _outlook(one, instances)} for one in swarm.pools() if one.name in names]


def _outlook(pool: Pool, instances: Sequence[Instance]) -> str:
    live = [one for one in instances if one.pool == pool.name]
    starting = [one.name for one in live if one.state != JOINED and one.ending is None]
    silence = str(pool.progress.get("silence") or "")
    return outlook(starting, len(live), pool.progress.get("max"), silence)


def _ended(post: Post) -> str:
    said = how_ended(post.state, post.hive, post.reason)
    if post.state == "done":
        return said
    again = f" Go on with: overmind quest retry swarm/{post.name}" if post.kind == "quest" else ""
    end = f" See the end of its log: overmind logs swarm/{post.name}." if post.hive is not None else ""
    return f"{said}{'.' if again or end else ''}{end}{again}"


def _foreseen(swarm: Swarm, definition: dict[str, Any]) -> tuple[list[answers.SwarmWhyLine], str]:
    from overmind_core.domain.swarm.fits import Wanted, fits, summary  # noqa: PLC0415 - as above
    from overmind_core.swarm.oracle import offered_of  # noqa: PLC0415 - as above

    wanted = Wanted(
        labels=definition["labels"],
        cpu=definition["cpu"],
        memory=definition["memory"],
        provider=definition["provider"],
        secrets=definition["secrets"],
        only_hive=definition.get("only_hive"),
        posted_by=swarm.hello().login,
    )
    found = {hive.name: fits(wanted, offered_of(hive)) for hive in swarm.hives()}
    return [{"hive": name, "text": fit.line()} for name, fit in found.items()], summary(wanted, list(found.values()))


def _link(hive: Hive, status: Status) -> answers.HiveLink:
    if hive.session is None:
        return "closed"
    if (hive.seen_ago or 0.0) > SILENT_SECONDS:
        return "silent"
    if status.mode in {"settling", "presenting"} and (hive.settle or 0) < status.settle:
        return "settling"
    return "draining" if hive.draining else "open"


def _hive_row(hive: Hive, status: Status) -> answers.SwarmHiveRow:
    return {
        "name": hive.name,
        "id": None if hive.home is None else hive.home.partition("-")[0],  # behind it: which copy of the home it is
        "link": _link(hive, status),
        "version": hive.version,
        "held": hive.held,
        "slots": hive.slots,
        "cpu": hive.cpu,
        "memory": hive.memory,
        "labels": hive.labels,
        "seen_ago": hive.seen_ago,
    }


def _format_of(post: Post, end: PostEnd) -> str | None:
    """Return whose lines its run wrote; None: plain ones, or those of a terminal."""
    return None if post.provider == RAW or end.definition.get("tty") is True else post.provider


def _post_row(post: ListedPost) -> answers.SwarmPostRow:
    return {
        "id": post.id,
        "kind": post.kind,
        "name": post.name,
        "state": post.state,
        "hive": post.hive,
        "status": None if post.state in ENDED else post.status,  # the last that was reported is not how it ended
        "phase": None if post.state in ENDED else post.phase,  # as above
        "priority": post.priority,
        "cost_usd": post.cost or None,
        "attempt": post.attempt,
        "fence": post.fence,
        "labels": post.labels,
        "spec": post.spec,
        "exit_code": post.exit_code,
        "reason": post.reason,
        "posted_by": post.posted_by,
        "posted_at": format_time(post.posted_at),
        "claimed_at": None if post.claimed_at is None else format_time(post.claimed_at),
        "ended_at": None if post.ended_at is None else format_time(post.ended_at),
    }
