-- Users, the upscales they ask for, and what is recorded about both.

create table users (
  id uuid primary key,
  -- At most one of the three says who the user is.
  telegram_id bigint unique,
  -- SHA-256 of an API key: the key itself is kept nowhere.
  api_key_hash text unique,
  -- Whoever uses the page on loopback without a key.
  is_local boolean unique check (is_local),
  settings jsonb not null default '{}',
  consent_at timestamptz,
  -- Photos a day; null: the default.
  daily_photos integer,
  created_at timestamptz not null default now(),
  check (num_nonnulls(telegram_id, api_key_hash, is_local) <= 1)
);

create table upscales (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  request_id text,
  idempotency_key text,
  status text not null default 'queued'
    check (status in ('queued', 'processing', 'done', 'failed', 'cancelled')),
  scale smallint check (scale in (2, 4)),
  look text not null,
  model text,
  format text not null,
  input jsonb not null,
  output jsonb,
  reduced_to jsonb,
  quality jsonb,
  error jsonb,
  timings jsonb,
  progress real not null default 0,
  -- The round in which it may start: what makes users take turns.
  turn integer not null,
  -- The attempt that owns it while it is processing; whoever holds another claim may not write.
  claim uuid,
  -- The worker of that attempt: the number of the advisory lock it holds for as long as it lives.
  worker integer,
  -- Attempts in a row that ended with their worker, without one tile finished in between.
  crashes integer not null default 0,
  -- Attempts that ended with a fault of ours.
  faults integer not null default 0,
  -- Milliseconds of work in all attempts so far: what JOB_TIMEOUT is compared with.
  worked_ms integer not null default 0,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  erased_at timestamptz,
  unique (user_id, idempotency_key)
);
create index upscales_queued on upscales (turn, created_at) where status = 'queued';
create index upscales_processing on upscales (worker) where status = 'processing';
create index upscales_open on upscales (user_id) where status in ('queued', 'processing');
create index upscales_finished on upscales (finished_at) where erased_at is null;
create index upscales_done on upscales (finished_at) where status = 'done';

-- The highest turn that was ever started: where somebody who comes now stands in line. One row.
create table queue_clock (
  one boolean primary key default true check (one),
  turn integer not null default 0
);
insert into queue_clock default values;

-- What happened, for the administrator and the report; holds no image and no text a user wrote.
create table events (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  user_id uuid references users on delete cascade,
  upscale_id uuid references upscales on delete cascade,
  kind text not null,
  data jsonb not null default '{}'
);
create index events_at on events (at);
create index events_user on events (user_id);
create index events_upscale on events (upscale_id);

-- What each user had accepted on each day, UTC.
create table quotas (
  user_id uuid not null references users on delete cascade,
  day date not null,
  photos integer not null,
  bytes bigint not null,
  primary key (user_id, day)
);

create table rooms (
  id uuid primary key,
  -- What members type to join.
  code text not null unique,
  title text not null,
  owner_id uuid not null references users on delete cascade,
  created_at timestamptz not null default now(),
  closed_at timestamptz
);

create table room_members (
  room_id uuid not null references rooms on delete cascade,
  user_id uuid not null references users on delete cascade,
  role text not null default 'member' check (role in ('owner', 'member')),
  joined_at timestamptz not null default now(),
  primary key (room_id, user_id)
);
create index room_members_user on room_members (user_id);

create table feedback (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  upscale_id uuid references upscales on delete cascade,
  rating smallint not null,
  comment text,
  created_at timestamptz not null default now(),
  unique (user_id, upscale_id)
);

-- Results on their way to chats; one row for each chat a result must reach, so that none is sent twice.
create table deliveries (
  id uuid primary key,
  upscale_id uuid not null references upscales on delete cascade,
  chat_id bigint not null,
  message_id bigint,
  state text not null default 'pending' check (state in ('pending', 'sent', 'failed')),
  attempts integer not null default 0,
  error text,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  unique (upscale_id, chat_id)
);
