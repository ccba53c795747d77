-- Logins: one for each hive and person, one for each pool. The client makes password and verifier: no password comes here.

-- `verifier` as SCRAM has it. Returns 'invited', or 'changed' when the login was there and has a new password.
-- `key`: of a pool, public: secrets are sealed for it. A new one can open nothing that was sealed before.
create function invite(login text, role text, pool boolean, verifier text, key text default null) returns text
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    known boolean := exists (select from logins l where l.name = login);
    other text;
begin
    perform may('owner');
    if login !~ '^[a-z0-9][a-z0-9._-]{0,47}$' or login in ('all', 'local', 'swarm', 'public', 'none')
        or login ~ '^(pg_|overmind_)' then
        perform fail('invalid', format('%L can''t be a login: use a-z, 0-9, dot, dash, underscore, at most 48, and none'
            ' of all, local, swarm', login));
    elsif rank_of(role) = 0 then
        perform fail('invalid', format('There is no role %L: it is viewer, worker, operator or owner', role));
    elsif pool and role <> 'worker' then
        perform fail('invalid', format('A pool''s login is a worker, not %s', role));
    elsif pool and login !~ '^[a-z][a-z0-9-]{0,23}$' then
        perform fail('invalid', format('%L can''t be a pool: its name has a-z, 0-9 and dash, begins with a letter, and has at'
            ' most 24 characters', login));
    elsif known and (select l.pool from logins l where l.name = login) <> pool then
        perform fail('name_taken', format('Login %s is that of a %s. Choose another name.', login,
            case when pool then 'hive or a person' else 'pool' end));
    elsif verifier !~ '^SCRAM-SHA-256\$[0-9]+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' then
        perform fail('invalid', 'The password of an invitation comes as a SCRAM verifier');
    end if;
    perform serialize();
    if not known and exists (select from pg_roles where rolname = login) then
        perform fail('name_taken', format('Login %s exists on this server and is none of this swarm. Choose another name.',
            login));
    end if;
    if not (select rolcreaterole or rolsuper from pg_roles where rolname = current_user) then
        perform fail('forbidden', format('The owner of this swarm''s database, %s, may not make logins. The server''s'
            ' admin can allow it: ALTER ROLE %I CREATEROLE', current_user, current_user));
    end if;
    if not exists (select from pg_roles where rolname = login) then
        execute format('create role %I login nosuperuser nocreatedb nocreaterole noreplication', login);
    end if;
    execute format('alter role %I login password %L', login, verifier);
    execute format('alter role %I set idle_in_transaction_session_timeout = %L', login, '10s');
    foreach other in array array['viewer', 'worker', 'operator', 'owner'] loop
        if other <> role and pg_has_role(login, 'overmind_' || other, 'member') then
            execute format('revoke %I from %I', 'overmind_' || other, login);
        end if;
    end loop;
    execute format('grant %I to %I', 'overmind_' || role, login);
    insert into logins (name, role, pool, key) values (login, role, pool, key)
        on conflict (name) do update set role = excluded.role, key = excluded.key, invited_by = session_user;
    if pool then
        delete from secrets where hive = login;
        perform add_pool(login);
    end if;
    perform record('login_invited', null, null, jsonb_build_object('login', login, 'role', role));
    return case when known then 'changed' else 'invited' end;
end $$;

create function drop_login(login text) returns void
    language plpgsql set search_path = overmind, pg_temp as $$
begin
    delete from posts where id = pool_post(login);
    delete from instances where pool = login;
    delete from secrets where hive = login;
    delete from logins where name = login;
    if found and exists (select from pg_roles where rolname = login) then -- no role that is none of ours
        execute format('drop role %I', login);
    end if;
end $$;

-- A person's login; a hive's goes with the hive.
create function uninvite(login text) returns boolean
    language plpgsql security definer set search_path = overmind, pg_temp as $$
begin
    perform may('owner');
    perform serialize();
    if not exists (select from logins where name = uninvite.login) then
        return false;
    elsif exists (select from hives h where h.login = uninvite.login) then
        perform fail('busy', format('Login %s has a hive. Remove that first: overmind hive rm %s', login, login));
    end if;
    perform drop_login(login);
    return true;
end $$;

-- Who asks, and what there is: the first question of each connection.
create function hello() returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    found record;
begin
    select * into found from meta;
    return jsonb_build_object(
        'schema', (select max(version) from schema_version), 'name', found.name, 'id', found.id,
        'mode', found.mode,
        'settle', found.settle, 'longest', found.longest, 'login', session_user, 'role', my_role(),
        'pool', coalesce((select pool from logins where name = session_user), false),
        'server', split_part(current_setting('server_version'), ' ', 1)
    );
end $$;
