/** People send photos while bot, API and workers are killed and Telegram fails: what each photo ended in. */
import { setTimeout as pause } from 'node:timers/promises';
import { readConfig } from '../../src/config.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { photo } from '../helpers/api.ts';
import { integer } from '../helpers/seed.ts';
import { type ServerProcess, startServerProcess } from '../helpers/server-process.ts';
import type { StoredMessage } from './chats.ts';
import { type FakeTelegram, type Fault, startFakeTelegram } from './fake-telegram.ts';
import type { Person } from './people.ts';

export interface ChaosPlan {
  readonly users: number;
  /** Of all users together. */
  readonly photos: number;
  readonly kills: number;
  /** Of the smallest photo, in pixels; each photo is wider than the one before. */
  readonly width: number;
  readonly databaseUrl: string;
  /** For blobs. */
  readonly folder: string;
  /** 0…1. */
  readonly random: () => number;
  readonly say: (line: string) => void;
}

export interface ChaosReport {
  readonly kills: Readonly<Record<string, number>>;
  /** Requests of the bot, and how many of them failed or got no answer. */
  readonly calls: { readonly all: number; readonly refused: number; readonly lost: number };
  /** Photos by how they ended: a result, or words why there is none. */
  readonly ends: { readonly results: number; readonly refusals: readonly string[] };
  /** Photos with another terminal message after the answer to each before it was lost. */
  readonly excusedDuplicates: number;
  /** Everything that must not be. */
  readonly wrong: readonly string[];
  readonly seconds: number;
}

type Role = 'api' | 'worker' | 'bot';
const ROLES: readonly Role[] = ['api', 'worker', 'worker', 'bot'];
/** Pixels. */
const HEIGHT = 90;
/** A bot that is killed this soon after an answer may not have told the API of it. */
const TELLING_MS = 5000;
const PATIENCE_MS = 300_000;
/** So long a busy machine may take to hand over a message, or an answer. */
const ON_THE_WAY_MS = 400;
const FAULTS: readonly Fault[] = [
  { percent: 3, kind: 429, retryAfter: 1 },
  { percent: 3, kind: 500 },
  { percent: 2, kind: 'html' },
  { percent: 2, kind: 'cut' },
  { percent: 2, kind: 'lost' },
  { percent: 1, kind: 'lost', delayMs: 4000 },
  { percent: 2, method: 'getUpdates', kind: 500 },
  { percent: 2, method: 'getUpdates', kind: 'lost' },
];

interface SentPhoto {
  readonly person: Person;
  readonly message: StoredMessage;
  /** No other photo is as wide: captions tell it. */
  readonly width: number;
}

/** Carries out the plan on real processes. Resolves when every photo has ended, or patience has. */
export async function sendInChaos(plan: ChaosPlan): Promise<ChaosReport> {
  const { folder, databaseUrl, random, say } = plan;
  const startedAt = performance.now();
  const telegram = await startFakeTelegram({ random, onTheWayMs: ON_THE_WAY_MS });
  const env = { DATA_DIR: folder, DATABASE_URL: databaseUrl, LOG_LEVEL: 'info' };
  const running: ServerProcess[] = [];
  const logs: string[] = [];
  const botKills: number[] = [];
  const kills: Record<string, number> = {};

  const start = async (role: Role, port = '0'): Promise<ServerProcess> => {
    const { url = '' } = running[0] ?? {};
    const telegrams = { BOT_TOKEN: telegram.token, TELEGRAM_API_ROOT: telegram.url, API_URL: url };
    return startServerProcess(role, { ...env, PORT: port, ...(role === 'bot' ? telegrams : {}) });
  };
  const kill = async (index: number): Promise<void> => {
    const server = running[index];
    await server?.kill();
    logs.push(server?.log() ?? '');
  };

  async function killAtRandom(): Promise<void> {
    for (let number = 1; number <= plan.kills; number++) {
      await pause(200 + random() * 1800);
      const index = integer(random, 0, ROLES.length - 1);
      const role = ROLES[index] as Role;
      if (role === 'bot') botKills.push(performance.now());
      await kill(index);
      if (role === 'bot') telegram.forgetPauses();
      kills[role] = (kills[role] ?? 0) + 1;
      running[index] = await start(role, role === 'api' ? new URL(running[0]?.url ?? '').port : '0');
      say(`kill ${number}: ${role}; ${countEnded(telegram, sent)} of ${plan.photos} photos have ended`);
    }
  }

  const sent: SentPhoto[] = [];
  try {
    for (const role of ROLES) running.push(await start(role));
    for (const fault of FAULTS) telegram.fail({ times: Number.POSITIVE_INFINITY, ...fault });
    await Promise.all([killAtRandom(), sendAll(telegram, plan, sent)]);
    telegram.heal();
    say('no more faults');
    const until = performance.now() + PATIENCE_MS;
    const isOver = () => countEnded(telegram, sent) === sent.length && telegram.updates.pending() === 0;
    while (!isOver() && performance.now() < until) await pause(200);
    // Whatever would still come twice comes while a delivery is open.
    while (performance.now() < until && (await findStuck(env, folder)).length > 0) await pause(500);
  } finally {
    for (const index of running.keys()) await kill(index);
    await telegram.close();
  }
  const judged = judge(telegram, sent, botKills);
  const wrong = [
    ...judged.wrong,
    ...judged.ends.refusals.map((words) => `instead of a result: ${words}`),
    ...telegram.complaints(),
    ...(telegram.updates.pending() > 0 ? [`${telegram.updates.pending()} updates are unconfirmed`] : []),
    ...(logs.join('').includes(telegram.token.split(':')[1] ?? '') ? ['the token was printed'] : []),
    ...(await findStuck(env, folder)),
  ];
  const { calls } = telegram;
  return {
    kills,
    calls: {
      all: calls.length,
      refused: calls.filter(({ error }) => error !== undefined).length,
      lost: calls.filter(({ lost }) => lost).length,
    },
    ends: judged.ends,
    excusedDuplicates: judged.excused,
    wrong,
    seconds: Math.round((performance.now() - startedAt) / 1000),
  };
}

/** Photos alone, as files, and in albums, spread over the time of the kills. */
async function sendAll(telegram: FakeTelegram, plan: ChaosPlan, sent: SentPhoto[]): Promise<void> {
  const { users, photos, random, width: least } = plan;
  const each = Math.ceil(photos / users);
  const spreadMs = plan.kills * 2000;
  let next = least;
  const people = Array.from({ length: users }, (_, index) => telegram.person(index + 1));
  await Promise.all(
    people.map(async (person, index) => {
      const widths = Array.from({ length: Math.min(each, photos - index * each) }, () => next++);
      const pictures = await Promise.all(widths.map((width) => photo(width, HEIGHT)));
      await pause(random() * spreadMs * 0.6);
      if (index % 4 === 0) {
        const messages = await person.sendAlbum(pictures, { shuffle: random() < 0.5 });
        for (const [at, message] of messages.entries()) {
          sent.push({ person, message, width: widths[at] as number });
        }
        return;
      }
      for (const [at, picture] of pictures.entries()) {
        const message = await (index % 4 === 1 ? person.sendFile(picture) : person.sendPhoto(picture));
        sent.push({ person, message, width: widths[at] as number });
        await pause(random() * spreadMs * 0.15);
      }
    }),
  );
}

/** Messages that end a photo: its result, or words why there is none. Words with buttons are a status. */
function endsOf(telegram: FakeTelegram, { person, message, width }: SentPhoto): StoredMessage[] {
  return telegram.messages(person.chat, true).filter(({ document, caption, reply_to_message, ...rest }) => {
    if (document !== undefined) return caption?.startsWith(`${width}×`);
    return reply_to_message?.message_id === message.message_id && rest.reply_markup === undefined;
  });
}

function countEnded(telegram: FakeTelegram, sent: readonly SentPhoto[]): number {
  return sent.filter((one) => endsOf(telegram, one).length > 0).length;
}

/** Another message is excused if the answer to each before it was lost, on its way or with the bot that awaited it. */
function judge(telegram: FakeTelegram, sent: readonly SentPhoto[], botKills: readonly number[]) {
  const wrong: string[] = [];
  const ends = { results: 0, refusals: [] as string[] };
  let excused = 0;
  for (const one of sent) {
    const { person, message, width } = one;
    const messages = endsOf(telegram, one);
    const name = `the photo ${message.message_id} of ${person.user.id}, ${width} wide,`;
    const [first] = messages;
    if (first === undefined) {
      wrong.push(`${name} ended in nothing`);
      continue;
    }
    if (first.document === undefined) ends.refusals.push(first.text ?? '');
    else ends.results++;
    if (messages.length === 1) continue;
    if (messages.slice(0, -1).every((early) => wasLost(telegram, person, early, botKills))) excused++;
    else
      wrong.push(
        `${name} ended ${messages.length} times: ${tellCalls(telegram, person, messages, botKills)}`,
      );
  }
  for (const person of new Set(sent.map((one) => one.person))) {
    for (const status of telegram.messages(person.chat, true)) {
      if (status.reply_markup === undefined || status.document !== undefined) continue;
      // Nobody knows of a message whose answer was lost.
      if (!wasLost(telegram, person, status, botKills)) {
        wrong.push(`the status "${status.text}" was left with ${person.user.id}`);
      }
    }
  }
  return { wrong, ends, excused };
}

/** For whoever looks for the fault: when each was sent, in seconds, and when bots were killed around that time. */
function tellCalls(
  { calls }: FakeTelegram,
  { chat }: Person,
  messages: readonly StoredMessage[],
  botKills: readonly number[],
): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  const ids = new Set(messages.map(({ message_id: id }) => id));
  const sends = calls
    .filter(({ parameters }) => Number(parameters.chat_id) === chat.chat.id)
    .filter(({ messageIds }) => messageIds.some((id) => ids.has(id)))
    .map(({ method, at, lost }) => `${method} at ${seconds(at)}${lost ? ' (lost)' : ''}`);
  return [...sends, ...botKills.map((at) => `kill at ${seconds(at)}`)].join(', ');
}

function wasLost(
  telegram: FakeTelegram,
  { chat }: Person,
  { message_id: id }: StoredMessage,
  botKills: readonly number[],
): boolean {
  const call = telegram.calls.find(
    ({ messageIds, parameters }) => messageIds.includes(id) && Number(parameters.chat_id) === chat.chat.id,
  );
  if (call === undefined) return false;
  return call.lost || botKills.some((at) => at > call.at && at < call.at + TELLING_MS);
}

/** What the database still holds as unfinished. */
async function findStuck(env: Record<string, string>, folder: string): Promise<string[]> {
  const db = await openDatabase(readConfig(env, folder));
  try {
    const photos = await db.query<{ status: string; count: number }>(
      `select status, count(*)::int as count from upscales where status in ('queued', 'processing') group by status`,
    );
    const deliveries = await db.query<{ state: string; count: number }>(
      `select state, count(*)::int as count from deliveries where state not in ('sent', 'gone') group by state`,
    );
    return [
      ...photos.map(({ status, count }) => `${count} photos are ${status}`),
      ...deliveries.map(({ state, count }) => `${count} deliveries are ${state}`),
    ];
  } finally {
    await db.close();
  }
}
