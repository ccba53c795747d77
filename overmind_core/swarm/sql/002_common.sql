-- What the other functions share: errors, roles, the one lock, proofs, events, and the order of the queue.

-- An error for people: the client reads the code from the hint.
create function fail(code text, message text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
begin
    raise exception using errcode = 'OM000', message = message, hint = code;
end $$;

create function rank_of(role text) returns int language sql immutable
    return case role when 'viewer' then 1 when 'worker' then 2 when 'operator' then 3 when 'owner' then 4 else 0 end;

create function is_store_owner() returns boolean
    language sql stable set search_path = overmind, pg_temp as $$
    select pg_has_role(session_user, (select relowner from pg_class where oid = 'overmind.meta'::regclass), 'member')
$$;

-- Whoever connects has a role in this database; a login of another swarm of the same server has none.
create function my_role() returns text
    language plpgsql stable security definer set search_path = overmind, pg_temp as $$
begin
    return coalesce(
        (select role from logins where name = session_user),
        case when is_store_owner() then 'owner' end
    );
end $$;

create function may(role text) returns void
    language plpgsql stable set search_path = overmind, pg_temp as $$
declare
    mine text := my_role();
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        perform fail('invalid', 'The swarm answers in single statements: the isolation is '
            || current_setting('transaction_isolation') || ', not read committed.');
    end if;
    if mine is null then
        perform fail('forbidden', format(
            'Login %s is none of this swarm. An owner can invite it: overmind swarm invite %s --role %s',
            session_user, session_user, role));
    elsif rank_of(mine) < rank_of(role) then
        perform fail('forbidden', format(
            'Login %s (%s) may not do that. An owner can change its role: overmind swarm invite %s --role %s',
            session_user, mine, session_user, role));
    end if;
end $$;

-- Held by whatever looks at several posts at once: shared limits, needs, fleets, a rewind. It is taken before any row.
create function serialize() returns void
    language sql set search_path = overmind, pg_temp as $$
    select pg_advisory_xact_lock(hashtext('overmind'), ('overmind.meta'::regclass)::oid::int)
$$;

create function prove(message text) returns text
    language plpgsql stable set search_path = overmind, pg_temp as $$
begin
    return (select encode(sha256(key || sha256(key || convert_to(message, 'UTF8'))), 'hex') from meta);
end $$;

create function record(type text, post text, hive text, body jsonb default '{}') returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    number bigint;
begin
    insert into events (type, post, hive, body) values (type, post, hive, body) returning seq into number;
    perform forget_old(number, 1);
end $$;

-- Old events go, and old posts: once for each thousand events. `number`: of the last of so many that were recorded now.
create function forget_old(number bigint, recorded int) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
begin
    if number % 1000 < recorded then
        delete from events where seq < number - 50000;
        perform forget_ended();
    end if;
end $$;

-- Posts that have ended long ago go with all that they have handed on: the newest stay, what is needed yet, and generations.
-- It looks at all of them, whatever the function that calls it has told the planner.
create function forget_ended(kept int default 20000) returns void
    language sql set search_path = overmind, pg_temp set enable_seqscan = on set enable_hashjoin = on set enable_mergejoin = on
    set plan_cache_mode = auto as $$
    delete from posts where id in (
        select p.id from posts p where p.id in (
            select id from posts where state in ('done', 'failed', 'cancelled') order by ended_at desc, id offset kept
        ) and p.lineage is null and p.fleet is null and not exists (
            select from needs n join posts d on d.id = n.post
            where n.need = p.id and d.state in ('queued', 'claimed', 'lost')
        ) for update skip locked
    )
$$;

create function news(about text) returns void
    language sql set search_path = overmind, pg_temp as $$ select pg_notify('overmind', about) $$;

-- What is new of posts that wait: `packed` goes to the fullest hive first, all else to the emptiest.
create function queue_news(pack boolean) returns text language sql immutable
    return case when pack then 'packed' else 'queued' end;

create function epoch() returns double precision language sql volatile return extract(epoch from clock_timestamp());

-- The score of `domain.quests.score.Urgency.rank`, in its order of operations. As all that a claim calls it is in plpgsql:
-- that keeps its plans for the connection, where a function in sql is planned at each call.
create function score(fixed double precision, able_at double precision, deadline_at double precision,
    moment double precision) returns double precision
    language plpgsql immutable set search_path = overmind, pg_temp as $$
declare
    waited constant double precision := moment - coalesce(able_at, 'infinity'::float8);
    slack constant double precision := coalesce(deadline_at, 'infinity'::float8) - moment;
    total double precision := fixed;
begin
    if waited > 0 then
        total := total + 0.2::float8 * case when waited < 3600 then waited / 3600.0::float8 else 1.0::float8 end;
    end if;
    if slack <= 900 then
        total := (total + 0.15::float8 * case when slack > 0 then 1.0::float8 - slack / 900.0::float8 else 1.0::float8 end)
            * 1.25::float8;
    end if;
    if waited >= 7200 then
        total := greatest(total, 0.6::float8 + 0.1::float8 * total);
    end if;
    return total;
end $$;

-- Whether what two posts own could meet: one beginning is the other's, name by name.
create function could_meet(mine text[], theirs text[]) returns boolean
    language sql immutable set search_path = overmind, pg_temp as $$
    select exists (
        select from unnest(mine) one, unnest(theirs) other
        where one = '' or other = '' or starts_with(one || '/', other || '/') or starts_with(other || '/', one || '/')
    )
$$;

-- Count again what these posts still need, and since when nothing but their turn is in their way.
create function count_needs(ids text[]) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    one record;
begin
    for one in
        select p.id, p.began_at, p.unmet, p.state, p.pack,
            case when p.needs_min > 0 then least(p.needs_min, count(n.need)::int) else count(n.need)::int end as least_,
            count(n.need) filter (where d.state = 'done')::int as done,
            count(n.need) filter (where d.id is null or d.state in ('done', 'failed', 'cancelled')) = count(n.need)
                as over,
            coalesce(array_agg(d.ended_at order by d.ended_at) filter (where d.state = 'done'), '{}') as ends,
            coalesce(max(d.ended_at), 0) as last_end
        from posts p left join needs n on n.post = p.id left join posts d on d.id = n.need
        where p.id = any(ids) group by p.id order by p.id
    loop
        update posts set unmet = greatest(0, one.least_ - one.done),
            able_at = case when one.least_ = 0 then one.began_at
                when one.done >= one.least_ then greatest(one.began_at, one.ends[one.least_])
                when one.over then greatest(one.began_at, one.last_end) end
        where id = one.id;
        if one.state = 'queued' and one.unmet > 0 and one.done >= one.least_ then
            perform news(queue_news(one.pack));
        end if;
    end loop;
end $$;

create function count_dependants(ids text[]) returns void
    language sql set search_path = overmind, pg_temp as $$
    update posts set dependants = (
        select count(*) from needs n join posts p on p.id = n.post
        where n.need = posts.id and p.state in ('queued', 'claimed', 'lost')
    ) where id = any(ids)
$$;
