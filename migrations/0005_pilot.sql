-- The pilot with people: why a result was not good, surveys by poll, and photos whose owners let them be used.

alter table feedback
  add column reason text check (reason in ('unreadable', 'letters', 'slow', 'other')),
  -- As it was when it was said, so that ratings are read for each model.
  add column model text,
  add column scale smallint,
  add column letter_height real,
  add column wait_ms integer,
  add column total_ms integer;

-- A survey is a broadcast with answers to choose from: [{"en": …, "ru": …}].
alter table broadcasts add column options jsonb;
alter table broadcast_recipients
  add column poll_id text unique,
  add column answer smallint,
  add column answered_at timestamptz;

-- The photo of a user that the item was cut from; null: the administrator's own.
alter table trial_items add column upscale_id uuid references upscales on delete cascade;
create index trial_items_upscale on trial_items (upscale_id) where upscale_id is not null;

-- What their chat program speaks, for what is sent to them unasked; what they choose themselves stands in the settings.
alter table users add column language text check (language in ('en', 'ru'));
