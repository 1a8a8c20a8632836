-- The reading trial: words and formulas whose text is known, shown to volunteers as photographed or as the result.

create table trials (
  id uuid primary key,
  name text not null,
  created_at timestamptz not null default now(),
  -- Nobody is asked any more; what was answered stays.
  closed_at timestamptz
);

create table trial_items (
  id uuid primary key,
  trial_id uuid not null references trials on delete cascade,
  -- The board's name in the folder it was loaded from.
  board text not null,
  truth text not null,
  -- One spelling for all that mean the same: a person is asked for it once.
  word_key text not null,
  kind text not null check (kind in ('word', 'formula')),
  language text,
  board_kind text not null,
  letter_height real,
  scale smallint not null,
  model text not null,
  created_at timestamptz not null default now()
);
create index trial_items_trial on trial_items (trial_id);

-- Written when the item is shown, so that a person who comes back sees the same form of it, and never the other.
create table trial_readings (
  item_id uuid not null references trial_items on delete cascade,
  user_id uuid not null references users on delete cascade,
  trial_id uuid not null references trials on delete cascade,
  word_key text not null,
  form text not null check (form in ('original', 'result')),
  shown_at timestamptz not null default now(),
  answered_at timestamptz,
  -- Null in an answered reading: "can't read".
  answer text,
  is_right boolean,
  primary key (item_id, user_id),
  unique (trial_id, user_id, word_key)
);
create index trial_readings_user on trial_readings (user_id);
