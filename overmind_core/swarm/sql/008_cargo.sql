-- What travels with posts: outputs of what is needed, sealed secrets; and the instances of pools.

-- A file that a holder hands on to those that need its post. At most 16 MiB together.
create function put_output(session text, post text, fence bigint, name text, body bytea) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    p posts;
    others bigint;
begin
    p := held_post(session, post, fence);
    if p.id is null then
        return fenced(post);
    end if;
    select coalesce(sum(length(o.body)), 0) into others from outputs o
        where o.post = p.id and o.fence = p.fence and o.name <> put_output.name;
    if others + length(body) > 16777216 then
        perform fail('too_large', format('The outputs of %s (%s) have more than 16 MiB with %s', p.name, p.id, name));
    end if;
    insert into outputs (post, fence, name, body) values (p.id, p.fence, name, body)
        on conflict on constraint outputs_pkey do update set body = excluded.body;
    return jsonb_build_object('word', 'ok');
end $$;

-- What those posts have handed on that the post of this holder needs.
create function inputs(session text, post text, fence bigint)
    returns table (need text, need_name text, name text, body bytea)
    language plpgsql security definer set search_path = overmind, pg_temp as $$
begin
    if not holds(session, post, fence) then
        perform fail('fenced', format('The claim of %s is over', post));
    end if;
    return query
        select d.id::text, d.name, o.name, o.body from needs n
        join posts d on d.id = n.need and d.state = 'done'
        join outputs o on o.post = d.id and o.fence = d.fence
        where n.post = inputs.post order by d.id, o.name;
end $$;

create function put_secret(name text, hive text, sealed bytea) returns void
    language plpgsql security definer set search_path = overmind, pg_temp as $$
begin
    perform may('operator');
    if not exists (select from hives h where h.name = hive) and not exists (select from logins where logins.name = hive) then
        perform fail('hive_unknown', format('There is no hive %L in the swarm. See them with: overmind swarm status', hive));
    end if;
    insert into secrets (name, hive, sealed) values (name, hive, sealed)
        on conflict on constraint secrets_pkey do update set sealed = excluded.sealed, put_by = session_user,
            put_at = now();
    perform record('secret_put', null, hive, jsonb_build_object('name', name));
    perform news('queued');
end $$;

create function drop_secret(name text, hive text default null) returns int
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    count int;
begin
    perform may('operator');
    delete from secrets s where s.name = drop_secret.name and (drop_secret.hive is null or s.hive = drop_secret.hive);
    get diagnostics count = row_count;
    perform record('secret_dropped', null, hive, jsonb_build_object('name', name));
    return count;
end $$;

-- The sealed copies for the hive that asks, of the secrets that a post of it names; of nobody else.
create function my_secrets(session text, post text, fence bigint) returns table (name text, sealed bytea)
    language plpgsql security definer set search_path = overmind, pg_temp as $$
begin
    if not holds(session, post, fence) then
        perform fail('fenced', format('The claim of %s is over', post));
    end if;
    return query select s.name::text, s.sealed from secrets s join sessions m on m.id = my_secrets.session
        where s.name = any((select p.secrets from posts p where p.id = my_secrets.post)::text[])
            and s.hive in (m.hive, m.login);
end $$;

create function holds(session text, post text, fence bigint) returns boolean
    language plpgsql set search_path = overmind, pg_temp as $$
begin
    return (select s.word from my_session(session) s) = 'ok' and exists (
        select from posts p where p.id = holds.post and p.session = holds.session and p.fence = holds.fence
            and p.state in ('claimed', 'lost'));
end $$;

-- Pools. Who decides about one holds its post, as any other is held: claimed, leased, taken, given back.

create function pool_post(pool text) returns text language sql immutable return 'pool:' || pool;

create function add_pool(pool text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
begin
    if not exists (select from posts where id = pool_post(pool)) then
        perform insert_post(jsonb_build_object('id', pool_post(pool), 'kind', 'pool', 'name', pool, 'on_lost', 'move',
            'lease', 60, 'posted_by', session_user));
        perform count_needs(array[pool_post(pool)]);
    end if;
    perform news('queued');
end $$;

-- As `claim`, for the pools whose instances the hive that asks can start: they take no slot, and wait for none.
create function claim_pools(session text, beat bigint, seen jsonb default '{}') returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    now_is meta;
    asked record;
    mine sessions;
    me hives;
    p posts;
    fence_ bigint;
    given jsonb := '[]';
begin
    perform may('worker');
    now_is := notice();
    select s.* into asked from my_session(session) s;
    mine := asked.mine;
    if asked.word <> 'ok' then
        return jsonb_build_object('word', 'gone', 'claims', given);
    elsif mine.beat <> claim_pools.beat then
        return jsonb_build_object('word', 'beat', 'claims', given);
    elsif now_is.mode in ('settling', 'restarted') or mine.settle < now_is.settle then
        return jsonb_build_object('word', 'closed', 'claims', given);
    end if;
    select * into me from hives where name = mine.hive;
    if me.draining or me.name is null or exists (select from logins l where l.name = mine.login and l.pool) then
        return jsonb_build_object('word', 'draining', 'claims', given);
    end if;
    for p in
        select * from posts where kind = 'pool' and state = 'queued' and name = any(me.pools)
            and not exists (select from refusals r where r.post = posts.id and r.hive = me.name
                and not waited(seen, refused(posts.id), r.version, 60))
            order by id for update skip locked
    loop
        fence_ := nextval('fences');
        update posts set state = 'claimed', hive = me.name, session = mine.id, fence = fence_, version = version + 1,
            claimed_at = now(), progress = '{}', status = null where id = p.id;
        update sessions set fence = fence_ where id = mine.id;
        perform record('post_claimed', p.id, me.name, jsonb_build_object('fence', fence_));
        p.hive := me.name;
        p.fence := fence_;
        given := given || claim_answer(p);
    end loop;
    return jsonb_build_object('word', 'ok', 'claims', given);
end $$;

-- Whether a machine like those of a pool could take a post that waits; as far as it is known what they have. One that three
-- have given back would be given back by each that is started for it.
create function would_take(p posts, labels jsonb, machine jsonb, its_secrets text[]) returns boolean
    language sql stable set search_path = overmind, pg_temp as $$
    select p.kind <> 'pool' and p.only_hive is null and labels @> p.labels and p.secrets <@ its_secrets
        and (machine is null or p.cpu <= (machine ->> 'cpu')::float8 and p.memory <= (machine ->> 'memory')::bigint
            and p.format <= (machine ->> 'format')::int and (p.provider is null or machine -> 'providers' ? p.provider))
        and p.given_back < 3 and limit_of(p) is null
        and not exists (select from posts o where o.state in ('claimed', 'lost') and (o.lineage = p.lineage
            or o.repository = p.repository and o.owned <> '{}' and p.owned <> '{}' and could_meet(o.owned, p.owned)))
$$;

-- Instances, and what the hives that they are have.
create view instance_list with (security_barrier) as
    select i.name, i.pool, i.state, i.engine_id, i.ending, i.reason, i.asked_by, h.name is not null as is_hive,
        coalesce(h.draining, false) as is_draining,
        (select count(*) from posts p where p.session = s.id and p.state in ('claimed', 'lost')) as held
    from instances i left join hives h on h.name = i.name and h.login = i.pool -- another hive may be called the same
        left join sessions s on s.hive = h.name and s.state = 'alive'
    where rank_of(my_role()) >= 1;

-- What whoever decides about a pool looks at: at most so many posts that wait for machines like its, and its instances; of
-- those that have ended the ones that are hives all the same, and those that its engine says are `alive`.
create function look_at_pool(session text, post text, fence bigint, labels jsonb, most int,
    alive text[]) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    its logins;
    its_secrets text[];
begin
    if not holds(session, post, fence) then
        return jsonb_build_object('word', 'fenced');
    end if;
    select l.* into its from logins l join posts p on p.id = look_at_pool.post and p.kind = 'pool' and l.name = p.name;
    its_secrets := array(select s.name from secrets s where s.hive = its.name);
    return jsonb_build_object('word', 'ok',
        'waiting', (select coalesce(jsonb_agg(w.id), '[]') from (
            select p.id from posts p where p.state = 'queued' and p.unmet = 0
                and would_take(p, look_at_pool.labels, its.machine, its_secrets)
            order by p.critical desc, p.fixed desc, p.able_at, p.id limit most) w),
        'instances', (select coalesce(jsonb_agg(to_jsonb(i) order by length(i.name), i.name), '[]') from instance_list i
            where i.pool = its.name and (i.state <> 'ended' or i.is_hive or i.name = any(alive))));
end $$;

-- Whose instances are started for a post that waits: as whoever decides about each of them sees it.
create function pools_for(post text) returns jsonb
    language plpgsql stable security definer set search_path = overmind, pg_temp as $$
begin
    perform may('viewer');
    return (select coalesce(jsonb_agg(l.name order by l.name), '[]') from logins l
        join posts d on d.id = pool_post(l.name) and d.state = 'claimed'
        join posts p on p.id = pools_for.post and p.state = 'queued' and p.unmet = 0
        where l.pool and would_take(p, d.progress -> 'labels', l.machine,
            array(select s.name from secrets s where s.hive = l.name)));
end $$;

-- So many more rows, each an instance that is to be started; at most `most` that have not ended. Returns their names.
create function add_instances(pool text, count int, most int) returns jsonb
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    live int;
    given jsonb := '[]';
    called text;
begin
    select count(*) into live from instances i where i.pool = add_instances.pool and i.state <> 'ended';
    for number in 1 .. least(count, most - live) loop
        called := pool || '-' || nextval('instance_numbers');
        insert into instances (name, pool) values (called, pool);
        perform record('instance_asked', null, called, jsonb_build_object('pool', pool));
        given := given || to_jsonb(called);
    end loop;
    delete from instances i where i.name in (select o.name from instances o where o.pool = add_instances.pool
        and o.state = 'ended' order by o.asked_at desc offset 100);
    return given;
end $$;

create function ask_instances(session text, post text, fence bigint, count int, most int) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
begin
    perform serialize();
    if not holds(session, post, fence) then
        return jsonb_build_object('word', 'fenced');
    end if;
    return jsonb_build_object('word', 'ok', 'names', add_instances(
        (select p.name from posts p where p.id = ask_instances.post and p.kind = 'pool'), count, most));
end $$;

-- What the engine of a pool says of an instance. A state only goes on: asked, started, running, joined, ended. `reason` is
-- told. One that has ended is no hive any more, as soon as it holds nothing: what it held goes the way of a silent hive.
create function report_instance(session text, post text, fence bigint, name text, state text, engine_id text default null,
    reason text default null) returns text
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    steps constant text[] := array['asked', 'started', 'running', 'joined', 'ended'];
    its_pool text;
    before instances;
    its sessions;
begin
    perform serialize();
    if not holds(session, post, fence) then
        return 'fenced';
    end if;
    select p.name into its_pool from posts p where p.id = report_instance.post and p.kind = 'pool';
    if not starts_with(name, its_pool || '-') or array_position(steps, state) is null then
        perform fail('invalid', format('%L is no instance of pool %s, or %L no state', name, its_pool, state));
    end if;
    insert into instances (name, pool, state) values (name, its_pool, 'asked')
        on conflict on constraint instances_pkey do nothing; -- started in a time that the store has forgotten
    select * into before from instances i where i.name = report_instance.name for update;
    update instances i set engine_id = coalesce(report_instance.engine_id, i.engine_id),
        reason = coalesce(report_instance.reason, i.reason),
        state = steps[greatest(array_position(steps, i.state), array_position(steps, report_instance.state))]
        where i.name = report_instance.name;
    if state = 'ended' and (before.state <> 'ended' or reason is distinct from before.reason and reason is not null) then
        perform record('instance_ended', null, name, jsonb_build_object('pool', its_pool, 'reason', reason));
    end if;
    if state = 'ended' and exists (select from hives h where h.name = report_instance.name and h.login = its_pool) then
        select * into its from sessions s where s.hive = report_instance.name and s.state = 'alive' for update;
        if not exists (select from posts p where p.session = its.id and p.state in ('claimed', 'lost')) then
            update sessions s set state = 'ended' where s.id = its.id;
            perform forget_hive(name);
            perform reopen();
        end if;
    end if;
    return 'ok';
end $$;

create function known_pool(pool_name text) returns posts
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    p posts;
begin
    perform may('operator');
    perform serialize();
    select * into p from posts where id = pool_post(pool_name);
    if not found then
        perform fail('not_found', format('There is no pool %s in the swarm. An owner invites it:'
            ' overmind swarm invite %s --role worker --pool', pool_name, pool_name));
    elsif p.state <> 'claimed' then
        perform fail('invalid', format('No hive starts instances of pool %s. One does that has joined, has [pools.%s] in its'
            ' config.toml and has its engine: overmind pool list', pool_name, pool_name));
    end if;
    return p;
end $$;

-- Have so many more. Returns their names.
create function add_to_pool(pool_name text, count int) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    p posts := known_pool(pool_name);
    most int := (p.progress ->> 'max')::int;
    given jsonb;
begin
    if most is null then
        perform fail('invalid', format('Hive %s has only just taken pool %s. Try again.', p.hive, pool_name));
    end if;
    given := add_instances(pool_name, count, most);
    if jsonb_array_length(given) = 0 and count > 0 then
        perform fail('no_room', format('Pool %s has %s instances, its max. Raise it in config.toml on %s.', pool_name, most,
            p.hive));
    end if;
    perform news('hive:' || p.hive);
    return given;
end $$;

-- Have these end, by their names or by what their engine calls them; null: all. `force`: at once. Returns their names.
create function end_instances(pool_name text, words text[], force boolean) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    p posts := known_pool(pool_name);
    word text;
    one record;
    given jsonb := '[]';
begin
    foreach word in array coalesce(words, '{}') loop
        if not exists (select from instances i where i.pool = p.name and i.state <> 'ended'
            and word in (i.name, i.engine_id)) then
            perform fail('not_found', format('Pool %s has no instance %s. See them with: overmind pool list', pool_name, word));
        end if;
    end loop;
    for one in select i.name from instances i where i.pool = p.name and i.state <> 'ended'
        and (words is null or i.name = any(words) or i.engine_id = any(words)) order by i.name for update
    loop
        update instances i set ending = case when force or i.ending = 'force' then 'force' else 'drain' end
            where i.name = one.name;
        update hives h set draining = true where h.name = one.name and h.login = p.name;
        if found then
            perform news('hive:' || one.name);
        end if;
        given := given || to_jsonb(one.name);
    end loop;
    perform news('hive:' || p.hive);
    return given;
end $$;
