/** One picture for a room of three hundred: Telegram's rates, its refusals, and a bot that is killed in the middle. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createClient } from '../../src/client/client.ts';
import { createRoomClient } from '../../src/client/room-client.ts';
import { openTestService, photo, untilEnd } from '../helpers/api.ts';
import { seededRandom } from '../helpers/seed.ts';
import { type ServerProcess, startServerProcess } from '../helpers/server-process.ts';
import { type FakeTelegram, startFakeTelegram } from '../telegram/fake-telegram.ts';
import { eventually } from '../telegram/meeting.ts';

const MEMBERS = 300;
/** One in so many has blocked the bot. */
const BLOCKED_EVERY = 20;
/** A bot that is killed this soon after Telegram's answer may not have told the API of it. */
const TELLING_MS = 3000;

type Person = ReturnType<FakeTelegram['person']>;

/** A room of many, a result of its owner's, and a bot in a process of its own. */
async function open(t: TestContext) {
  const random = seededRandom(t);
  const telegram = await startFakeTelegram({ random });
  t.after(() => telegram.close());
  const { url } = await openTestService(t, { RATE_LIMIT: '0' });
  const owner = { url, user: 'telegram:1' };
  telegram.person(1);
  const room = await createRoomClient(owner).createRoom({ title: 'Hall', name: 'Owner', language: 'ru' });
  const members: Person[] = [];
  for (let at = 0; at < MEMBERS; at++) {
    const person = telegram.person(1000 + at);
    members.push(person);
    await createRoomClient({ url, user: `telegram:${person.user.id}` }).joinRoom({
      ...{ code: room.code, name: `M${at}`, language: 'en' },
    });
    if (at % BLOCKED_EVERY === BLOCKED_EVERY - 1) person.block();
  }
  const photos = createClient(owner);
  const { id } = await photos.createUpscale(await photo(), { scale: 2 });
  await untilEnd(photos, id);
  const startBot = () =>
    startServerProcess('bot', { BOT_TOKEN: telegram.token, TELEGRAM_API_ROOT: telegram.url, API_URL: url });
  const share = () => createRoomClient(owner).shareToRoom(room.id, { upscaleIds: [id] });
  const reached = members.filter((_, at) => at % BLOCKED_EVERY !== BLOCKED_EVERY - 1);
  const got = ({ chat }: Person): number =>
    [...chat.messages.values()].filter(({ caption }) => caption === 'Room Hall').length;
  const have = (): number => reached.filter((person) => got(person) > 0).length;
  return { telegram, startBot, share, reached, got, have };
}

/** Started, and about to send: it has told who it is, and waits. */
async function stopAfter(t: TestContext, bot: ServerProcess): Promise<void> {
  t.after(() => bot.kill());
}

test('it reaches all within Telegram’s rates, through refusals, past those who have blocked the bot', async (t) => {
  const { telegram, startBot, share, reached, got, have } = await open(t);
  await stopAfter(t, await startBot());
  telegram.fail({
    method: 'sendDocument',
    percent: 3,
    times: Number.POSITIVE_INFINITY,
    kind: 429,
    retryAfter: 1,
  });
  const startedAt = performance.now();
  assert.deepEqual(await share(), { pictures: 1, people: MEMBERS });
  await eventually(() => have() === reached.length, `only ${have()} have it`, 60_000);
  const sendings = telegram.calls.filter(({ method }) => method === 'sendDocument');
  const lastMs = Math.max(...sendings.map(({ at }) => at)) - startedAt;
  const refused = sendings.filter(({ error }) => /Too Many/.test(error ?? '')).length;
  t.diagnostic(
    `${reached.length} of ${MEMBERS} after ${(lastMs / 1000).toFixed(1)} s; ${sendings.length} requests, ${refused} refused ` +
      `for a second; at 30 a second: ${((sendings.length - 1) / 30).toFixed(1)} s`,
  );
  assert.ok(refused > 0, 'some were refused at first');
  assert.deepEqual(
    reached.filter((person) => got(person) !== 1),
    [],
  );
  const uploads = sendings.filter(
    ({ parameters, error }) => error === undefined && typeof parameters.document !== 'string',
  );
  assert.equal(uploads.length, 1, 'the others get it by its name');
  assert.deepEqual(telegram.complaints(), []);
});

test('a bot killed in the middle: nobody is missed, nobody twice save for lost answers', async (t) => {
  const { telegram, startBot, share, reached, got, have } = await open(t);
  const bot = await startBot();
  await share();
  await eventually(() => have() > MEMBERS / 3, 'it does not begin', 60_000);
  const killedAt = performance.now();
  await bot.kill();
  telegram.forgetPauses();
  const before = have();
  await stopAfter(t, await startBot());
  await eventually(() => have() === reached.length, `only ${have()} have it`, 90_000);
  const timesOf = ({ chat }: Person) =>
    telegram.calls
      .filter(
        ({ method, parameters, messageIds }) =>
          method === 'sendDocument' && Number(parameters.chat_id) === chat.chat.id && messageIds.length > 0,
      )
      .map(({ at }) => at);
  const twice = reached.filter((person) => got(person) > 1);
  t.diagnostic(`killed when ${before} had it; ${twice.length} got it twice`);
  for (const person of twice) {
    const [first = 0] = timesOf(person);
    assert.ok(got(person) === 2 && killedAt - first < TELLING_MS, 'its answer had long arrived');
  }
});
