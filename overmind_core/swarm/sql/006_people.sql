-- What people do to posts: cancel, try again, answer; limits.

-- A post, locked, for whoever may change it.
create function known_post(post_id text) returns posts
    language plpgsql set search_path = overmind, pg_temp as $$
declare
    p posts;
begin
    perform may('operator');
    perform serialize();
    select * into p from posts where id = post_id for update;
    if not found then
        perform fail('not_found', format('There is no post %s. See them with: overmind ps -H swarm', post_id));
    elsif p.kind = 'pool' then
        perform fail('invalid', format('Post %s decides about a pool: it ends with that', post_id));
    end if;
    return p;
end $$;

create function cancel(post_id text) returns text
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    p posts := known_post(post_id);
begin
    if p.state in ('queued', 'lost') then
        -- What still lives of a lost one ends when its hive answers: it is fenced.
        update posts set session = null where id = post_id;
        return finish(post_id, 'cancelled', 'cancelled', null, null, null);
    elsif p.state = 'claimed' then
        update posts set cancelling = 'cancelled' where id = post_id;
        perform record('post_cancelling', post_id, p.hive);
        perform news('hive:' || p.hive);
        return 'cancelling';
    end if;
    return p.state;
end $$;

create function retry(post_id text) returns text
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    p posts := known_post(post_id);
begin
    if p.state not in ('done', 'failed', 'cancelled') then
        perform fail('not_finished', format('Post %s (%s) has not ended: it is %s', p.name, post_id, p.state));
    elsif p.fleet is not null then
        perform fail('invalid', format('Post %s is a place of fleet %s, which is filled by itself', post_id, p.fleet));
    end if;
    update posts set state = 'queued', version = version + 1, hive = null, session = null, spent = 0, hive_lost = 0, given_back = 0,
        began_at = epoch(), ended_at = null, exit_code = null, reason = null, result = null, tail = null, delay = 0,
        cancelling = null, generation = 0 where id = post_id;
    if p.lineage is not null then
        perform prefer_conversation(post_id);
    end if;
    delete from outputs o where o.post = post_id;
    delete from refusals r where r.post = post_id;
    perform count_needs(array[post_id] || array(select n.post from needs n where n.need = post_id));
    perform count_dependants(array[post_id] || array(select need from needs n where n.post = post_id));
    perform record('post_queued', post_id, null, jsonb_build_object('why', 'retry'));
    perform news(queue_news(p.pack));
    return 'queued';
end $$;

create function answer(number bigint, answer jsonb) returns jsonb
    language plpgsql security definer set search_path = overmind, pg_temp as $$
declare
    q questions;
    p posts;
begin
    perform may('operator');
    perform serialize();
    select * into q from questions where questions.number = answer.number for update;
    if not found then
        perform fail('not_found', format('There is no open question swarm/%s. See them with: overmind inbox -H swarm',
            number));
    elsif q.answer is not null and q.answer <> answer.answer then
        perform fail('busy', format('Question swarm/%s was answered by %s', number, q.answered_by));
    end if;
    select * into p from posts where id = q.post for update;
    if q.key = 'lost' then
        if answer ->> 'answer' = 'allow' then
            return jsonb_build_object('state', release(p.id, 'hive_lost', true));
        end if;
        delete from questions where questions.number = answer.number; -- it is waited for
        return jsonb_build_object('state', p.state);
    end if;
    update questions set answer = answer.answer, answered_by = session_user where questions.number = answer.number;
    perform record('question_answered', p.id, p.hive, jsonb_build_object('number', number));
    perform news('hive:' || p.hive);
    return jsonb_build_object('state', p.state);
end $$;

create function set_limit(name text, most double precision) returns void
    language plpgsql security definer set search_path = overmind, pg_temp as $$
begin
    perform may('operator');
    if name !~ '^(provider|budget):.' then
        perform fail('invalid', format('%L is no limit: it is provider:NAME or budget:NAME', name));
    end if;
    perform serialize();
    if most is null then
        delete from limits l where l.name = set_limit.name;
    else
        insert into limits (name, most) values (name, most)
            on conflict on constraint limits_pkey do update set most = excluded.most;
    end if;
    perform news('queued');
end $$;
