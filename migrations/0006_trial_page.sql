-- The reading trial: a page of its own for volunteers, and a word that stands in two trials.

-- 122 random bits: who holds them may read along, without a key and without Telegram.
alter table trials add column code text unique;
update trials set code = translate(rtrim(encode(uuid_send(gen_random_uuid()), 'base64'), '='), '+/', '-_');
alter table trials alter column code set not null;

-- A person meets a word once, whatever trial it stands in: the second time they would know it.
delete from trial_readings r using trial_readings e
  where e.user_id = r.user_id and e.word_key = r.word_key and (e.shown_at, e.item_id) < (r.shown_at, r.item_id);
alter table trial_readings drop constraint trial_readings_trial_id_user_id_word_key_key;
drop index trial_readings_user;
create unique index trial_readings_word on trial_readings (user_id, word_key);

-- What was seen of the item and of its board when it was loaded: why it was read, or was not.
alter table trial_items add column circumstances jsonb;
