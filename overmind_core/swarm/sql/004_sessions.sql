-- Sessions and beats, and what happens when the store has gone back in time.

create function current_timeline() returns int
    language plpgsql stable set search_path = overmind, pg_temp as $$
begin
    return ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int;
end $$;

-- The server, and the database in it. The identifier of the system is read from a file each time.
create function identity(out system bigint, out timeline int, out database oid, out store oid, out started timestamptz)
    language sql stable set search_path = overmind, pg_temp as $$
    select (select system_identifier from pg_control_system()),
        current_timeline(),
        (select oid from pg_database where datname = current_database()),
        'overmind.meta'::regclass::oid,
        pg_postmaster_start_time()
$$;

create function begin_settling(why text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
begin
    -- No number comes twice, also where this is forgotten again: a hive that has waited since has waited for another one.
    update meta set mode = 'settling', settle = settle + 1 + floor(random() * 1000000000)::bigint;
    perform record('settling', null, null, jsonb_build_object('why', why));
    perform news('mode');
end $$;

-- Open again where nobody has to be waited for any more. Under `serialize`.
create function reopen() returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    now_is meta;
begin
    select * into now_is from meta;
    if now_is.mode = 'restarted' and not exists (
        select from sessions s join hives h on h.name = s.hive
        where s.state = 'alive' and not s.beaten and h.slots > 0 and not h.draining
    ) or now_is.mode = 'presenting' and not exists (
        select from sessions s left join hives h on h.name = s.hive
        where s.state <> 'ended' and s.settle < now_is.settle
            and (h.slots > 0 or exists (select from posts p where p.session = s.id and p.state in ('claimed', 'lost')))
    ) then
        update meta set mode = 'open';
        perform record('open', null, null);
        perform news('mode');
        perform news('queued');
    end if;
end $$;

-- The store as it is now, after it has looked whether this is still the server with which it was open.
create function notice() returns meta
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    known meta;
    server record;
begin
    select * into known from meta;
    -- No other server was started in the same microsecond: only where this differs, all of it is looked at.
    if known.started = pg_postmaster_start_time() and known.timeline = current_timeline()
        and known.store = 'overmind.meta'::regclass::oid
        and known.database = (select oid from pg_database where datname = current_database()) then
        return known;
    end if;
    select * into server from identity();
    perform serialize();
    select * into known from meta;
    update meta set system = server.system, timeline = server.timeline, database = server.database,
        store = server.store, started = server.started;
    if (known.system, known.timeline, known.database, known.store)
        is distinct from (server.system, server.timeline, server.database, server.store) then
        perform begin_settling('another server, or another timeline');
    elsif known.mode in ('settling', 'presenting') then
        perform begin_settling('started again meanwhile');
    else
        update sessions set beaten = false where state = 'alive';
        update meta set mode = 'restarted';
        perform record('restarted', null, null);
        perform news('mode');
        perform reopen();
    end if;
    select * into known from meta;
    return known;
end $$;

create function session_proof(session text, hive text, home text) returns text
    language sql stable set search_path = overmind, pg_temp as $$
    select prove(concat_ws('|', 'session', session, hive, home))
$$;

-- The session of whoever asks: 'gone' when it is none any more. `for share`, so that nobody ends it meanwhile.
create function my_session(session text, out mine sessions, out word text)
    language plpgsql set search_path = overmind, pg_temp as $$
begin
    perform may('worker');
    select * into mine from sessions where id = session for share;
    if mine.id is null then
        word := 'unknown';
    elsif mine.login <> session_user then
        perform fail('forbidden', format('Session of hive %s belongs to login %s, not to %s', mine.hive, mine.login,
            session_user));
    else
        word := case when mine.state = 'alive' then 'ok' else 'gone' end;
    end if;
end $$;

create function describe(hive_name text, about jsonb) returns void
    language sql set search_path = overmind, pg_temp as $$
    -- with another key it can open no copy that was sealed for the one before: it has none
    delete from secrets s using hives h
        where h.name = hive_name and s.hive = h.name and h.key <> about ->> 'key';
    update hives set
        labels = coalesce(about -> 'labels', labels),
        slots = coalesce((about ->> 'slots')::int, slots),
        cpu = coalesce((about ->> 'cpu')::float8, cpu),
        memory = coalesce((about ->> 'memory')::bigint, memory),
        providers = coalesce((select array_agg(value) from jsonb_array_elements_text(about -> 'providers')), providers),
        accepts = coalesce(about -> 'accepts', accepts),
        pools = coalesce((select array_agg(value) from jsonb_array_elements_text(about -> 'pools')), case
            when about ? 'pools' then '{}' else pools end),
        version = coalesce(about ->> 'version', version),
        format = coalesce((about ->> 'format')::int, format),
        key = coalesce(about ->> 'key', key),
        system = coalesce(about ->> 'system', system),
        free_slots = coalesce((about ->> 'free_slots')::int, free_slots),
        free_cpu = coalesce((about ->> 'free_cpu')::float8, free_cpu),
        free_memory = coalesce((about ->> 'free_memory')::bigint, free_memory),
        load = coalesce((about ->> 'load')::float8, load)
    where name = hive_name
$$;

-- Others decide about the pools about which this session does.
create function release_pools(session_id text, why text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    one record;
begin
    for one in select id from posts where session = session_id and kind = 'pool' and state = 'claimed' order by id for update
    loop
        perform release(one.id, why, true);
    end loop;
end $$;

-- What a session holds goes back to where it can be taken. Returns how many are free, and how many have failed.
create function release_all(session_id text, why text, out free int, out failed int)
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    one text;
begin
    free := 0;
    failed := 0;
    perform release_pools(session_id, why);
    for one in select id from posts where session = session_id and state in ('claimed', 'lost') order by id for update
    loop
        if release(one, why, true) = 'failed' then
            failed := failed + 1;
        else
            free := free + 1;
        end if;
    end loop;
end $$;

-- Begin a session. `seen` is what the one who joins has watched on its own clock: {"session": …, "beat": …, "seconds": …}.
-- The word: 'joined'; 'watch': there is a session of that name, watch its beat for `seconds` and ask again;
-- 'name_taken': its beat has grown meanwhile.
create function "join"(hive text, home text, session text, about jsonb, seen jsonb default null) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    me logins;
    now_is meta;
    before sessions;
    asked instances;
    other text;
    watched constant double precision := 6; -- seconds: one beat, and what it may be late
begin
    perform may('worker');
    perform serialize();
    now_is := notice();
    select * into me from logins where name = session_user;
    if hive !~ '^[a-z0-9][a-z0-9._-]{0,62}$' or hive in ('all', 'local', 'swarm') then
        perform fail('invalid', format('%L can''t be the name of a hive: use a-z, 0-9, dot, dash, underscore, and none of'
            ' all, local, swarm', hive));
    elsif coalesce(me.pool, false) then
        select * into asked from instances i where i.name = "join".hive and i.pool = me.name;
        if asked.name is null then
            perform fail('not_found', format('Pool %s has asked for no instance %s', me.name, hive));
        elsif asked.state = 'ended' then
            perform fail('not_found', format('Instance %s of pool %s has ended', hive, me.name));
        elsif asked.state = 'joined' and not exists (select from sessions s where s.id = "join".session) then
            return jsonb_build_object('word', 'name_taken'); -- whoever starts it twice: it joins once
        end if;
    elsif me.name is not null and hive <> me.name then
        perform fail('forbidden', format('Login %s joins as hive %s, not as %s', session_user, session_user, hive));
    end if;
    select s.hive into other from sessions s where s.home = "join".home and s.state = 'alive' and s.hive <> "join".hive;
    if found then
        perform fail('invalid', format('This home has joined as hive %s already. Leave first: overmind swarm leave', other));
    end if;
    if exists (select from sessions s where s.id = "join".session and (s.state <> 'alive' or s.hive <> "join".hive)) then
        return jsonb_build_object('word', 'gone');
    end if;
    select s.* into before from sessions s where s.hive = "join".hive and s.state = 'alive' for update;
    if found and before.id <> session then
        if seen ->> 'session' is distinct from before.id then
            return jsonb_build_object('word', 'watch', 'session', before.id, 'beat', before.beat, 'seconds', watched);
        elsif (seen ->> 'beat')::bigint is distinct from before.beat then
            return jsonb_build_object('word', 'name_taken', 'session', before.id, 'beat', before.beat);
        elsif coalesce((seen ->> 'seconds')::float8, 0) < watched then
            return jsonb_build_object('word', 'watch', 'session', before.id, 'beat', before.beat, 'seconds', watched);
        end if;
        -- The same home knows that its keeper is gone. Of another one nobody knows whether it still runs what it has.
        if before.home = home then
            update sessions set state = 'ended' where id = before.id;
            perform release_all(before.id, 'hive_lost');
        else
            update sessions set state = 'replaced' where id = before.id;
        end if;
    end if;
    insert into hives (name, login) values (hive, session_user)
        on conflict (name) do update set login = session_user;
    perform describe(hive, about);
    if coalesce((about ->> 'fence')::bigint, 0) > (select last_value from fences) then
        perform begin_settling(format('hive %s was given fence %s', hive, about ->> 'fence'));
        now_is := notice();
    end if;
    -- While the store is settling, this home may have something to present from the life before.
    insert into sessions (id, hive, login, home, fence, settle) values (session, hive, session_user, home,
        coalesce((about ->> 'fence')::bigint, 0),
        case when now_is.mode in ('open', 'restarted') then now_is.settle else -1 end)
        on conflict (id) do nothing;
    if found then
        perform record('hive_joined', null, hive, about - 'key');
    end if;
    update instances set state = 'joined' where name = hive and pool = session_user;
    if asked.ending is not null then
        update hives set draining = true where name = hive;
    end if;
    if coalesce(me.pool, false) then
        update logins set machine = jsonb_build_object('cpu', about -> 'cpu', 'memory', about -> 'memory',
            'providers', coalesce(about -> 'providers', '[]'), 'format', coalesce((about ->> 'format')::int, 1))
            where name = me.name;
    end if;
    perform fill_sentinels(hive);
    perform reopen();
    return jsonb_build_object(
        'word', 'joined', 'beat', (select s.beat from sessions s where s.id = session),
        'proof', session_proof(session, hive, home), 'settle', now_is.settle,
        'others', (select count(*) from sessions s where s.state = 'alive' and s.hive <> "join".hive)
    );
end $$;

create function held_by(session_id text) returns jsonb
    language sql stable set search_path = overmind, pg_temp as $$
    select coalesce(jsonb_agg(jsonb_build_object(
        'post', id, 'fence', fence, 'state', state, 'cancelling', cancelling,
        'answers', (select count(*) from questions q where q.post = posts.id and q.fence = posts.fence
            and q.answer is not null and q.key <> 'lost')
    ) order by fence), '[]') from posts where session = session_id and state in ('claimed', 'lost')
$$;

-- One beat. `about`: {"hive", "home", "proof", "fence"} of the session, and of the hive what `describe` takes.
-- `expected` is the number that was accepted last, `last` its nonce; `nonce` is new, and the same again after a lost answer.
-- The word: 'ok'; 'cloned': somebody else beats for this session; 'gone': it has ended, join anew; 'present': the store has
-- gone back in time, present what you hold. `again`: others may have seen this beat since it was sent for the first time.
create function beat(session text, expected bigint, last text, nonce text, about jsonb) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    now_is meta;
    mine sessions;
    before sessions;
    given bigint := coalesce((about ->> 'fence')::bigint, 0);
    again boolean := false;
begin
    perform may('worker');
    now_is := notice();
    select * into mine from sessions where id = session;
    if now_is.mode <> 'open' or mine.id is null or mine.beat < expected or mine.fence < given then
        perform serialize(); -- before any row, as everywhere
        select * into now_is from meta;
    end if;
    if mine.id is null then
        -- A proof is older than the rewind that has forgotten the session; it began after any that is known of its hive.
        if about ->> 'proof' is distinct from session_proof(session, about ->> 'hive', about ->> 'home') then
            return jsonb_build_object('word', 'gone');
        end if;
        select * into before from sessions s where s.hive = about ->> 'hive' and s.state = 'alive' for update;
        if before.home = about ->> 'home' then
            update sessions set state = 'ended' where id = before.id;
            perform release_all(before.id, 'hive_lost');
        elsif before.id is not null then
            update sessions set state = 'replaced' where id = before.id;
        end if;
        insert into hives (name, login, slots) values (about ->> 'hive', session_user, 1) -- it may hold something
            on conflict (name) do nothing;
        insert into instances (name, pool, state) select about ->> 'hive', l.name, 'joined' from logins l
            where l.name = session_user and l.pool
            on conflict (name) do update set state = 'joined';
        perform describe(about ->> 'hive', about);
        insert into sessions (id, hive, login, home, beat, nonce, settle)
            values (session, about ->> 'hive', session_user, about ->> 'home', expected, last, now_is.settle);
        perform begin_settling(format('the session of hive %s was not there', about ->> 'hive'));
        select * into now_is from meta;
    end if;
    select * into mine from sessions where id = session for update;
    if mine.login <> session_user then
        perform fail('forbidden', format('Session of hive %s belongs to login %s, not to %s', mine.hive, mine.login,
            session_user));
    elsif mine.state <> 'alive' then
        return jsonb_build_object('word', 'gone');
    end if;
    if mine.beat < expected or mine.fence < given then
        -- What it was answered is not here: the store has gone back in time, unless that is known and it has yet to present.
        if mine.settle = now_is.settle then
            perform begin_settling(format('hive %s expects beat %s, stored is %s', mine.hive, expected, mine.beat));
            select * into now_is from meta;
        end if;
    elsif mine.beat = expected + 1 and mine.nonce = beat.nonce then
        again := true; -- it was accepted, and its answer was lost
    elsif mine.beat > expected or mine.nonce <> last then
        return jsonb_build_object('word', 'cloned');
    end if;
    update sessions set beat = expected + 1, nonce = beat.nonce, beaten = true, seen_at = now(),
        fence = greatest(fence, given) where id = session;
    update posts set state = 'claimed', version = version + 1 where posts.session = beat.session and state = 'lost';
    if found then
        delete from questions q using posts p where q.key = 'lost' and p.id = q.post and p.session = beat.session;
        perform record('hive_answered', null, mine.hive);
    end if;
    perform describe(mine.hive, about);
    if now_is.mode = 'restarted' and not mine.beaten then
        perform reopen();
        select * into now_is from meta;
    end if;
    return jsonb_build_object('word', case when mine.settle < now_is.settle then 'present' else 'ok' end,
        'beat', expected + 1, 'again', again, 'mode', now_is.mode, 'settle', now_is.settle, 'longest', now_is.longest,
        'held', held_by(session), 'draining', (select draining from hives where name = mine.hive));
end $$;

-- A hive has waited, on its own clock since it noticed, for the longest lease: what others held for that time has ended.
create function settled(session text, settle bigint, waited double precision) returns text
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    now_is meta;
    word text;
begin
    perform serialize();
    select s.word into word from my_session(session) s;
    now_is := notice();
    if word <> 'ok' or now_is.settle <> settled.settle or now_is.mode not in ('settling', 'restarted')
        or waited < now_is.longest * 1.01 + 2 then
        return now_is.mode;
    end if;
    -- Fences of the time that is forgotten are smaller than all that are given from now on.
    perform setval('fences', greatest((select last_value from fences), (select coalesce(max(fence), 0) from posts),
        (select coalesce(max(fence), 0) from sessions)) + 1000000);
    perform setval('instance_numbers', (select last_value from instance_numbers) + 1000);
    update meta set mode = case mode when 'settling' then 'presenting' else 'open' end;
    perform record('settled', null, null);
    perform reopen();
    perform news('mode');
    perform news('queued');
    return (select mode from meta);
end $$;

create function leave(session text) returns text
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    asked record;
    mine sessions;
    word text;
    held int;
begin
    perform serialize();
    select s.* into asked from my_session(session) s;
    mine := asked.mine;
    word := asked.word;
    if word <> 'ok' then
        return 'gone';
    end if;
    perform release_pools(session, 'its hive has left');
    select count(*) into held from posts p where p.session = leave.session and state in ('claimed', 'lost');
    if held > 0 then
        perform fail('busy', format('Hive %s holds %s of the swarm''s posts. Stop them and give them back:'
            ' overmind swarm leave --release', mine.hive, held));
    end if;
    update sessions set state = 'ended' where id = session;
    perform forget_hive(mine.hive);
    perform reopen();
    return 'left';
end $$;

create function forget_hive(hive_name text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
begin
    delete from hives where name = hive_name;
    perform prefer_no_more(hive_name);
    delete from secrets where hive = hive_name;
    delete from refusals where hive = hive_name;
    update instances set state = 'ended' where name = hive_name and state <> 'ended';
    perform empty_sentinels(hive_name);
    perform record('hive_left', null, hive_name);
    perform news('hive:' || hive_name);
end $$;

create function drain(hive_name text, undo boolean) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    owner_ text := (select login from hives where name = hive_name);
begin
    perform may(case when owner_ = session_user then 'worker' else 'operator' end);
    perform serialize();
    update hives set draining = not undo where name = hive_name;
    if not found then
        perform fail('hive_unknown', format('There is no hive %L in the swarm. See them with: overmind swarm status', hive_name));
    end if;
    perform release_pools((select id from sessions where hive = hive_name and state = 'alive' and not undo),
        'its hive is drained');
    perform record(case when undo then 'hive_undrained' else 'hive_drained' end, null, hive_name);
    perform news('hive:' || hive_name);
    perform reopen();
    if undo then
        perform news('queued');
    end if;
    return jsonb_build_object('held', (
        select count(*) from posts p join sessions s on s.id = p.session
        where s.hive = hive_name and s.state = 'alive' and p.state in ('claimed', 'lost')
    ));
end $$;

-- `dead`: somebody says that the machine is off. Only then does what it held begin elsewhere.
create function remove_hive(hive_name text, dead boolean) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    one record;
    ended record;
    held int;
    free int := 0;
    failed int := 0;
    its_login text := (select login from hives where name = hive_name);
begin
    perform may('owner');
    perform serialize();
    select count(*) into held from posts p join sessions s on s.id = p.session
        where s.hive = hive_name and p.state in ('claimed', 'lost') and p.kind <> 'pool';
    if its_login is null and held = 0 then
        perform fail('hive_unknown', format('There is no hive %L in the swarm. See them with: overmind swarm status', hive_name));
    elsif held > 0 and not dead then
        perform fail('busy', format('Hive %s holds %s posts. Drain it first: overmind hive drain %s. Is the machine off?'
            ' overmind hive rm %s --dead', hive_name, held, hive_name, hive_name));
    end if;
    for one in select id from sessions where hive = hive_name and state <> 'ended' for update loop
        update sessions set state = 'ended' where id = one.id;
        select * into ended from release_all(one.id, 'hive_lost');
        free := free + ended.free;
        failed := failed + ended.failed;
    end loop;
    perform forget_hive(hive_name);
    if exists (select from logins where name = its_login and not pool) and its_login <> session_user then
        perform drop_login(its_login);
    end if;
    perform reopen();
    return jsonb_build_object('free', free, 'failed', failed);
end $$;
