-- Rooms: people, groups and topics that share their readable boards.

-- The tables of the first version were never written to.
drop table room_members;
drop table rooms;

create table rooms (
  id uuid primary key,
  -- 128 random bits: who holds it may join and see the page. Another one takes its place when somebody is removed.
  code text not null unique,
  title text not null,
  owner_id uuid not null references users on delete cascade,
  -- The group, or the topic of one, that is the room; null: a room of people alone.
  chat_id bigint,
  thread_id bigint,
  created_at timestamptz not null default now()
);
create unique index rooms_chat on rooms (chat_id, coalesce(thread_id, 0)) where chat_id is not null;
create index rooms_owner on rooms (owner_id);

create table room_members (
  room_id uuid not null references rooms on delete cascade,
  user_id uuid not null references users on delete cascade,
  role text not null default 'member' check (role in ('owner', 'moderator', 'member')),
  -- As the member is called; the owner and moderators see it.
  name text not null,
  language text not null check (language in ('en', 'ru')),
  shares text not null default 'ask' check (shares in ('ask', 'always')),
  receives text not null default 'each' check (receives in ('each', 'digest', 'nothing')),
  joined_at timestamptz not null default now(),
  primary key (room_id, user_id)
);
create index room_members_user on room_members (user_id);

-- Who was removed stays away, whatever code they come with.
create table room_exiles (
  room_id uuid not null references rooms on delete cascade,
  user_id uuid not null references users on delete cascade,
  primary key (room_id, user_id)
);
create index room_exiles_user on room_exiles (user_id);

create table room_pictures (
  id uuid primary key,
  -- The order on the page.
  number bigint generated always as identity,
  room_id uuid not null references rooms on delete cascade,
  upscale_id uuid not null references upscales on delete cascade,
  user_id uuid not null references users on delete cascade,
  -- What was shared together goes out together.
  share_id uuid not null,
  shared_at timestamptz not null default now(),
  removed_at timestamptz,
  -- Telegram's own name of the file, once it has it: nobody uploads it a second time.
  file_id text,
  file_kind text check (file_kind in ('document', 'photo')),
  unique (room_id, upscale_id)
);
create index room_pictures_upscale on room_pictures (upscale_id);
create index room_pictures_user on room_pictures (user_id);
create index room_pictures_share on room_pictures (share_id);

-- One message, or one album, for one member or for the room's group.
create table room_sends (
  id uuid primary key,
  number bigint generated always as identity,
  room_id uuid not null references rooms on delete cascade,
  -- Null: the room's group.
  user_id uuid references users on delete cascade,
  -- Null: a digest, which takes up what is shared until it is sent.
  share_id uuid,
  state text not null default 'waiting' check (state in ('waiting', 'sent', 'gone')),
  attempts integer not null default 0,
  lease uuid,
  leased_until timestamptz,
  not_before timestamptz not null default now(),
  created_at timestamptz not null default now()
);
create index room_sends_waiting on room_sends (not_before) where state = 'waiting';
create index room_sends_share on room_sends (share_id) where state = 'waiting';
create index room_sends_user on room_sends (user_id);
create index room_sends_room on room_sends (room_id);

create table room_send_pictures (
  send_id uuid not null references room_sends on delete cascade,
  picture_id uuid not null references room_pictures on delete cascade,
  chat_id bigint,
  sent_message_id bigint,
  sent_at timestamptz,
  -- Of a removed picture: its message is taken back, by whoever leased that.
  deleted_at timestamptz,
  leased_until timestamptz,
  primary key (send_id, picture_id)
);
create index room_send_pictures_picture on room_send_pictures (picture_id);
create index room_send_pictures_message on room_send_pictures (chat_id, sent_message_id);

create table room_reports (
  id uuid primary key,
  picture_id uuid not null references room_pictures on delete cascade,
  -- Null: somebody at the room's page.
  user_id uuid references users on delete cascade,
  created_at timestamptz not null default now(),
  told_at timestamptz,
  leased_until timestamptz
);
create index room_reports_picture on room_reports (picture_id);
create index room_reports_user on room_reports (user_id);

-- Who the bot is, as it said last: the page of a room leads to it.
create table telegram_bot (
  one boolean primary key default true check (one),
  username text not null
);

-- What Telegram calls the result it was sent.
alter table delivery_items add column file_id text, add column file_kind text check (file_kind in ('document', 'photo'));
create index delivery_items_sent on delivery_items (chat_id, sent_message_id);
