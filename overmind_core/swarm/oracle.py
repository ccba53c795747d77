"""The oracle: for a post and each hive, whether it fits or the first condition that fails, by what the swarm shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from overmind_core.domain.swarm.fits import Answer, Fit, Offered, Wanted, fits, summary
from overmind_core.swarm.answers import Hive, Post, Refusal


class Line(NamedTuple):
    """What the oracle says about one hive."""

    hive: str
    fit: Fit
    place: int | None
    """In that hive's line, from 1; None: it does not fit."""

    @property
    def text(self) -> str:
        """As people read it, after the hive's name."""
        return self.fit.line(self.place)


class Why(NamedTuple):
    """What the oracle says about a post."""

    summary: str
    lines: tuple[Line, ...]


def wanted_of(post: Post, posts: Iterable[Post] = ()) -> Wanted:
    """Return what a post asks of a hive; `posts`: those that it may need, to be named."""
    return Wanted(
        labels=post.labels,
        cpu=post.cpu,
        memory=post.memory,
        provider=post.provider,
        secrets=post.secrets,
        only_hive=post.only_hive,
        format=post.format,
        repository=post.repository,
        posted_by=post.posted_by,
        unmet=post.unmet,
        needs=[f"{one.name} ({one.state})" for one in posts if one.id in post.needs and one.state != "done"],
        alive=_alive(post, posts),
        prefers=post.prefers if post.delay else None,
    )


def _alive(post: Post, posts: Iterable[Post]) -> str:
    """What lives of a post's lineage, as people read it."""
    if post.lineage is None:
        return ""
    living = (one for one in posts if one.lineage == post.lineage and one.state in {"claimed", "lost"})
    return next((f"{post.lineage}: {one.name} lives on {one.hive}" for one in living), "")


def offered_of(hive: Hive, refusal: str | None = None) -> Offered:
    """Return what a hive has; `refusal`: why it has given the post back that this is about."""
    return Offered(
        name=hive.name,
        labels=hive.labels,
        slots=hive.slots,
        free_slots=hive.free_slots,
        cpu=hive.cpu,
        free_cpu=hive.free_cpu,
        memory=hive.memory,
        free_memory=hive.free_memory,
        providers=hive.providers,
        secrets=hive.secrets,
        accepts=hive.accepts,
        format=hive.format,
        is_alive=hive.session is not None,
        is_draining=hive.draining,
        refusal=refusal,
    )


def why(post: Post, hives: Sequence[Hive], posts: Iterable[Post] = (), refusals: Iterable[Refusal] = ()) -> Why:
    """Return what the oracle says about a post that waits.

    Args:
        post: It.
        hives: All hives.
        posts: Those beside it, for its place in line; where it waits for some, those that have ended, too.
        refusals: Why posts were given back.
    """
    posts = list(posts)
    wanted = wanted_of(post, posts)
    refused = {(one.post, one.hive): one.reason for one in refusals}
    ahead = [
        one
        for one in posts
        if one.state == "queued" and not one.unmet and one.id != post.id and _rank(one) < _rank(post)
    ]
    lines = []
    for hive in hives:
        found = fits(wanted, offered_of(hive, refused.get((post.id, hive.name))))
        place = None
        if found.answer is Answer.YES:
            before = (fits(wanted_of(one), offered_of(hive, refused.get((one.id, hive.name)))) for one in ahead)
            place = 1 + sum(one.answer is Answer.YES for one in before)
        lines.append(Line(hive.name, found, place))
    return Why(summary(wanted, [one.fit for one in lines]), tuple(lines))


def line_of(
    posts: Sequence[Post], hives: Sequence[Hive], refusals: Iterable[Refusal] = (), needed: Iterable[Post] = ()
) -> Iterator[tuple[Post, str]]:
    """Yield the posts that wait, in the order in which a hive that fits takes them, each with why it does in a line.

    Args:
        posts: All that have not ended.
        hives: All hives.
        refusals: Why posts were given back.
        needed: What has ended and is needed by those.
    """
    refused = {(one.post, one.hive): one.reason for one in refusals}
    named = {one.id: f"{one.name} ({one.state})" for one in (*posts, *needed) if one.state != "done"}
    for post in sorted((one for one in posts if one.state == "queued"), key=lambda one: (one.unmet > 0, _rank(one))):
        kin = posts if post.lineage is not None else ()
        wanted = wanted_of(post, kin)._replace(needs=[named[one] for one in post.needs if one in named])
        found = [fits(wanted, offered_of(hive, refused.get((post.id, hive.name)))) for hive in hives]
        yield post, summary(wanted, found)


def _rank(post: Post) -> tuple[bool, float, float, str]:
    return post.priority != "critical", -post.score, float("inf") if post.able_at is None else post.able_at, post.id
