/** Kills bot, API and worker at random while users send photos and Telegram misbehaves: `npm run bot-chaos -- --help`. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { encode } from '../src/engine/image-codec.ts';
import { openPostgres } from '../src/storage/postgres-database.ts';
import { createPostgresDatabase } from '../test/helpers/database.ts';
import { drawBoard } from '../test/helpers/pictures.ts';
import { type ServerProcess, startServerProcess } from '../test/helpers/server-process.ts';
import { FAKE_TOKEN, startFakeTelegram } from '../test/telegram/fake-telegram.ts';

const HELP = `scripts/with-postgres.sh npm run bot-chaos [-- options]: api, worker and bot as processes, killed -9

  --users 20 --photos 60    photos in all
  --kills 30                of a random role, each started again at once
  --seed 1
  --minutes 6               give up after that
`;
const ROLES = ['api', 'worker', 'bot'] as const;

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '20' },
    photos: { type: 'string', default: '60' },
    kills: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '6' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}

let state = Number(values.seed);
const random = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};
const [users, photos, kills] = [Number(values.users), Number(values.photos), Number(values.kills)];
const deadline = performance.now() + Number(values.minutes) * 60_000;
const complaints: string[] = [];
const check = (held: boolean, complaint: string): void => void (held || complaints.push(complaint));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const folder = mkdtempSync(join(tmpdir(), 'boardsharp-chaos-'));
const database = await createPostgresDatabase();
const telegram = await startFakeTelegram({ random });
const port = await freePort();
const common = { DATA_DIR: folder, DATABASE_URL: database.url };
const settings = {
  api: { ...common, PORT: String(port) },
  worker: common,
  bot: { BOT_TOKEN: FAKE_TOKEN, TELEGRAM_API_ROOT: telegram.url, API_URL: `http://127.0.0.1:${port}` },
};
const running = new Map<string, ServerProcess>();
let printed = '';
const killed = { api: 0, worker: 0, bot: 0 };
try {
  for (const role of ROLES) running.set(role, await startServerProcess(role, settings[role]));
  const startedAt = performance.now();
  misbehave();
  const sent = await Promise.all([sendPhotos(), killRoles()]).then(([messages]) => messages);
  telegram.heal();
  await untilQuiet(sent);
  say(`${photos} photos of ${users} users, ${kills} kills, seed ${values.seed}: ${seconds(startedAt)}`);
  await judge(sent);
} finally {
  for (const role of running.values()) {
    await role.stop();
    printed += role.log();
  }
  check(!printed.includes(FAKE_TOKEN.split(':')[1] ?? ''), 'the token was printed');
  await telegram.close();
  await database.remove();
  rmSync(folder, { recursive: true, force: true });
}
for (const complaint of complaints) say(`WRONG: ${complaint}`);
process.exit(complaints.length === 0 ? 0 : 1);

function misbehave(): void {
  const always = 1_000_000;
  telegram.fail({ kind: 429, retryAfter: 1, percent: 3, times: always });
  telegram.fail({ kind: 500, percent: 3, times: always });
  telegram.fail({ kind: 'lost', percent: 3, times: always });
  telegram.fail({ kind: 'cut', percent: 2, delayMs: 700, times: always });
  telegram.fail({ kind: 'html', percent: 2, times: always });
  telegram.fail({ method: 'getUpdates', kind: 'cut', percent: 5, times: always });
  telegram.fail({ method: 'file', kind: 'cut', percent: 5, times: always });
}

interface SentPhoto {
  readonly chatId: number;
  readonly messageId: number;
}

async function sendPhotos(): Promise<SentPhoto[]> {
  const sent: SentPhoto[] = [];
  for (let number = 0; number < photos; number++) {
    const person = telegram.person(1000 + (number % users), number % 2 === 0 ? 'en' : 'ru');
    const bytes = await encode(drawBoard(48 + (number % 9), 36, random), 'jpeg');
    const message = await person.sendPhoto(bytes);
    sent.push({ chatId: message.chat.id, messageId: message.message_id });
    await pause(400 * random());
  }
  return sent;
}

async function killRoles(): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    await pause(200 + 900 * random());
    const role = ROLES[Math.floor(random() * ROLES.length)] as (typeof ROLES)[number];
    const victim = running.get(role);
    await victim?.kill();
    killed[role]++;
    printed += victim?.log() ?? '';
    running.set(role, await startServerProcess(role, settings[role]));
  }
}

/** What the bot has said in reply to a photo that is not how it stands. */
function ends({ chatId, messageId }: SentPhoto): number {
  const chat = telegram.state.chats.get(chatId);
  if (chat === undefined) return 0;
  const replies = telegram
    .messages(chat, true)
    .filter((message) => message.reply_to_message?.message_id === messageId);
  return replies.filter(({ document, photo, reply_markup: markup }) => document ?? photo ?? !markup).length;
}

async function untilQuiet(sent: readonly SentPhoto[]): Promise<void> {
  while (performance.now() < deadline) {
    if (sent.every((photo) => ends(photo) > 0) && telegram.updates.pending() === 0) return;
    await pause(200);
  }
  complaints.push('the time is over');
}

async function judge(sent: readonly SentPhoto[]): Promise<void> {
  // What is still open now would be sent twice later.
  await pause(3000);
  const counts = sent.map(ends);
  const missing = counts.filter((count) => count === 0).length;
  const twice = counts.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
  const lost = telegram.calls.filter(
    ({ method, lost }) => lost && /^send(Document|Photo|Message)$/.test(method),
  ).length;
  const errors = sent.filter((photo) => !hasResult(photo)).length;
  const db = openPostgres(database.url);
  const [rows] = await db.query<{ upscales: number; open: number; deliveries: number }>(
    `select (select count(*)::int from upscales) as upscales,
       (select count(*)::int from upscales where status in ('queued', 'processing')) as open,
       (select count(*)::int from deliveries where state = 'open') as deliveries`,
  );
  await db.close();
  const status = sent.reduce((sum, photo) => sum + statusesLeft(photo), 0);
  say(
    `terminal messages: ${photos - missing} of ${photos}, ${twice} sent twice (answers lost: ${lost}, bots killed: ${killed.bot})`,
  );
  say(`results ${photos - errors}, error messages ${errors}, status messages left behind ${status}`);
  say(`upscales ${rows?.upscales}, open ${rows?.open}, deliveries open ${rows?.deliveries}`);
  say(`updates not confirmed: ${telegram.updates.pending()}; calls of Telegram: ${telegram.calls.length}`);
  check(missing === 0, `${missing} photos have no terminal message`);
  check(twice <= lost + killed.bot, `${twice} photos ended twice`);
  check(rows?.upscales === photos, 'not every photo is one upscale');
  check(rows?.open === 0 && rows.deliveries === 0, 'something is stuck');
  check(
    errors === 0,
    `${errors} photos ended with an error: ${words(sent.filter((photo) => !hasResult(photo)))}`,
  );
  for (const complaint of telegram.complaints()) complaints.push(complaint);
}

function hasResult({ chatId, messageId }: SentPhoto): boolean {
  const chat = telegram.state.chats.get(chatId);
  return (
    chat !== undefined &&
    telegram
      .messages(chat, true)
      .some(({ document, reply_to_message: to }) => document !== undefined && to?.message_id === messageId)
  );
}

function words(photos: readonly SentPhoto[]): string {
  const said = photos.flatMap(({ chatId, messageId }) =>
    [...(telegram.state.chats.get(chatId)?.messages.values() ?? [])]
      .filter(({ reply_to_message: to }) => to?.message_id === messageId)
      .map(({ text }) => text),
  );
  return said.join(' | ');
}

function statusesLeft({ chatId, messageId }: SentPhoto): number {
  const chat = telegram.state.chats.get(chatId);
  if (chat === undefined) return 0;
  return telegram
    .messages(chat, true)
    .filter(
      ({ text, reply_markup: markup, reply_to_message: to }) =>
        text !== undefined && markup !== undefined && to?.message_id === messageId,
    ).length;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => probe.once('listening', done));
  const { port: free } = probe.address() as AddressInfo;
  await new Promise((done) => probe.close(done));
  return free;
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
