-- The tables of a swarm. Nobody has rights on them: all changes are functions, all looks are views.
-- `schema.py` runs each file in one transaction, with `overmind` as its search path.
--
-- No wall clock decides anything here: times are shown, and give an order among what waits. What has to last a while is
-- measured by a hive on its own monotonic clock; it brings what it has seen, and compares and sets.

create table meta (
    one boolean primary key default true check (one),
    name text not null default 'overmind',
    id text not null default left(gen_random_uuid()::text, 8), -- tells it from others of its name: engines of pools see it
    key bytea not null, -- of the proofs that claims and sessions carry: what nobody can make up after a rewind
    -- the server with which this was open last; another one, or another timeline, means that it may have gone back
    system bigint not null,
    timeline int not null,
    database oid not null,
    store oid not null,
    started timestamptz not null,
    mode text not null default 'open' check (mode in ('open', 'restarted', 'settling', 'presenting')),
    settle bigint not null default 0, -- names the rewind that was noticed last, and grows
    longest double precision not null default 600 -- seconds: of all leases that there were
);

create sequence fences; -- one for all posts: a fence grows with each claim, and names one claim alone
create sequence numbers; -- of questions, as people type them: swarm/7

create table logins (
    name text collate "C" primary key,
    role text not null check (role in ('viewer', 'worker', 'operator', 'owner')),
    pool boolean not null default false, -- the one login of all instances of a pool
    key text, -- of a pool: public; secrets are sealed for it
    machine jsonb, -- of a pool: what the instance that joined last has, cpu memory providers format
    invited_by text not null default session_user,
    invited_at timestamptz not null default now()
);

create table hives (
    name text collate "C" primary key,
    login text collate "C" not null,
    labels jsonb not null default '{}',
    slots int not null default 0,
    cpu double precision not null default 0,
    memory bigint not null default 0, -- bytes
    free_slots int not null default 0, -- what is not reserved, as its last beat had it
    free_cpu double precision not null default 0,
    free_memory bigint not null default 0,
    load double precision not null default 0, -- taken slots by slots
    providers text[] not null default '{}',
    accepts jsonb not null default '{}', -- judged at the hive; here to be shown
    version text not null default '',
    format int not null default 1, -- of the posts that it understands
    key text, -- public, of its vault
    pools text[] not null default '{}', -- those whose instances it can start
    system text not null default '',
    draining boolean not null default false,
    joined_at timestamptz not null default now()
);

create table sessions (
    id text collate "C" primary key,
    hive text collate "C" not null,
    login text collate "C" not null,
    home text not null,
    state text not null default 'alive' check (state in ('alive', 'replaced', 'ended')),
    beat bigint not null default 0,
    nonce text not null default '', -- of the beat that was accepted last
    fence bigint not null default 0, -- the last one that it was given
    beaten boolean not null default true, -- as expected, since the server was started
    settle bigint not null default 0, -- the rewind after which it has presented what it holds
    began_at timestamptz not null default now(),
    seen_at timestamptz not null default now() -- shown, never compared
);
create unique index session_alive on sessions (hive) where state = 'alive';

-- Scores are those of the queue, to the last bit: tests hold both against each other. Bodies of this form are bound
-- when they are made: no search path can change them, and the planner reads through them.
create function fixed_score(priority text, dependants int, retries int, spent int)
    returns double precision language sql immutable
    return (
        0.45::float8 * case priority when 'critical' then 1.0::float8 when 'high' then 0.75::float8
            when 'medium' then 0.5::float8 else 0.25::float8 end
        + case when dependants > 0 then 0.15::float8 * least(dependants::float8 / 10.0::float8, 1.0::float8)
            else 0.0::float8 end
    ) + case when spent > 0
        then 0.05::float8 * greatest(0.0::float8, 1.0::float8 - spent::float8 / greatest(retries, 1)::float8)
        else 0.05::float8 end;

create table posts (
    id text collate "C" primary key,
    kind text not null check (kind in ('quest', 'run', 'place', 'pool')), -- pool: who decides about one
    name text not null,
    definition jsonb not null, -- what a hive needs to start it, and to post it again after a rewind
    state text not null default 'queued'
        check (state in ('queued', 'claimed', 'lost', 'done', 'failed', 'cancelled')),
    version bigint not null default 1, -- grows with each change of its state
    -- who has it
    hive text collate "C",
    session text collate "C",
    fence bigint not null default 0,
    -- conditions
    labels jsonb not null default '{}',
    cpu double precision not null default 0,
    memory bigint not null default 0,
    provider text,
    secrets text[] not null default '{}',
    only_hive text collate "C",
    prefers text collate "C", -- the hive that has it to itself for the first minute
    format int not null default 1,
    repository text,
    owned text[] not null default '{}', -- the literal beginnings of what it owns; '' owns all
    budget text,
    lineage text collate "C", -- of its posts at most one lives
    spec text, -- slug of the spec of which it is a phase or a task
    pack boolean not null default false,
    on_lost text not null default 'move' check (on_lost in ('move', 'wait')),
    lease double precision not null default 600 check (lease >= 10), -- seconds
    delay double precision not null default 0, -- seconds for which a hive has to have seen it wait
    -- order
    priority text not null default 'medium' check (priority in ('critical', 'high', 'medium', 'low')),
    critical boolean not null generated always as (priority = 'critical') stored,
    deadline_at double precision, -- seconds since the epoch, as the queue has them
    retries int not null default 0,
    spent int not null default 0,
    dependants int not null default 0,
    began_at double precision not null default extract(epoch from now()),
    able_at double precision, -- null: what it needs has not ended
    fixed double precision not null
        generated always as (fixed_score(priority, dependants, retries, spent)) stored,
    needs_min int not null default 0,
    unmet int not null default 0,
    -- what its holder tells
    status text,
    phase text,
    attempt int not null default 0,
    cost double precision not null default 0,
    progress jsonb not null default '{}',
    ready boolean not null default false,
    cancelling text, -- why its holder is to end it
    presented bigint not null default 0, -- after which rewind its holder said so
    hive_lost int not null default 0, -- how often it was tried again because its hive was gone
    given_back int not null default 0, -- how often hives could not start it, since somebody has posted it or tried it again
    -- its end
    exit_code int,
    reason text,
    result jsonb,
    tail bytea,
    -- of a fleet
    fleet text collate "C",
    place int,
    generation int not null default 0,
    failures int not null default 0, -- in a row, without a minute of health
    posted_by text not null default session_user,
    posted_at timestamptz not null default now(),
    claimed_at timestamptz,
    ended_at double precision
);
create index post_order on posts (critical desc, fixed desc, able_at, id)
    where state = 'queued' and unmet = 0 and deadline_at is null;
create index post_urgent on posts (deadline_at) where state = 'queued' and unmet = 0 and deadline_at is not null;
create index post_shared on posts (id)
    where state = 'queued' and unmet = 0 and (owned <> '{}' or fleet is not null or lineage is not null);
create index post_delayed on posts (id) where state = 'queued' and delay > 0;
create index post_held on posts (session) where state in ('claimed', 'lost');
create index post_live on posts (id) where state in ('claimed', 'lost');
create index post_fleet on posts (fleet, place) where fleet is not null;

create table needs (
    post text collate "C" not null references posts on delete cascade,
    need text collate "C" not null,
    primary key (post, need)
);
create index need_of on needs (need);

create table refusals ( -- given back: not offered to that hive for a minute, whatever others do with it meanwhile
    post text collate "C" not null references posts on delete cascade,
    hive text collate "C" not null,
    version bigint not null default nextval('numbers'), -- of this refusal: the hive counts the minute since it saw it
    reason text not null,
    primary key (post, hive)
);

create table questions (
    number bigint primary key default nextval('numbers'),
    post text collate "C" not null references posts on delete cascade,
    fence bigint not null,
    key text not null, -- of its holder; 'lost': of the swarm
    body jsonb not null,
    answer jsonb,
    answered_by text,
    unique (post, fence, key)
);

create table outputs (
    post text collate "C" not null references posts on delete cascade,
    fence bigint not null,
    name text not null,
    body bytea not null,
    primary key (post, fence, name)
);

create table secrets (
    name text collate "C" not null,
    hive text collate "C" not null, -- or a pool
    sealed bytea not null,
    put_by text not null default session_user,
    put_at timestamptz not null default now(),
    primary key (name, hive)
);

create table limits ( -- provider:claude = how many at once; budget:team = US dollars
    name text collate "C" primary key,
    most double precision not null
);

create table places ( -- one row a fleet: how many places there are to be, and of what
    fleet text collate "C" primary key,
    definition jsonb not null,
    want int, -- null: one on every fitting hive
    generation int not null default 1,
    source text not null default '', -- the blueprint that wants it
    posted_by text not null default session_user
);

create sequence instance_numbers; -- of all pools: no name comes twice

create table instances ( -- of pools: a row before anything is started
    name text collate "C" primary key,
    pool text collate "C" not null,
    state text not null default 'asked' check (state in ('asked', 'started', 'running', 'joined', 'ended')),
    engine_id text,
    ending text check (ending in ('drain', 'force')), -- somebody wants it to end: once what it has has ended, or at once
    reason text, -- why it has ended, where that is to be told
    asked_by text not null default session_user,
    asked_at timestamptz not null default now()
);

create table events (
    seq bigint generated always as identity primary key,
    at timestamptz not null default now(),
    type text not null,
    post text,
    hive text,
    by text not null default session_user,
    body jsonb not null default '{}'
);
