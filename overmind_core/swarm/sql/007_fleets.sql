-- Fleets: so many places kept filled, or one on every fitting hive. A place is a post that is queued again when it has ended.

create function place_definition(f places, number int, hive_name text, id text) returns jsonb
    language sql immutable set search_path = overmind, pg_temp as $$
    select f.definition || jsonb_build_object('id', id, 'kind', 'place', 'fleet', f.fleet, 'place', number,
        'generation', f.generation, 'posted_by', f.posted_by,
        'name', f.fleet || '-' || coalesce(hive_name, number::text))
        || case when hive_name is null then '{}' else jsonb_build_object('only_hive', hive_name) end
$$;

create function add_place(f places, number int, hive_name text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    given text;
begin
    loop
        given := left(replace(gen_random_uuid()::text, '-', ''), 8);
        exit when given !~ '^[0-9]*$' and not exists (select from posts where id = given); -- a hive's missions have no such id
    end loop;
    perform insert_post(place_definition(f, number, hive_name, given));
    perform count_needs(array[given]);
    perform news('queued');
end $$;

-- Its definition is that of its fleet now.
create function renew_place(post_id text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    p posts;
    f places;
    d jsonb;
begin
    select * into p from posts where id = post_id;
    select * into f from places where fleet = p.fleet;
    if f.fleet is null or f.generation = p.generation then
        return;
    end if;
    d := place_definition(f, p.place, p.only_hive, p.id);
    update posts set definition = d, generation = f.generation, labels = coalesce(d -> 'labels', '{}'),
        cpu = coalesce((d ->> 'cpu')::float8, 0), memory = coalesce((d ->> 'memory')::bigint, 0),
        provider = d ->> 'provider', secrets = texts(d -> 'secrets'), lease = coalesce((d ->> 'lease')::float8, 600),
        on_lost = coalesce(d ->> 'on_lost', 'wait'), failures = 0, delay = 0
    where id = post_id;
end $$;

-- The run of a place has ended; `p` is the post as it was before.
create function place_ended(p posts) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
begin
    if p.cancelling in ('scaled', 'deleted') or not exists (select from places where fleet = p.fleet) then
        return;
    end if;
    update posts set state = 'queued', version = version + 1, hive = null, session = null, ready = false,
        began_at = epoch(), able_at = epoch(), ended_at = null,
        delay = case when p.cancelling = 'replaced' then 0 else least(2 * 2 ^ least(failures, 10), 60) end,
        failures = case when p.cancelling = 'replaced' then 0 else failures + 1 end
    where id = p.id;
    perform renew_place(p.id);
    perform record('post_queued', p.id, p.hive, jsonb_build_object('why', 'place'));
    perform news(case when p.cancelling = 'replaced' then 'queued' else 'places' end);
end $$;

create function cancel_place(post_id text, why text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    p posts;
begin
    select * into p from posts where id = post_id for update;
    if p.state = 'claimed' then
        update posts set cancelling = why where id = post_id;
        perform news('hive:' || p.hive);
    elsif p.state in ('queued', 'lost') then
        update posts set cancelling = why where id = post_id;
        perform finish(post_id, 'cancelled', why, null, null, null);
    end if;
end $$;

-- As many places as are wanted: the highest numbers go, the lowest free ones are added.
create function fill_fleet(fleet_name text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    f places;
    one record;
begin
    select * into f from places where fleet = fleet_name;
    if f.want is null then
        for one in select id, only_hive from posts p where p.fleet = fleet_name and p.state in ('queued', 'claimed', 'lost')
            and p.only_hive is null loop
            perform cancel_place(one.id, 'scaled');
        end loop;
        for one in select h.name from hives h loop
            perform fill_sentinels(one.name);
        end loop;
        return;
    end if;
    for one in select id from posts p where p.fleet = fleet_name and p.state in ('queued', 'claimed', 'lost')
        and p.cancelling is distinct from 'scaled' and (p.place > f.want or p.place is null) order by p.place desc loop
        perform cancel_place(one.id, 'scaled');
    end loop;
    for one in select number from generate_series(1, f.want) number where not exists (
        select from posts p where p.fleet = fleet_name and p.place = number and p.state in ('queued', 'claimed', 'lost')
            and p.cancelling is distinct from 'scaled'
    ) loop
        perform add_place(f, one.number, null);
    end loop;
end $$;

-- A changed definition replaces one place at a time: the next one when all of the new definition are ready.
create function roll_fleet(fleet_name text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    f places;
    one record;
begin
    select * into f from places where fleet = fleet_name;
    for one in select id from posts p where p.fleet = fleet_name and p.state = 'queued' and p.generation <> f.generation loop
        perform renew_place(one.id); -- it runs nowhere
    end loop;
    if exists (select from posts p where p.fleet = fleet_name and (p.cancelling = 'replaced'
        or p.generation = f.generation and p.state in ('queued', 'claimed') and not p.ready)) then
        return;
    end if;
    select id, hive into one from posts p where p.fleet = fleet_name and p.state = 'claimed' and p.generation <> f.generation
        and p.cancelling is null order by p.place, p.id limit 1;
    if found then
        update posts set cancelling = 'replaced' where id = one.id;
        perform news('hive:' || one.hive);
    end if;
end $$;

-- Where a hive fits, each sentinel has a place on it; where it fits no more, none. An instance of a pool has none: it would
-- never be idle, and its slots would not be free for what it was started for.
create function fill_sentinels(hive_name text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    f places;
    h hives;
    there text[];
    one text;
begin
    select * into h from hives where hives.name = hive_name;
    for f in select * from places where want is null order by fleet loop
        there := array(select id from posts p where p.fleet = f.fleet and p.only_hive = hive_name
            and p.state in ('queued', 'claimed', 'lost') and p.cancelling is distinct from 'scaled' order by id);
        if h.labels @> coalesce(f.definition -> 'labels', '{}')
            and (f.definition ->> 'provider' is null or f.definition ->> 'provider' = any(h.providers))
            and h.slots > 0
            and not exists (select from instances i where i.name = h.name and i.pool = h.login)
        then
            if there = '{}' then
                perform add_place(f, null, hive_name);
            end if;
        else
            foreach one in array there loop
                perform cancel_place(one, 'scaled');
            end loop;
        end if;
    end loop;
end $$;

create function empty_sentinels(hive_name text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    one record;
begin
    for one in select id from posts where only_hive = hive_name and kind = 'place'
        and state in ('queued', 'claimed', 'lost') order by id loop
        perform cancel_place(one.id, 'scaled');
    end loop;
end $$;

-- The fleets of one blueprint, all of them or none: [{"fleet", "want" (null: each), "definition"}]. Those that it no longer
-- has are deleted. Answers what becomes of each: [{"fleet", "change": new | changed | unchanged | deleted, "before",
-- "want", "replaces": its places are replaced}]. `dry_run`: it only answers.
create function apply_fleets(source text, fleets jsonb, dry_run boolean default false) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    one jsonb;
    f places;
    gone record;
    names text[] := array(select value ->> 'fleet' from jsonb_array_elements(fleets));
    replaces boolean;
    change text;
    done jsonb := '[]';
begin
    perform may('operator');
    perform serialize();
    for one in select value from jsonb_array_elements(fleets) loop
        select * into f from places where fleet = one ->> 'fleet';
        if f.fleet is not null and f.source <> apply_fleets.source then
            perform fail('name_taken', format('There is a fleet %s already, of %s. Delete it, or choose another name:'
                ' overmind fleet delete %s', f.fleet, f.source, f.fleet));
        elsif coalesce((one -> 'definition' ->> 'lease')::float8, 600) < 10 then
            perform fail('invalid', format('The lease of fleet %s is below 10 s', one ->> 'fleet'));
        end if;
        replaces := coalesce(f.definition <> one -> 'definition', false);
        change := case when f.fleet is null then 'new'
            when replaces or f.want is distinct from (one ->> 'want')::int then 'changed' else 'unchanged' end;
        done := done || jsonb_build_object('fleet', one ->> 'fleet', 'change', change, 'before', f.want,
            'want', (one ->> 'want')::int, 'replaces', replaces);
        continue when dry_run or change = 'unchanged';
        insert into places (fleet, definition, want, source)
            values (one ->> 'fleet', one -> 'definition', (one ->> 'want')::int, source)
            on conflict (fleet) do update set want = excluded.want, definition = excluded.definition,
                posted_by = case when replaces then session_user else places.posted_by end, -- hives judge whose it is
                generation = places.generation + (places.definition <> excluded.definition)::int;
        perform fill_fleet(one ->> 'fleet');
        perform roll_fleet(one ->> 'fleet');
        perform record('fleet_applied', null, null, jsonb_build_object('fleet', one ->> 'fleet', 'change', change,
            'want', (one ->> 'want')::int));
    end loop;
    for gone in select fleet, want from places p where p.source = apply_fleets.source and p.fleet <> all(names)
        order by fleet
    loop
        done := done || jsonb_build_object('fleet', gone.fleet, 'change', 'deleted', 'before', gone.want, 'want', 0,
            'replaces', false);
        if not dry_run then
            perform drop_fleet(gone.fleet);
        end if;
    end loop;
    update meta set longest = greatest(longest, coalesce((select max(lease) from posts where fleet = any(names)), 0));
    return done;
end $$;

create function drop_fleet(fleet_name text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    one record;
begin
    for one in select id from posts p where p.fleet = fleet_name and p.state in ('queued', 'claimed', 'lost') order by id loop
        perform cancel_place(one.id, 'deleted');
    end loop;
    delete from places where fleet = fleet_name;
    perform record('fleet_deleted', null, null, jsonb_build_object('fleet', fleet_name));
end $$;

create function known_fleet(fleet_name text) returns places
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    f places;
begin
    perform may('operator');
    perform serialize();
    select * into f from places where fleet = fleet_name;
    if not found then
        perform fail('not_found', format('There is no fleet %L. See them with: overmind fleet list', fleet_name));
    end if;
    return f;
end $$;

create function scale(fleet_name text, want int) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    f places := known_fleet(fleet_name);
begin
    if f.want is null then
        perform fail('invalid', format('Fleet %s has one place on every fitting hive', fleet_name));
    elsif scale.want < 0 or scale.want > 10000 then
        perform fail('invalid', format('A fleet has from 0 to 10000 places, not %s', scale.want));
    end if;
    update places set want = scale.want where fleet = fleet_name;
    perform fill_fleet(fleet_name);
    perform roll_fleet(fleet_name);
    perform record('fleet_scaled', null, null, jsonb_build_object('fleet', fleet_name, 'before', f.want, 'want', scale.want));
    return jsonb_build_object('before', f.want, 'want', scale.want);
end $$;

create function delete_fleet(fleet_name text) returns void
    language plpgsql security definer set search_path = overmind, pg_temp as $$
begin
    perform known_fleet(fleet_name);
    perform drop_fleet(fleet_name);
end $$;
