/** Deliveries: who sends what, when, and never twice. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { createClient } from '../../src/client/client.ts';
import {
  createSenderClient,
  createUserClient,
  type NewDelivery,
  type SenderClient,
} from '../../src/client/telegram-client.ts';
import { API_ONLY, openTestService, photo, untilEnd } from '../helpers/api.ts';

const CHAT: Omit<NewDelivery, 'messageId'> = { chatId: 500, isGroup: false, sendAs: 'file', language: 'en' };
const LEASE = { max: 10, leaseSeconds: 60 };

async function open(t: TestContext, settings: Record<string, string> = {}, working = true) {
  const roles = working ? { api: true, worker: true } : API_ONLY;
  const { url } = await openTestService(t, settings, roles);
  const person = (id: number) => ({
    url,
    photos: createClient({ url, user: `telegram:${id}` }),
    user: createUserClient({ url, user: `telegram:${id}` }),
  });
  const sender = createSenderClient({ url });
  return { url, person, sender, anna: person(1), boris: person(2) };
}

async function leaseOne(sender: SenderClient, wait = 20) {
  const leased = await sender.leaseDeliveries({ max: 1, leaseSeconds: 60, wait });
  assert.equal(leased.length, 1);
  const [delivery] = leased;
  assert.ok(delivery);
  return delivery;
}

test('a result is leased once it is there, by one asker, until it is acknowledged', async (t) => {
  const { anna, sender } = await open(t);
  const { id } = await anna.photos.createUpscale(await photo(), { scale: 2 });
  const added = await anna.user.createDelivery({
    ...CHAT,
    messageId: 7,
    upscaleId: id,
    fileName: 'доска.jpg',
  });
  const twice = await anna.user.createDelivery({ ...CHAT, messageId: 7, upscaleId: id });
  assert.equal(twice.id, added.id, 'the same photo message is one delivery');
  const delivery = await leaseOne(sender);
  assert.deepEqual(
    [delivery.id, delivery.telegramId, delivery.chatId, delivery.attempts],
    [added.id, 1, 500, 1],
  );
  const [item] = delivery.items;
  assert.deepEqual([item?.messageId, item?.fileName, item?.upscale?.status], [7, 'доска.jpg', 'done']);
  assert.deepEqual(await sender.leaseDeliveries(LEASE), [], 'nobody else gets it');
  const stale = { lease: randomUUID(), outcome: 'sent' } as const;
  await assert.rejects(sender.ackDelivery(delivery.id, stale), { code: 'LEASE_LOST' });
  const sent = [{ messageId: 7, sentMessageId: 70 }];
  await sender.ackDelivery(delivery.id, { lease: delivery.lease, outcome: 'sent', sent });
  await assert.rejects(sender.ackDelivery(delivery.id, { lease: delivery.lease, outcome: 'sent' }), {
    code: 'LEASE_LOST',
  });
  assert.deepEqual(await sender.leaseDeliveries({ ...LEASE, wait: 0.1 }), []);
});

test('a delivery that failed comes back after the pause it asked for, with what is out already', async (t) => {
  const { anna, sender } = await open(t, {}, false);
  await anna.user.createDelivery({ ...CHAT, messageId: 7, errorCode: 'NOT_AN_IMAGE' });
  const first = await leaseOne(sender);
  const sent = [{ messageId: 7, sentMessageId: 70 }];
  await sender.ackDelivery(first.id, { lease: first.lease, outcome: 'partly', sent });
  await sender.ackDelivery(first.id, {
    lease: first.lease,
    outcome: 'retry',
    afterSeconds: 1,
    reason: '429',
  });
  assert.deepEqual(await sender.leaseDeliveries(LEASE), []);
  const again = await leaseOne(sender);
  assert.deepEqual([again.id, again.attempts, again.items[0]?.sentMessageId], [first.id, 2, 70]);
  assert.equal(again.items[0]?.errorCode, 'NOT_AN_IMAGE');
});

test('an outage or a pause of Telegram uses up no attempt; what fails twenty times is given up', async (t) => {
  const { anna, sender } = await open(t, {}, false);
  await anna.user.createDelivery({ ...CHAT, messageId: 7, errorCode: 'NOT_AN_IMAGE' });
  const fail = async (outcome: 'later' | 'retry') => {
    const { id, lease, attempts } = await leaseOne(sender);
    await sender.ackDelivery(id, { lease, outcome, afterSeconds: 0 });
    return attempts;
  };
  for (let time = 0; time < 25; time++) assert.equal(await fail('later'), 1);
  for (let time = 1; time <= 20; time++) assert.equal(await fail('retry'), time);
  assert.deepEqual(await sender.leaseDeliveries(LEASE), []);
  const admin = createUserClient({ url: anna.url });
  assert.equal((await admin.getQueue()).failedDeliveries.length, 1);
});

test('what is null stays null: photos without an album are delivered each by itself', async (t) => {
  const { anna, sender } = await open(t, {}, false);
  const single = { ...CHAT, threadId: null, albumId: null, fileName: null, errorCode: 'TIMEOUT' };
  for (const messageId of [7, 8]) await anna.user.createDelivery({ ...single, messageId });
  const leased = await sender.leaseDeliveries({ ...LEASE, wait: 5 });
  assert.deepEqual(
    leased.map(({ threadId, albumId, items }) => [threadId, albumId, items.map(({ fileName }) => fileName)]),
    [
      [null, null, [null]],
      [null, null, [null]],
    ],
  );
  const { settings } = await anna.user.patchMe({ scale: null, language: null });
  assert.deepEqual([settings.scale, settings.language], [null, null]);
});

test('an album is one delivery, in the order of its messages, when no photo has come for a while', async (t) => {
  const { anna, sender } = await open(t, {}, false);
  const album = { ...CHAT, albumId: 'a1', errorCode: 'IMAGE_BROKEN' } as const;
  const ids = await Promise.all(
    [9, 7, 8].map((messageId) => anna.user.createDelivery({ ...album, messageId })),
  );
  assert.equal(new Set(ids.map(({ id }) => id)).size, 1);
  assert.deepEqual(await sender.leaseDeliveries(LEASE), [], 'more may come');
  const delivery = await leaseOne(sender);
  assert.deepEqual(
    delivery.items.map(({ messageId }) => messageId),
    [7, 8, 9],
  );
  const late = await anna.user.createDelivery({ ...album, messageId: 10 });
  assert.notEqual(late.id, delivery.id, 'a late photo is delivered by itself');
});

test('whoever waits is told how it stands, at most every few seconds', async (t) => {
  const { anna, boris, sender } = await open(t, {}, false);
  for (const [number, { photos, user }] of [boris, anna].entries()) {
    const { id } = await photos.createUpscale(await photo(), { scale: 2 });
    await user.createDelivery({ ...CHAT, chatId: 500 + number, messageId: 7, upscaleId: id });
  }
  assert.deepEqual(await sender.leaseStatuses(10), [], 'the first seconds may be enough');
  const due: Awaited<ReturnType<SenderClient['leaseStatuses']>> = [];
  const startedAt = performance.now();
  while (due.length < 2 && performance.now() - startedAt < 20_000)
    due.push(...(await sender.leaseStatuses(10)));
  due.sort((a, b) => a.chatId - b.chatId);
  assert.deepEqual(
    due.map(({ chatId, total, ended, position, progress }) => [chatId, total, ended, position, progress]),
    [
      [500, 1, 0, 1, 0],
      [501, 1, 0, 2, 0],
    ],
  );
  const [status] = due;
  assert.ok(status);
  assert.ok(await sender.putStatus(status.id, 99));
  assert.deepEqual(await sender.leaseStatuses(10), []);
  await boris.user.cancelMine();
  const ended = await leaseOne(sender);
  assert.equal(await sender.putStatus(status.id, 101), false, 'who sends it now would not know of it');
  assert.deepEqual([ended.statusMessageId, ended.items[0]?.upscale?.status], [99, 'cancelled']);
  await sender.ackDelivery(ended.id, { lease: ended.lease, outcome: 'sent' });
  assert.equal(await sender.putStatus(status.id, 100), false, 'it has ended');
});

test('a lease goes on for as long as its holder says, and no longer', async (t) => {
  const { anna, sender } = await open(t, {}, false);
  await anna.user.createDelivery({ ...CHAT, messageId: 7, errorCode: 'NOT_AN_IMAGE' });
  const { id, lease } = await leaseOne(sender);
  await sender.ackDelivery(id, { lease, outcome: 'partly', leaseSeconds: 1 });
  const next = await leaseOne(sender);
  assert.deepEqual([next.id, next.attempts], [id, 2]);
  await assert.rejects(sender.ackDelivery(id, { lease, outcome: 'partly', leaseSeconds: 60 }), {
    code: 'LEASE_LOST',
  });
});

test('nobody reaches what is another’s, and users may not send', async (t) => {
  const { url, anna, boris, sender } = await open(t, {}, false);
  const { id } = await anna.photos.createUpscale(await photo());
  const mine = { ...CHAT, messageId: 7, upscaleId: id };
  await assert.rejects(boris.user.createDelivery(mine), { code: 'UPSCALE_NOT_FOUND' });
  await assert.rejects(boris.user.againUpscale(id, { idempotencyKey: 'x' }), { code: 'UPSCALE_NOT_FOUND' });
  await assert.rejects(boris.user.giveFeedback({ upscaleId: id, rating: 1 }), { code: 'UPSCALE_NOT_FOUND' });
  const { id: delivery } = await anna.user.createDelivery(mine);
  await assert.rejects(boris.user.cancelDelivery(delivery), { code: 'NOT_FOUND' });
  const asUser = createSenderClient({ url, user: 'telegram:2' } as { url: string });
  await assert.rejects(asUser.leaseDeliveries(LEASE), { code: 'FORBIDDEN' });
  await assert.rejects(asUser.leaseRecipients(1, 60), { code: 'FORBIDDEN' });
  await assert.rejects(asUser.markChatGone(500, 'x'), { code: 'FORBIDDEN' });
  for (const admins of [boris.user.getStatistics(1), boris.user.getQueue(), boris.user.unban(1)]) {
    await assert.rejects(admins, { code: 'FORBIDDEN' });
  }
  assert.equal(await anna.user.cancelDelivery(delivery), 1);
  assert.equal((await leaseOne(sender)).items[0]?.upscale?.status, 'cancelled');
});

test('exactly one of a result and an error is delivered', async (t) => {
  const { anna } = await open(t, {}, false);
  await assert.rejects(anna.user.createDelivery({ ...CHAT, messageId: 7 }), { code: 'INVALID_REQUEST' });
  const both = { ...CHAT, messageId: 7, upscaleId: randomUUID(), errorCode: 'TIMEOUT' };
  await assert.rejects(anna.user.createDelivery(both), { code: 'INVALID_REQUEST' });
});

test('what was erased is delivered as such', async (t) => {
  const { anna, sender } = await open(t);
  const { id } = await anna.photos.createUpscale(await photo());
  await untilEnd(anna.photos, id);
  await anna.user.createDelivery({ ...CHAT, messageId: 7, upscaleId: id });
  await anna.photos.deleteUpscale(id);
  assert.equal((await leaseOne(sender)).items[0]?.errorCode, 'EXPIRED');
});

test('a chat that is gone gets nothing more, one that has moved gets it there', async (t) => {
  const { anna, sender } = await open(t, {}, false);
  const refusal = { ...CHAT, errorCode: 'TIMEOUT' };
  await anna.user.createDelivery({ ...refusal, chatId: 1, messageId: 1 });
  await anna.user.createDelivery({ ...refusal, chatId: -2, isGroup: true, messageId: 2 });
  assert.equal(await sender.markChatGone(1, 'blocked'), 1);
  await sender.moveChat(-2, -1002);
  const left = await sender.leaseDeliveries({ ...LEASE, wait: 5 });
  assert.deepEqual(
    left.map(({ chatId }) => chatId),
    [-1002],
  );
});

test('settings are kept, data is handed out, and erasing leaves nothing', async (t) => {
  const { anna, sender } = await open(t, {}, false);
  const before = await anna.user.getMe();
  assert.deepEqual(before.settings, { scale: null, look: 'natural', sendAs: 'file', language: null });
  assert.deepEqual([before.isAdmin, before.ban], [false, null]);
  await anna.user.patchMe({ scale: 4, language: 'ru' });
  const { settings } = await anna.user.patchMe({ sendAs: 'photo' });
  assert.deepEqual(settings, { scale: 4, look: 'natural', sendAs: 'photo', language: 'ru' });
  await assert.rejects(anna.user.patchMe({ scale: 3 as 2 }), { code: 'INVALID_REQUEST' });
  const { id } = await anna.photos.createUpscale(await photo());
  await anna.user.createDelivery({ ...CHAT, messageId: 7, upscaleId: id });
  await anna.user.giveFeedback({ comment: 'большое спасибо' });
  const data = await anna.user.getMyData();
  assert.deepEqual(
    Object.entries(data).map(([kind, rows]) => [kind, rows.length]),
    [
      ['user', 1],
      ['upscales', 1],
      ['deliveries', 1],
      ['feedback', 1],
      ['rooms', 0],
      ['roomPictures', 0],
      ['photosADay', 1],
      ['events', 0],
    ],
  );
  await anna.user.deleteMe();
  await assert.rejects(anna.photos.getUpscale(id), { code: 'UPSCALE_NOT_FOUND' });
  assert.deepEqual(await sender.leaseDeliveries(LEASE), []);
  assert.equal((await anna.user.getMe()).settings.scale, null);
});

test('administrators ban and unban, and see what was given up', async (t) => {
  const { person, anna } = await open(t, { ADMIN_IDS: '9' }, false);
  const admin = person(9).user;
  assert.ok((await admin.getMe()).isAdmin);
  await admin.ban({ telegramId: 1, reason: 'spam' });
  await assert.rejects(anna.photos.createUpscale(await photo()), { code: 'BANNED' });
  assert.equal((await anna.user.getMe()).ban?.reason, 'spam');
  await admin.unban(1);
  await anna.photos.createUpscale(await photo());
  await admin.ban({ telegramId: 1, until: '2020-01-01T00:00:00Z' });
  assert.equal((await anna.user.getMe()).ban, null, 'a ban that is over');
  await assert.rejects(admin.unban(12_345), { code: 'NOT_FOUND' });
  const queue = await admin.getQueue();
  assert.deepEqual([queue.queued, queue.dead, queue.failedDeliveries], [1, [], []]);
  const { users, photos } = await admin.getStatistics(1);
  assert.deepEqual([users.all, users.active, photos.open], [2, 1, 1]);
  const { events = [] } = await admin.getMyData();
  assert.deepEqual(
    events.map((event) => [(event as { kind: string }).kind, (event as { data: object }).data]),
    [
      ['ban', { telegramId: 1 }],
      ['unban', { telegramId: 1 }],
      ['ban', { telegramId: 1 }],
    ],
    'what administrators do leaves a trace',
  );
});

test('a broadcast reaches everybody once, stops and goes on', async (t) => {
  const { person, sender } = await open(t, { ADMIN_IDS: '9' }, false);
  const admin = person(9).user;
  for (const id of [1, 2, 3, 9]) await person(id).user.getMe();
  await person(2).user.patchMe({ language: 'ru' });
  await sender.markChatGone(3, 'blocked');
  const draft = await admin.createBroadcast({ en: 'Hello', ru: 'Привет' });
  assert.deepEqual([draft.state, draft.waiting], ['draft', 3]);
  assert.deepEqual(await sender.leaseRecipients(10, 60), [], 'a draft is sent to nobody');
  await admin.startBroadcast(draft.id);
  const [first] = await sender.leaseRecipients(1, 60);
  assert.ok(first);
  await sender.ackRecipient(draft.id, { telegramId: first.telegramId, outcome: 'sent' });
  await admin.stopBroadcast(draft.id);
  assert.deepEqual(await sender.leaseRecipients(10, 60), []);
  await admin.startBroadcast(draft.id);
  const rest = await sender.leaseRecipients(10, 60);
  assert.deepEqual(new Set([first, ...rest].map(({ telegramId }) => telegramId)), new Set([1, 2, 9]));
  assert.equal([first, ...rest].find(({ telegramId }) => telegramId === 2)?.language, 'ru');
  assert.deepEqual(await sender.leaseRecipients(10, 60), [], 'each is leased to one');
  for (const { telegramId } of rest) await sender.ackRecipient(draft.id, { telegramId, outcome: 'gone' });
  const empty = await admin.createBroadcast({ en: 'Again', ru: 'Снова' });
  for (const id of [1, 2, 9]) await sender.ackRecipient(empty.id, { telegramId: id, outcome: 'gone' });
  assert.equal((await admin.startBroadcast(empty.id)).state, 'done', 'nobody is left to send it to');
  const { state, sent, gone } = await admin.getBroadcast(draft.id);
  assert.deepEqual([state, sent, gone], ['done', 1, 2]);
});

test('a result is made to fit where it is sent', async (t) => {
  const { anna } = await open(t);
  const { id } = await anna.photos.createUpscale(await photo(300, 200), { scale: 2, format: 'png' });
  const { output } = await untilEnd(anna.photos, id);
  const whole = await anna.photos.getResult(id, { maxSideSum: 1000 });
  assert.deepEqual([whole.type, whole.bytes], ['image/png', output?.bytes]);
  await whole.body.cancel();
  const preview = await anna.photos.getResult(id, { maxSide: 32 });
  assert.equal(preview.type, 'image/jpeg');
  await preview.body.cancel();
  const small = await anna.photos.getResult(id, { maxBytes: 12_000 });
  assert.ok(small.bytes <= 12_000);
  await small.body.cancel();
});
