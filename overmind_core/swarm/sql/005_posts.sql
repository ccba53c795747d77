-- Posts: posting, claiming, reports, ends, and what happens to those whose holder is gone.

create function post(definitions jsonb) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    one jsonb;
    ids text[] := '{}';
    waiting text[];
    unknown text;
begin
    perform may('operator');
    perform serialize();
    for one in select value || jsonb_build_object('posted_by', session_user) from jsonb_array_elements(definitions) loop
        if exists (select from posts where id = one ->> 'id') then
            if (select definition from posts where id = one ->> 'id') <> one then
                perform fail('name_taken', format('Post %s is there already, with another definition', one ->> 'id'));
            end if;
            continue; -- asked again after a lost answer
        elsif coalesce(one ->> 'id', '') !~ '^[a-z0-9]+$' then -- people give it to commands, and programs do
            perform fail('invalid', format('%L is no id of a post: it has lower-case letters and digits', one ->> 'id'));
        elsif one ->> 'kind' not in ('quest', 'run') then
            perform fail('invalid', format('A post of kind %s is not posted by hand', one ->> 'kind'));
        elsif one ->> 'lineage' is not null and one ->> 'kind' <> 'run' then
            perform fail('invalid', format('A post of kind %s has no lineage', one ->> 'kind'));
        end if;
        perform insert_post(one);
        ids := ids || (one ->> 'id');
    end loop;
    select need into unknown from needs n where n.post = any(ids) and not exists (select from posts p where p.id = need);
    if found then
        perform fail('not_found', format('There is no post %s, which another one needs', unknown));
    end if;
    waiting := array(select distinct n.post from needs n where n.post = any(ids));
    if waiting <> '{}' then
        perform count_needs(waiting);
        perform count_dependants(array(select distinct need from needs n where n.post = any(waiting)));
    end if;
    update meta set longest = greatest(longest, (select max(lease) from posts where id = any(ids)));
    return to_jsonb(ids);
end $$;

-- Where it needs nothing, it waits for its turn alone; else `count_needs` is called once all are there.
create function insert_post(one jsonb) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    needed constant text[] := array(select jsonb_array_elements_text(coalesce(one -> 'needs', '[]')));
    moment constant double precision := epoch();
begin
    insert into posts (id, kind, name, definition, labels, cpu, memory, provider, secrets, only_hive, prefers, format,
        repository, owned, budget, lineage, spec, pack, on_lost, lease, priority, deadline_at, retries, needs_min, unmet, fleet, place,
        generation, delay, began_at, able_at, posted_by)
    values (one ->> 'id', one ->> 'kind', one ->> 'name', one, coalesce(one -> 'labels', '{}'),
        coalesce((one ->> 'cpu')::float8, 0), coalesce((one ->> 'memory')::bigint, 0), one ->> 'provider',
        array(select jsonb_array_elements_text(coalesce(one -> 'secrets', '[]'))), one ->> 'only_hive', one ->> 'prefers',
        coalesce((one ->> 'format')::int, 1), one ->> 'repository',
        array(select jsonb_array_elements_text(coalesce(one -> 'owned', '[]'))), one ->> 'budget', one ->> 'lineage',
        one -> 'spec' ->> 'spec', coalesce((one ->> 'pack')::boolean, false),
        coalesce(one ->> 'on_lost', case when one ->> 'kind' = 'quest' then 'move' else 'wait' end),
        coalesce((one ->> 'lease')::float8, 600), coalesce(one ->> 'priority', 'medium'), (one ->> 'deadline_at')::float8,
        coalesce((one ->> 'retries')::int, 0), coalesce((one ->> 'needs_min')::int, 0),
        case when needed = '{}' then 0 else 1 end, one ->> 'fleet', (one ->> 'place')::int,
        coalesce((one ->> 'generation')::int, 0), case when one ->> 'prefers' is null then 0 else 60 end, moment,
        case when needed = '{}' then moment end, coalesce(one ->> 'posted_by', session_user));
    if needed <> '{}' then
        insert into needs (post, need) select one ->> 'id', need from unnest(needed) need on conflict do nothing;
    else
        perform pg_notify('overmind', queue_news(coalesce((one ->> 'pack')::boolean, false)));
    end if;
    if one ->> 'lineage' is not null then
        perform prefer_conversation(one ->> 'id');
    end if;
    perform record('post_queued', one ->> 'id', null);
end $$;

create function texts(list jsonb) returns text[] language sql immutable
    set search_path = overmind, pg_temp as $$
    select coalesce(array_agg(value), '{}') from jsonb_array_elements_text(coalesce(list, '[]'))
$$;

create function claim_proof(post text, fence bigint, hive text, definition text) returns text
    language plpgsql stable set search_path = overmind, pg_temp as $$
begin
    return prove(concat_ws('|', 'claim', post, fence, hive, encode(sha256(convert_to(definition, 'UTF8')), 'hex')));
end $$;

-- What the refusal of a post is called among what a hive has seen.
create function refused(post text) returns text language sql immutable return post || ' refused';

-- Whether a hive has seen a post, or a refusal, for so long as it is now. `seen`: {post: [version, seconds]}, on its own
-- clock.
create function waited(seen jsonb, post text, version bigint, least_ double precision) returns boolean
    language sql immutable
    return coalesce((seen -> post ->> 0)::bigint = version and (seen -> post ->> 1)::float8 >= least_, false);

-- Give what waits to the hive that asks, best first. `free`: {"slots", "cpu", "memory"} that nothing is reserved of.
-- The word: 'ok'; 'gone', 'beat' (beat first, or again), 'closed' (the store is being made sure of), 'draining'.
-- To compile its plan would take thirty times as long as to run it.
create function claim(session text, beat bigint, free jsonb, seen jsonb default '{}') returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp set jit = off set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
    now_is meta := notice();
    alone boolean := some_share();
begin
    if alone then
        perform serialize(); -- before any row
    end if;
    return give(session, beat, free, seen, now_is, alone);
end $$;

-- Whether what waits may share a limit; then `serialize` comes before any row.
create function some_share() returns boolean
    language plpgsql stable set search_path = overmind, pg_temp as $$
begin
    return exists (select from posts where state = 'queued' and unmet = 0 and (owned <> '{}' or fleet is not null or lineage is not null))
        or exists (select from limits);
end $$;

-- See `claim`. `alone`: nobody else takes what shares a limit meanwhile.
create function give(session text, beat bigint, free jsonb, seen jsonb, now_is meta, alone boolean) returns jsonb
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    asked record;
    mine sessions;
    me hives;
    word text;
    slots int := (free ->> 'slots')::int;
    cpu_left double precision := coalesce((free ->> 'cpu')::float8, 'infinity');
    memory_left bigint := coalesce((free ->> 'memory')::bigint, 9223372036854775807);
    my_secrets text[];
    tried text[] := '{}';
    held jsonb := '[]'; -- what one of a higher rank would own
    barred text[] := '{}'; -- the same, to be passed over at once
    given jsonb := '[]';
    moment double precision := epoch();
    page int := least(greatest(8, 2 * slots), 128);
    one record;
    fence_ bigint;
    shares boolean;
    looked int;
begin
    select s.* into asked from my_session(session) s;
    mine := asked.mine;
    word := asked.word;
    if word <> 'ok' then
        return jsonb_build_object('word', 'gone', 'claims', given);
    elsif mine.beat <> give.beat then
        return jsonb_build_object('word', 'beat', 'claims', given);
    elsif now_is.mode in ('settling', 'restarted') or mine.settle < now_is.settle then
        return jsonb_build_object('word', 'closed', 'claims', given);
    end if;
    select * into me from hives where name = mine.hive;
    if me.draining or me.name is null then
        return jsonb_build_object('word', 'draining', 'claims', given);
    end if;
    my_secrets := array(select s.name from secrets s where s.hive in (me.name, me.login));
    loop
        exit when slots <= 0 or cardinality(tried) > 2000;
        looked := 0;
        for one in
            with recursive groups as (
                (select critical, fixed from posts where state = 'queued' and unmet = 0 and deadline_at is null
                    order by critical desc, fixed desc limit 1)
                union all
                select n.critical, n.fixed from groups g, lateral (
                    select critical, fixed from posts p
                    where state = 'queued' and unmet = 0 and deadline_at is null
                        and (p.critical, p.fixed) < (g.critical, g.fixed)
                    order by critical desc, fixed desc limit 1
                ) n
            ), found as (
                -- Of equal urgency the one that waits longest has the highest score, whatever the time is.
                select c.id, c.critical, c.fixed, c.able_at, c.deadline_at from groups g, lateral (
                    select p.id, p.critical, p.fixed, p.able_at, p.deadline_at from posts p
                    where p.state = 'queued' and p.unmet = 0 and p.deadline_at is null and p.kind <> 'pool'
                        and p.critical = g.critical and p.fixed = g.fixed
                        and p.cpu <= cpu_left and p.memory <= memory_left
                        and me.labels @> p.labels and (p.provider is null or p.provider = any(me.providers))
                        and p.secrets <@ my_secrets and p.format <= me.format
                        and (p.only_hive is null or p.only_hive = me.name)
                        and (p.delay = 0 or p.prefers = me.name or waited(seen, p.id, p.version, p.delay))
                        and (now_is.mode = 'open' or p.on_lost = 'move')
                        and p.id <> all(tried)
                        and (p.owned = '{}' or p.repository || p.owned::text <> all(barred))
                        and not exists (select from refusals r where r.post = p.id and r.hive = me.name
                            and not waited(seen, refused(p.id), r.version, 60))
                    order by p.able_at, p.id limit page
                ) c
                union all
                select p.id, p.critical, p.fixed, p.able_at, p.deadline_at from posts p
                where p.state = 'queued' and p.unmet = 0 and p.deadline_at is not null
                    and p.cpu <= cpu_left and p.memory <= memory_left
                    and me.labels @> p.labels and (p.provider is null or p.provider = any(me.providers))
                    and p.secrets <@ my_secrets and p.format <= me.format
                    and (p.only_hive is null or p.only_hive = me.name)
                    and (p.delay = 0 or p.prefers = me.name or waited(seen, p.id, p.version, p.delay))
                    and (now_is.mode = 'open' or p.on_lost = 'move')
                    and p.id <> all(tried)
                    and (p.owned = '{}' or p.repository || p.owned::text <> all(barred))
                    and not exists (select from refusals r where r.post = p.id and r.hive = me.name
                        and not waited(seen, refused(p.id), r.version, 60))
            )
            select id from found order by critical desc, score(fixed, able_at, deadline_at, moment) desc, able_at, id
            limit page
        loop
            looked := looked + 1;
            tried := tried || one.id;
            exit when slots <= 0;
            declare
                p posts;
            begin
                select * into p from posts where id = one.id and state = 'queued' and unmet = 0 for update skip locked;
                continue when not found or p.cpu > cpu_left or p.memory > memory_left;
                shares := p.owned <> '{}' or p.fleet is not null or p.budget is not null or p.provider is not null
                    or p.lineage is not null;
                if shares then
                    -- It has come since we looked: its own news bring us back.
                    continue when not alone and (p.owned <> '{}' or p.fleet is not null or p.lineage is not null
                        or exists (select from limits));
                    if p.owned <> '{}' and (
                        exists (select from jsonb_array_elements(held) h where h ->> 'repository' = p.repository
                            and could_meet(p.owned, texts(h -> 'owned')))
                        or exists (select from posts o where o.state in ('claimed', 'lost')
                            and o.repository = p.repository and o.owned <> '{}' and could_meet(p.owned, o.owned))
                    ) then
                        continue when p.repository || p.owned::text = any(barred);
                        barred := barred || (p.repository || p.owned::text);
                        held := held || jsonb_build_object('repository', p.repository, 'owned', to_jsonb(p.owned));
                        continue;
                    end if;
                    continue when limit_of(p) is not null;
                    continue when p.lineage is not null and exists (
                        select from posts o where o.state in ('claimed', 'lost') and o.lineage = p.lineage);
                    continue when p.fleet is not null and p.only_hive is null and not waited(seen, p.id, p.version, 5)
                        and has_fewer(p, me.name);
                end if;
                fence_ := nextval('fences');
                update posts set state = 'claimed', hive = me.name, session = mine.id, fence = fence_,
                    version = version + 1, claimed_at = now(), status = null, phase = null, progress = '{}',
                    ready = false, cancelling = null, exit_code = null, reason = null, result = null, tail = null,
                    ended_at = null
                    where id = p.id;
                if p.lineage is not null then
                    perform number_generation(p.id);
                end if;
                perform record('post_claimed', p.id, me.name, jsonb_build_object('fence', fence_));
                slots := slots - 1;
                cpu_left := cpu_left - p.cpu;
                memory_left := memory_left - p.memory;
                p.hive := me.name;
                p.fence := fence_;
                given := given || claim_answer(p);
            end;
        end loop;
        exit when looked < page;
    end loop;
    if given <> '[]' then
        update sessions set fence = fence_ where id = mine.id;
    end if;
    return jsonb_build_object('word', 'ok', 'claims', given);
end $$;

-- The limit that keeps a post from starting; null: none does. Under `serialize` where there are limits.
create function limit_of(p posts) returns text
    language sql stable set search_path = overmind, pg_temp as $$
    select l.name from limits l
    where (l.name = 'provider:' || p.provider and l.most <= (
            select count(*) from posts o where o.state in ('claimed', 'lost') and o.provider = p.provider))
        or (l.name = 'budget:' || p.budget and l.most <= (
            select coalesce(sum(o.cost), 0) from posts o where o.budget = p.budget))
    limit 1
$$;

-- Whether another fitting hive has fewer places of a fleet than this one.
create function has_fewer(p posts, hive_name text) returns boolean
    language sql stable set search_path = overmind, pg_temp as $$
    select exists (
        select from hives h join sessions s on s.hive = h.name and s.state = 'alive'
        where h.name <> hive_name and h.slots > 0 and not h.draining and h.labels @> p.labels
            and (p.provider is null or p.provider = any(h.providers))
            and (select count(*) from posts o where o.fleet = p.fleet and o.hive = h.name
                and o.state in ('claimed', 'lost'))
            < (select count(*) from posts o where o.fleet = p.fleet and o.hive = hive_name
                and o.state in ('claimed', 'lost'))
    )
$$;

-- Back to where it can be taken. `counts`: its hive is gone, which is free three times. Returns the state it has then.
create function release(post_id text, why text, counts boolean) returns text
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    p posts;
begin
    select * into p from posts where id = post_id for update;
    delete from questions q where q.post = post_id;
    delete from outputs o where o.post = post_id;
    update posts set session = null where id = post_id; -- whatever its holder tells from now on is fenced
    if p.cancelling is not null and p.cancelling <> 'replaced' then
        return finish(post_id, 'cancelled', p.cancelling, null, null, null);
    elsif counts and p.fleet is null and p.kind <> 'pool' and p.hive_lost >= 3 then
        return finish(post_id, 'failed', why, null, null, null);
    end if;
    update posts set state = 'queued', version = version + 1, hive = null, session = null, status = null, phase = null,
        progress = '{}', ready = false, cancelling = null, reason = why, claimed_at = null,
        hive_lost = hive_lost + counts::int, delay = 0 where id = post_id;
    if p.fleet is not null then
        perform renew_place(post_id);
    end if;
    if p.lineage is not null and (select s.state from sessions s where s.id = p.session) = 'ended' then
        perform prefer_conversation(post_id); -- its hive is there again
    end if;
    perform record('post_queued', post_id, p.hive, jsonb_build_object('why', why, 'fence', p.fence));
    perform news(queue_news(p.pack));
    if p.hive is not null then
        perform news('hive:' || p.hive);
    end if;
    return 'queued';
end $$;

-- It has ended: in the same transaction, those that need it are counted.
create function finish(post_id text, state text, reason text, exit_code int, result jsonb, tail bytea) returns text
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    p posts;
    dependants text[];
begin
    select * into p from posts where id = post_id;
    update posts set state = finish.state, version = version + 1, reason = finish.reason, exit_code = finish.exit_code,
        result = finish.result, tail = finish.tail, ended_at = epoch(), cancelling = null where id = post_id;
    delete from questions q where q.post = post_id;
    delete from refusals r where r.post = post_id;
    if p.lineage is not null and p.hive is not null then
        perform end_generation(p, state, result); -- it reads the outputs
    end if;
    if finish.state <> 'done' then
        delete from outputs o where o.post = post_id; -- nobody gets them
    end if;
    dependants := array(select n.post from needs n where n.need = post_id order by 1);
    if dependants <> '{}' then
        perform count_needs(dependants);
    end if;
    if exists (select from needs n where n.post = post_id) then
        perform count_dependants(array(select need from needs n where n.post = post_id));
    end if;
    perform record('post_' || state, post_id, p.hive, jsonb_build_object('fence', p.fence, 'reason', reason));
    if p.fleet is not null then
        perform place_ended(p);
    end if;
    return finish.state;
end $$;

-- Whether ending or freeing this post concerns others; then `serialize` comes before its row.
create function concerns_others(post_id text) returns boolean
    language sql stable set search_path = overmind, pg_temp as $$
    select exists (select from needs n where n.need = post_id or n.post = post_id)
        or exists (select from posts where id = post_id and (fleet is not null or lineage is not null))
$$;

-- The post, locked, if this session has that claim of it; else nothing.
create function held_post(session text, post text, fence bigint) returns posts
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    p posts;
    word text;
begin
    select s.word into word from my_session(session) s;
    select * into p from posts where id = held_post.post for update;
    if word = 'ok' and p.session = held_post.session and p.fence = held_post.fence and p.state in ('claimed', 'lost') then
        return p;
    end if;
    return null;
end $$;

create function fenced(post_id text) returns jsonb
    language sql stable set search_path = overmind, pg_temp as $$
    select jsonb_build_object('word', 'fenced', 'state', max(state), 'hive', max(hive), 'fence', max(fence))
    from posts where id = post_id
$$;

-- What a holder tells of a post that goes on: `report` has any of status, phase, attempt, cost, spent, ready, progress,
-- questions (all that are open: [{"key": …, …}]). An older fence changes nothing.
create function report_progress(session text, post text, fence bigint, report jsonb) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    p posts;
begin
    if (report ->> 'ready')::boolean and concerns_others(post) then
        perform serialize();
    end if;
    p := held_post(session, post, fence);
    if p.id is null then
        return fenced(post);
    end if;
    update posts set
        status = coalesce(report ->> 'status', status), phase = coalesce(report ->> 'phase', phase),
        attempt = coalesce((report ->> 'attempt')::int, attempt), cost = coalesce((report ->> 'cost')::float8, cost),
        spent = coalesce((report ->> 'spent')::int, spent), ready = coalesce((report ->> 'ready')::boolean, ready),
        progress = coalesce(report -> 'progress', progress)
    where id = p.id;
    if report ? 'questions' then
        delete from questions q where q.post = p.id and q.key <> 'lost'
            and q.key not in (select value ->> 'key' from jsonb_array_elements(report -> 'questions'));
        insert into questions (post, fence, key, body)
            select p.id, p.fence, value ->> 'key', value from jsonb_array_elements(report -> 'questions')
            on conflict on constraint questions_post_fence_key_key do update set body = excluded.body where questions.body <> excluded.body;
    end if;
    if p.fleet is not null and not p.ready and (report ->> 'ready')::boolean then
        perform roll_fleet(p.fleet);
    end if;
    return jsonb_build_object('word', 'ok', 'cancelling', p.cancelling, 'answers', (
        select coalesce(jsonb_agg(jsonb_build_object('key', q.key, 'answer', q.answer, 'by', q.answered_by)), '[]')
        from questions q where q.post = p.id and q.fence = p.fence and q.answer is not null and q.key <> 'lost'
    ));
end $$;

create function check_end(post text, end_ jsonb) returns void
    language plpgsql stable set search_path = overmind, pg_temp as $$
declare
    kept constant int := length(decode(coalesce(end_ ->> 'tail', ''), 'base64'));
begin
    if coalesce(end_ ->> 'state', '') not in ('done', 'failed', 'cancelled') then
        perform fail('invalid', format('%s is no end of a post', end_ ->> 'state'));
    elsif kept > 65536 then
        perform fail('too_large', format('The tail of %s has %s bytes; at most 65536 are kept', post, kept));
    elsif pg_column_size(end_ -> 'result') > 1048576 then
        perform fail('too_large', format('The result of %s is larger than 1 MiB', post));
    end if;
end $$;

-- Its end. `end_`: {"state": done | failed | cancelled, "reason", "exit_code", "result", "tail", "cost", "attempt",
-- "spent", "healthy"}; `tail` in base64, of at most 64 KiB. Told again after a lost answer it is 'ok' again.
create function report_end(session text, post text, fence bigint, end_ jsonb) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    p posts;
    tail bytea := decode(coalesce(end_ ->> 'tail', ''), 'base64');
begin
    perform check_end(post, end_);
    if concerns_others(post) then
        perform serialize();
    end if;
    p := held_post(session, post, fence);
    if p.id is null then
        select * into p from posts where id = report_end.post;
        if p.session = report_end.session and p.fence = report_end.fence and p.state in ('done', 'failed', 'cancelled') then
            return jsonb_build_object('word', 'ok', 'state', p.state); -- told again
        end if;
        return fenced(post);
    end if;
    update posts set cost = coalesce((end_ ->> 'cost')::float8, cost),
        attempt = coalesce((end_ ->> 'attempt')::int, attempt), spent = coalesce((end_ ->> 'spent')::int, spent),
        failures = case when (end_ ->> 'healthy')::boolean then 0 else failures end
    where id = p.id;
    return jsonb_build_object('word', 'ok', 'state', finish(post, end_ ->> 'state', end_ ->> 'reason',
        (end_ ->> 'exit_code')::int, end_ -> 'result', tail));
end $$;

-- What a hive tells of several of its posts at once: [{"post", "fence", and "report" as for `report_progress` or "end" as
-- for `report_end`}], each post once. Answers by post what those answer. All of it, or nothing.
create function tell(session text, told jsonb) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
begin
    if any_concerns_others(told) then
        perform serialize();
    end if;
    return take_in(session, told);
end $$;

-- `tell`, and then `claim` with the room that there is after it: one statement, so that the disk is waited for once.
create function exchange(session text, beat bigint, told jsonb, free jsonb, seen jsonb default '{}') returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp set jit = off set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
    now_is meta := notice();
    alone boolean := some_share();
    answers jsonb;
begin
    if alone or any_concerns_others(told) then
        perform serialize(); -- before any row
    end if;
    answers := take_in(session, told);
    return jsonb_build_object('told', answers, 'claimed', give(session, beat, free, seen, now_is, alone));
end $$;

-- Whether what is told of any of these posts concerns others; then `serialize` comes before their rows.
create function any_concerns_others(told jsonb) returns boolean
    language plpgsql stable set search_path = overmind, pg_temp as $$
declare
    ids text[] := array(select value ->> 'post' from jsonb_array_elements(told)
        where value ? 'end' or (value -> 'report' ->> 'ready')::boolean);
begin
    return ids <> '{}' and (exists (select from posts where id = any(ids) and (fleet is not null or lineage is not null))
        or exists (select from needs where post = any(ids)) or exists (select from needs where need = any(ids)));
end $$;

-- See `tell`. The ends of posts that concern nobody else are one change of all of them; the rest is done one by one.
-- The plans are kept for the connection, and may have been made while there was next to nothing: so they use indexes.
create function take_in(session text, told jsonb) returns jsonb
    language plpgsql set search_path = overmind, pg_temp set jit = off set enable_seqscan = off set enable_hashjoin = off
    set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
    answers jsonb := '{}';
    mine text;
    ids text[] := array(select value ->> 'post' from jsonb_array_elements(told));
    ended text[];
    newest bigint;
    one record;
begin
    perform check_end(value ->> 'post', value -> 'end') from jsonb_array_elements(told) where value ? 'end';
    select s.word into mine from my_session(session) s;
    perform from posts where id = any(ids) order by id for update;
    if mine = 'ok' then
        with changed as (
            update posts p set state = e.end_ ->> 'state', version = p.version + 1, reason = e.end_ ->> 'reason',
                exit_code = (e.end_ ->> 'exit_code')::int, result = e.end_ -> 'result',
                tail = decode(coalesce(e.end_ ->> 'tail', ''), 'base64'), ended_at = epoch(), cancelling = null,
                cost = coalesce((e.end_ ->> 'cost')::float8, p.cost), attempt = coalesce((e.end_ ->> 'attempt')::int, p.attempt),
                spent = coalesce((e.end_ ->> 'spent')::int, p.spent)
            from (
                select value ->> 'post' as post, (value ->> 'fence')::bigint as fence, value -> 'end' as end_
                from jsonb_array_elements(told) where value ? 'end'
            ) e
            where p.id = e.post and p.fence = e.fence and p.state in ('claimed', 'lost')
                and coalesce(p.session, '') = take_in.session -- not by the index of all that it holds
                and p.fleet is null and p.lineage is null
                and not exists (select from needs n where n.post = p.id)
                and not exists (select from needs n where n.need = p.id)
            returning p.id, p.hive, p.fence, p.state, p.reason
        ), noted as (
            insert into events (type, post, hive, body)
                select 'post_' || c.state, c.id, c.hive, jsonb_build_object('fence', c.fence, 'reason', c.reason)
                from changed c order by c.id
            returning seq
        )
        select array_agg(c.id), coalesce(jsonb_object_agg(c.id, jsonb_build_object('word', 'ok', 'state', c.state)), '{}'),
                (select max(seq) from noted)
            into ended, answers, newest from changed c;
        if ended is not null then
            delete from questions q where q.post = any(ended);
            delete from refusals r where r.post = any(ended);
            delete from outputs o using posts p where o.post = any(ended) and p.id = o.post and p.state <> 'done';
            perform forget_old(newest, cardinality(ended));
        end if;
    end if;
    for one in
        select value ->> 'post' as post, (value ->> 'fence')::bigint as fence, value -> 'report' as report, value -> 'end' as end_
        from jsonb_array_elements(told) where not answers ? (value ->> 'post') order by 1
    loop
        answers := answers || jsonb_build_object(one.post, case when one.end_ is null
            then report_progress(session, one.post, one.fence, one.report)
            else report_end(session, one.post, one.fence, one.end_) end);
    end loop;
    return answers;
end $$;

-- What can't be started here, or is to end here: another hive may have it, this one not for a minute. Of a run that was
-- fenced the reason is 'hive_lost': each hive may try it again.
create function give_back(session text, post text, fence bigint, reason text) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    p posts;
begin
    if concerns_others(post) then
        perform serialize();
    end if;
    p := held_post(session, post, fence);
    if p.id is null then
        return fenced(post);
    end if;
    if release(post, left(reason, 1000), reason = 'hive_lost') = 'queued' and reason not in ('hive_lost', 'its hive has left') then
        insert into refusals (post, hive, reason) values (p.id, p.hive, left(give_back.reason, 1000))
            on conflict on constraint refusals_pkey do update set version = excluded.version, reason = excluded.reason;
        update posts set given_back = given_back + 1 where id = p.id;
    end if;
    return jsonb_build_object('word', 'ok');
end $$;

-- A hive has seen, on its own clock, that a session's beat stood still for so many seconds. If it still does: what has a
-- lease that is over is free, what waits is lost after a minute, and asks.
create function take(session text, holder text, beat bigint, watched double precision) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    now_is meta;
    other sessions;
    word text;
    one record;
    freed text[] := '{}';
    lost text[] := '{}';
begin
    perform serialize();
    now_is := notice();
    select s.word into word from my_session(session) s;
    if word <> 'ok' then
        return jsonb_build_object('word', 'gone', 'freed', freed, 'lost', lost);
    elsif now_is.mode in ('settling', 'restarted') then
        return jsonb_build_object('word', 'closed', 'freed', freed, 'lost', lost);
    end if;
    select * into other from sessions where id = holder for update;
    if other.id is null or other.id = session or other.beat <> take.beat then
        return jsonb_build_object('word', 'moved', 'freed', freed, 'lost', lost);
    end if;
    for one in
        select id, name, on_lost, lease, state, fence, hive from posts
        where posts.session = holder and state in ('claimed', 'lost') order by id for update
    loop
        if one.on_lost = 'move' and watched >= one.lease * 1.01 + 2 then
            if release(one.id, 'hive_lost', true) = 'queued' then
                freed := freed || one.id;
            end if;
        elsif one.on_lost = 'wait' and one.state = 'claimed' and watched >= 60 then
            update posts set state = 'lost', version = version + 1 where id = one.id;
            insert into questions (post, fence, key, body) values (one.id, one.fence, 'lost', jsonb_build_object(
                'key', 'lost', 'text', format('Hive %s is silent. Is its machine off? allow: start %s elsewhere;'
                    ' deny: wait for it', one.hive, one.name))) on conflict do nothing;
            perform record('post_lost', one.id, one.hive, jsonb_build_object('fence', one.fence));
            lost := lost || one.id;
        end if;
    end loop;
    return jsonb_build_object('word', 'ok', 'freed', freed, 'lost', lost);
end $$;

-- What a hive has to watch on its own clock: the beats of those that hold something, and posts that have to wait for it.
create function watchlist(session text) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    asked record;
    mine sessions;
    word text;
begin
    select s.* into asked from my_session(session) s;
    mine := asked.mine;
    word := asked.word;
    return jsonb_build_object(
        'sessions', (select coalesce(jsonb_agg(jsonb_build_object('session', s.id, 'hive', s.hive, 'beat', s.beat,
                'lease', (select min(p.lease) from posts p where p.session = s.id and p.on_lost = 'move'
                    and p.state in ('claimed', 'lost')),
                'waits', exists (select from posts p where p.session = s.id and p.on_lost = 'wait'
                    and p.state = 'claimed'))), '[]')
            from sessions s where s.id <> watchlist.session and s.state <> 'ended' and exists (
                select from posts p where p.session = s.id and p.state in ('claimed', 'lost'))),
        'posts', (select coalesce(jsonb_agg(jsonb_build_object('post', d.id, 'version', d.version, 'delay', d.delay)), '[]')
            from (
                select id, version, delay from posts
                    where state = 'queued' and delay > 0 and unmet = 0 and prefers is distinct from mine.hive
                union all select refused(p.id), r.version, 60 from refusals r join posts p on p.id = r.post
                    where r.hive = mine.hive and p.state = 'queued'
                union all select id, version, 5 from posts
                    where state = 'queued' and delay = 0 and unmet = 0 and fleet is not null and only_hive is null
            ) d)
    );
end $$;

-- What a hive holds or held at the time of a rewind: [{"id", "fence", "proof", "definition" (as it was given),
-- "state": claimed | done | failed | cancelled, and of an end what `report_end` takes, and "outputs": [{"name", "body"
-- (base64)}]}]. The higher fence wins. `all_`: this was the last of it. Answers the word of each post: 'ok' or 'fenced'.
create function present(session text, held jsonb, all_ boolean) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    now_is meta;
    asked record;
    mine sessions;
    word text;
    one jsonb;
    p posts;
    words jsonb := '{}';
    fence_ bigint;
    others text[] := '{}';
begin
    perform serialize();
    now_is := notice();
    select s.* into asked from my_session(session) s;
    mine := asked.mine;
    word := asked.word;
    if word <> 'ok' then
        return jsonb_build_object('word', 'gone', 'posts', words);
    elsif mine.settle >= now_is.settle then
        return jsonb_build_object('word', 'refused', 'posts', words); -- the store knows what this hive holds
    end if;
    for one in select value from jsonb_array_elements(held) loop
        fence_ := (one ->> 'fence')::bigint;
        if one ->> 'proof' is distinct from claim_proof(one ->> 'id', fence_, mine.hive, one ->> 'definition') then
            words := words || jsonb_build_object(one ->> 'id', 'forged');
            continue;
        end if;
        select * into p from posts where id = one ->> 'id' for update;
        if p.id is null then
            perform insert_post((one ->> 'definition')::jsonb);
            others := others || (one ->> 'id');
            select * into p from posts where id = one ->> 'id' for update;
        end if;
        if p.fence > fence_ or (p.fence = fence_ and p.state in ('done', 'failed', 'cancelled')) then
            update posts set presented = now_is.settle where id = p.id and fence = fence_;
            words := words || jsonb_build_object(one ->> 'id', case when p.fence = fence_ then 'ok' else 'fenced' end);
            continue;
        end if;
        update posts set state = 'claimed', version = version + 1, hive = mine.hive, session = mine.id, fence = fence_,
            claimed_at = now(), presented = now_is.settle where id = p.id;
        if p.lineage is not null then
            perform number_generation(p.id);
        end if;
        update sessions set fence = greatest(fence, fence_) where id = mine.id;
        if one ->> 'state' in ('done', 'failed', 'cancelled') then
            if length(one -> 'outputs' #>> '{}') > 24 * 1048576 then
                perform fail('too_large', format('The outputs of %s have more than 16 MiB', p.id));
            end if;
            delete from outputs o where o.post = p.id;
            insert into outputs (post, fence, name, body)
                select p.id, fence_, value ->> 'name', decode(value ->> 'body', 'base64')
                from jsonb_array_elements(coalesce(one -> 'outputs', '[]')) on conflict do nothing;
            perform finish(p.id, one ->> 'state', one ->> 'reason', (one ->> 'exit_code')::int, one -> 'result',
                decode(coalesce(one ->> 'tail', ''), 'base64'));
        end if;
        words := words || jsonb_build_object(p.id, 'ok');
    end loop;
    perform count_needs(others || array(select n.post from needs n where n.need = any(others)));
    update meta set longest = greatest(longest, coalesce((select max(lease) from posts where id = any(others)), 0));
    perform setval('fences', greatest((select last_value from fences), (select max(fence) from sessions)));
    if all_ then
        -- What the store thinks that it holds, and it does not say so, is held by nobody.
        for p in select * from posts where posts.session = mine.id and state in ('claimed', 'lost')
            and presented < now_is.settle order by id for update
        loop
            perform release(p.id, 'hive_lost', true);
        end loop;
        update sessions set settle = now_is.settle, beaten = true where id = mine.id;
        perform reopen();
    end if;
    return jsonb_build_object('word', 'ok', 'posts', words);
end $$;

-- All that a session holds, as `claim` gave it: its answer may have been lost.
create function claims_of(session text) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    asked record;
begin
    select s.* into asked from my_session(session) s;
    return (select coalesce(jsonb_agg(claim_answer(p) order by p.fence), '[]') from posts p
        where p.session = claims_of.session and p.state in ('claimed', 'lost') and asked.word = 'ok');
end $$;

create function claim_answer(p posts) returns jsonb
    language plpgsql stable set search_path = overmind, pg_temp as $$
begin
    return jsonb_build_object('id', p.id, 'kind', p.kind, 'name', p.name, 'fence', p.fence,
        'definition', p.definition::text, 'proof', claim_proof(p.id, p.fence, p.hive, p.definition::text),
        'on_lost', p.on_lost, 'lease', p.lease, 'spent', p.spent, 'hive_lost', p.hive_lost, 'cpu', p.cpu,
        'memory', p.memory);
end $$;
