-- Results on their way to chats: what the Telegram bot must send, has sent, and is sending now; bans and broadcasts.

-- The table of the first version was never written to.
drop table deliveries;

alter table users
  add column ban_reason text,
  add column banned_at timestamptz,
  -- Null in a ban: for ever.
  add column banned_until timestamptz,
  -- Telegram said that no message can reach them; cleared when they are heard of again.
  add column unreachable_at timestamptz;

-- One photo, or the photos of one album: sent together when all of them have ended.
create table deliveries (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  chat_id bigint not null,
  thread_id bigint,
  is_group boolean not null,
  album_id text,
  send_as text not null check (send_as in ('file', 'photo')),
  language text not null check (language in ('en', 'ru')),
  state text not null default 'open' check (state in ('open', 'sent', 'gone', 'failed')),
  -- An album has no last photo: it is complete when none has come for a while.
  closes_at timestamptz not null,
  -- The one message that tells how it stands.
  status_message_id bigint,
  status_due_at timestamptz not null,
  -- Whoever sends it; nobody else may before this runs out.
  lease uuid,
  leased_until timestamptz,
  not_before timestamptz not null default now(),
  attempts integer not null default 0,
  error text,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create index deliveries_open on deliveries (not_before) where state = 'open';
create index deliveries_album on deliveries (chat_id, album_id) where state = 'open';
create index deliveries_user on deliveries (user_id);

create table delivery_items (
  id bigint generated always as identity primary key,
  delivery_id uuid not null references deliveries on delete cascade,
  chat_id bigint not null,
  -- The message with the photo, which is replied to.
  message_id bigint not null,
  upscale_id uuid references upscales on delete cascade,
  -- Instead of an upscale: why the photo was refused.
  error_code text,
  file_name text,
  sent_message_id bigint,
  check ((upscale_id is null) <> (error_code is null)),
  -- The same update twice is one item.
  unique nulls not distinct (chat_id, message_id, upscale_id)
);
create index delivery_items_delivery on delivery_items (delivery_id);
create index delivery_items_upscale on delivery_items (upscale_id);

create table broadcasts (
  id uuid primary key,
  text_en text not null,
  text_ru text not null,
  state text not null default 'draft' check (state in ('draft', 'running', 'stopped', 'done')),
  created_at timestamptz not null default now()
);

create table broadcast_recipients (
  broadcast_id uuid not null references broadcasts on delete cascade,
  user_id uuid not null references users on delete cascade,
  state text not null default 'waiting' check (state in ('waiting', 'sent', 'gone')),
  leased_until timestamptz,
  primary key (broadcast_id, user_id)
);
create index broadcast_recipients_waiting on broadcast_recipients (broadcast_id) where state = 'waiting';

-- A rating belongs to a result, a comment to nobody's result in particular: several of those are welcome.
alter table feedback drop constraint feedback_user_id_upscale_id_key;
create unique index feedback_upscale on feedback (user_id, upscale_id) where upscale_id is not null;
