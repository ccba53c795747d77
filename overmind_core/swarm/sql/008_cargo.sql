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
        perform fail('hive_unknown', format('There is no hive %s in the swarm. See them with: overmind swarm status', hive));
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

-- An instance is a row before it is started: its name is the key with which an engine starts it, and joins once.
create function ask_instance(session text, post text, fence bigint, name text, pool text) returns text
    language plpgsql security definer set search_path = overmind, pg_temp as $$
begin
    perform serialize();
    if not holds(session, post, fence) then
        return 'fenced';
    elsif not exists (select from logins l where l.name = ask_instance.pool and l.pool) then
        perform fail('not_found', format('There is no login of pool %s. An owner invites it:'
            ' overmind swarm invite %s --role worker --pool', pool, pool));
    elsif name !~ ('^' || regexp_replace(pool, '([.])', '\\\1', 'g') || '-[a-z0-9._-]+$') or length(name) > 63 then
        perform fail('invalid', format('%L is no name of an instance of pool %s', name, pool));
    end if;
    insert into instances (name, pool) values (name, pool) on conflict on constraint instances_pkey do nothing;
    return case when found then 'asked' else 'known' end;
end $$;

create function report_instance(session text, post text, fence bigint, name text, ended boolean, engine_id text) returns text
    language plpgsql security definer set search_path = overmind, pg_temp as $$
begin
    perform serialize();
    if not holds(session, post, fence) then
        return 'fenced';
    end if;
    update instances i set engine_id = coalesce(report_instance.engine_id, i.engine_id),
        state = case when report_instance.ended then 'ended' else i.state end
        where i.name = report_instance.name;
    return 'ok';
end $$;

create function holds(session text, post text, fence bigint) returns boolean
    language plpgsql set search_path = overmind, pg_temp as $$
begin
    return (select s.word from my_session(session) s) = 'ok' and exists (
        select from posts p where p.id = holds.post and p.session = holds.session and p.fence = holds.fence
            and p.state in ('claimed', 'lost'));
end $$;
