/** Rooms: who may do what, and everybody who may not, tried one by one. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createClient } from '../../src/client/client.ts';
import { createRoomClient, createRoomSenderClient, type RoomState } from '../../src/client/room-client.ts';
import { createSenderClient, createUserClient } from '../../src/client/telegram-client.ts';
import { openTestService, photo, untilEnd } from '../helpers/api.ts';

const LEASE = { max: 50, leaseSeconds: 60 };
const NOT_THERE = { code: 'ROOM_NOT_FOUND' };
const FORBIDDEN = { code: 'FORBIDDEN' };

interface Gallery {
  readonly version: string;
  readonly pictures: readonly { readonly id: string }[];
}

async function open(t: TestContext, settings: Record<string, string> = {}) {
  const { url } = await openTestService(t, settings);
  const person = (id: number) => {
    const options = { url, user: `telegram:${id}` };
    const [photos, user, rooms] = [
      createClient(options),
      createUserClient(options),
      createRoomClient(options),
    ];
    return {
      ...{ id, photos, user, rooms },
      /** A result of theirs. */
      async result(): Promise<string> {
        const { id: upscale } = await photos.createUpscale(await photo(), { scale: 2 });
        assert.equal((await untilEnd(photos, upscale)).status, 'done');
        return upscale;
      },
      create: (title = 'Analysis') => rooms.createRoom({ title, name: `P${id}`, language: 'en' }),
      join: ({ code }: { code: string }) => rooms.joinRoom({ code, name: `P${id}`, language: 'en' }),
    };
  };
  const people = {
    owner: person(1),
    moderator: person(2),
    anna: person(3),
    boris: person(4),
    stranger: person(5),
  };
  const gallery = async (code: string, query = '') => {
    const response = await fetch(`${url}/v1/gallery/${code}${query}`);
    return { status: response.status, body: (await response.json()) as Gallery };
  };
  return { url, ...people, person, sender: createRoomSenderClient({ url }), gallery };
}

/** A room with an owner, a moderator and two members. */
async function openRoom(t: TestContext, settings: Record<string, string> = {}) {
  const all = await open(t, settings);
  const { owner, moderator, anna, boris } = all;
  const room = await owner.create();
  for (const one of [moderator, anna, boris]) await one.join(room);
  const members = await owner.rooms.listMembers(room.id);
  const idOf = (name: string) => members.find((member) => member.name === name)?.memberId ?? '';
  await owner.rooms.putRole(room.id, idOf('P2'), 'moderator');
  return { ...all, room, idOf };
}

test('a code has 128 random bits, opens the room, and says before joining what it leads to', async (t) => {
  const { owner, anna, person, gallery } = await open(t);
  const room = await owner.create('Матанализ');
  assert.match(room.code, /^[\w-]{22}$/);
  assert.deepEqual(await anna.rooms.getDoor(room.code), {
    ...{ title: 'Матанализ', members: 1, isGroup: false, isMember: false },
  });
  const joined = await anna.join(room);
  assert.deepEqual(
    [joined.role, joined.shares, joined.receives, joined.members],
    ['member', 'ask', 'each', 2],
  );
  assert.equal((await anna.join(room)).members, 2, 'who is in it stays in it once');
  const codes = new Set<string>();
  for (let at = 10; at < 30; at++) codes.add((await person(at).create()).code);
  assert.equal(codes.size, 20);
  assert.equal((await gallery(room.code)).status, 200);
});

test('what is no code opens nothing, and trying many is stopped', async (t) => {
  const { owner, anna, gallery } = await open(t);
  const { code } = await owner.create();
  const changed = `${code.slice(0, -1)}${code.endsWith('A') ? 'B' : 'A'}`;
  for (const wrong of [
    changed,
    code.toLowerCase(),
    code.slice(0, 21),
    `${code}A`,
    "'or 1=1--",
    'a'.repeat(100),
  ]) {
    if (wrong === code) continue;
    await assert.rejects(anna.join({ code: decodeURIComponent(wrong) }), NOT_THERE, wrong);
    assert.equal((await gallery(encodeURIComponent(decodeURIComponent(wrong)))).status, 404, wrong);
  }
  assert.equal((await gallery('%00')).status, 400, 'no database takes it for text');
  await assert.rejects(anna.join({ code: '\0' }), { code: 'INVALID_REQUEST' });
  const answers = await Promise.all(Array.from({ length: 80 }, (_, at) => gallery(`wrong${at}`)));
  assert.ok(answers.some(({ status }) => status === 429));
  assert.equal((await gallery(code)).status, 200, 'who has the code is not in their way');
});

test('to strangers a room is not there, whatever they ask', async (t) => {
  const { stranger, anna, owner, room, idOf } = await openRoom(t);
  const result = await anna.result();
  await anna.rooms.shareToRoom(room.id, { upscaleIds: [result] });
  const own = await stranger.result();
  const { rooms } = stranger;
  for (const [what, work] of Object.entries({
    get: () => rooms.getRoom(room.id),
    rename: () => rooms.renameRoom(room.id, 'mine'),
    close: () => rooms.closeRoom(room.id),
    rotate: () => rooms.rotateRoomCode(room.id),
    wishes: () => rooms.patchRoomWishes(room.id, { shares: 'always' }),
    leave: () => rooms.leaveRoom(room.id),
    members: () => rooms.listMembers(room.id),
    promote: () => rooms.putRole(room.id, idOf('P3'), 'moderator'),
    remove: () => rooms.removeMember(room.id, idOf('P3')),
    share: () => rooms.shareToRoom(room.id, { upscaleIds: [own] }),
    unreal: () => rooms.getRoom('no-uuid'),
  })) {
    await assert.rejects(work, NOT_THERE, what);
  }
  assert.deepEqual(await rooms.listRooms(), []);
  assert.equal((await owner.rooms.getRoom(room.id)).title, 'Analysis');
});

test('members, moderators and the owner each may what is theirs, and no more', async (t) => {
  const { owner, moderator, anna, boris, room, idOf } = await openRoom(t);
  for (const work of [
    () => anna.rooms.renameRoom(room.id, 'mine'),
    () => anna.rooms.closeRoom(room.id),
    () => anna.rooms.rotateRoomCode(room.id),
    () => anna.rooms.listMembers(room.id),
    () => anna.rooms.putRole(room.id, idOf('P3'), 'moderator'),
    () => anna.rooms.removeMember(room.id, idOf('P4')),
    () => moderator.rooms.renameRoom(room.id, 'mine'),
    () => moderator.rooms.closeRoom(room.id),
    () => moderator.rooms.putRole(room.id, idOf('P3'), 'moderator'),
    () => moderator.rooms.removeMember(room.id, idOf('P1')),
    () => moderator.rooms.removeMember(room.id, idOf('P2')),
    () => owner.rooms.removeMember(room.id, idOf('P1')),
    () => owner.rooms.putRole(room.id, idOf('P1'), 'member'),
  ]) {
    await assert.rejects(work, FORBIDDEN);
  }
  await assert.rejects(owner.rooms.leaveRoom(room.id), { code: 'ROOM_OWNER' });
  await assert.rejects(owner.rooms.removeMember(room.id, room.id), { code: 'NOT_FOUND' });
  assert.equal((await owner.rooms.renameRoom(room.id, ' Algebra ')).title, 'Algebra');
  assert.equal((await moderator.rooms.listMembers(room.id)).length, 4);
  await boris.rooms.leaveRoom(room.id);
  await assert.rejects(boris.rooms.getRoom(room.id), NOT_THERE);
  const { code } = await owner.rooms.getRoom(room.id);
  assert.equal((await boris.join({ code })).members, 4, 'who left may come back');
  await owner.rooms.closeRoom(room.id);
  await assert.rejects(anna.rooms.getRoom(room.id), NOT_THERE);
});

test('a removed member sees nothing more: no picture, no page, and no way back', async (t) => {
  const { owner, moderator, anna, boris, room, idOf, gallery, url, sender } = await openRoom(t);
  const result = await boris.result();
  await boris.rooms.shareToRoom(room.id, { upscaleIds: [result] });
  const { body } = await gallery(room.code);
  const [picture] = body.pictures;
  const paths = ['', `/pictures/${picture?.id}/result`, `/pictures/${picture?.id}/original`].concat(
    `/pictures/${picture?.id}/preview`,
    ...['/zip', '/pdf', '/qr'],
  );
  const statuses = (code: string) =>
    Promise.all(paths.map(async (path) => (await fetch(`${url}/v1/gallery/${code}${path}`)).status));
  assert.deepEqual(new Set(await statuses(room.code)), new Set([200]));
  // Somebody who waits at the page at this moment is shown out too.
  const waiting = gallery(room.code, `?wait=30&version=${body.version}`);
  const renewed = await moderator.rooms.removeMember(room.id, idOf('P3'));
  assert.equal((await waiting).status, 404);
  assert.notEqual(renewed.code, room.code);
  assert.deepEqual(new Set(await statuses(room.code)), new Set([404]), 'with the code they had');
  assert.deepEqual(new Set(await statuses(renewed.code)), new Set([200]));
  for (const { code } of [room, renewed]) {
    await assert.rejects(anna.join({ code }), {
      code: code === room.code ? 'ROOM_NOT_FOUND' : 'ROOM_EXILED',
    });
  }
  await assert.rejects(anna.rooms.getRoom(room.id), NOT_THERE);
  await assert.rejects(anna.rooms.shareToRoom(room.id, { upscaleIds: [await anna.result()] }), NOT_THERE);
  const recipients = (await sender.leaseSends(LEASE)).map(({ chatId }) => chatId).sort();
  assert.ok(!recipients.includes(anna.id), 'what waited for them is not sent');
  assert.ok((await owner.rooms.listRooms())[0]);
});

test('only one’s own results are shared, and each once', async (t) => {
  const { anna, boris, room } = await openRoom(t);
  const result = await anna.result();
  await assert.rejects(boris.rooms.shareToRoom(room.id, { upscaleIds: [result] }), {
    code: 'UPSCALE_NOT_FOUND',
  });
  await assert.rejects(boris.rooms.shareToRoom(room.id, { message: { chatId: 3, messageId: 1 } }), {
    code: 'UPSCALE_NOT_FOUND',
  });
  assert.deepEqual(await anna.rooms.shareToRoom(room.id, { upscaleIds: [result] }), {
    pictures: 1,
    people: 3,
  });
  assert.deepEqual(await anna.rooms.shareToRoom(room.id, { upscaleIds: [result] }), {
    pictures: 0,
    people: 0,
  });
});

test('the first recipient uploads, the others get it by its name; leases are one asker’s', async (t) => {
  const { anna, room, sender } = await openRoom(t);
  await anna.rooms.shareToRoom(room.id, { upscaleIds: [await anna.result()] });
  const [first, ...more] = await sender.leaseSends(LEASE);
  assert.ok(first);
  assert.equal(more.length, 0, 'nobody else uploads meanwhile');
  assert.deepEqual(await sender.leaseSends(LEASE), []);
  const pictureId = first.pictures[0]?.pictureId ?? '';
  assert.equal(first.pictures[0]?.fileId, null);
  assert.ok((await sender.getRoomPicture(pictureId, { maxBytes: 1e6 })).length > 100);
  const message = { pictureId, messageId: 70, fileId: 'FILE', fileKind: 'document' as const };
  const ack = { lease: first.lease, chatId: first.chatId, messages: [message] };
  await sender.ackSend(first.id, { ...ack, outcome: 'sent' });
  await assert.rejects(sender.ackSend(first.id, { ...ack, outcome: 'sent' }), { code: 'LEASE_LOST' });
  const others = await sender.leaseSends(LEASE);
  assert.deepEqual(
    others.map(({ pictures }) => pictures[0]?.fileId),
    ['FILE', 'FILE'],
  );
  assert.deepEqual([first.chatId, ...others.map(({ chatId }) => chatId)].sort(), [1, 2, 4]);
  const [one, two] = others;
  assert.ok(one && two);
  await sender.ackSend(two.id, { lease: two.lease, outcome: 'gone' });
  await sender.ackSend(one.id, { lease: one.lease, outcome: 'retry', afterSeconds: 0, forgetFiles: true });
  const again = await sender.leaseSends(LEASE);
  assert.deepEqual(
    again.map(({ id, attempts, pictures }) => [id, attempts, pictures[0]?.fileId]),
    [[one.id, 2, null]],
  );
});

test('nothing, a digest, and leaving are respected', async (t) => {
  const { owner, moderator, anna, boris, room, sender } = await openRoom(t);
  await owner.rooms.patchRoomWishes(room.id, { receives: 'nothing' });
  await moderator.rooms.patchRoomWishes(room.id, { receives: 'digest' });
  const shared = await anna.rooms.shareToRoom(room.id, { upscaleIds: [await anna.result()] });
  assert.deepEqual(shared, { pictures: 1, people: 2 });
  await boris.rooms.leaveRoom(room.id);
  assert.deepEqual(await sender.leaseSends(LEASE), [], 'a digest waits, who has left gets nothing');
});

test('pictures are removed by who shared them, moderators and the owner, by nobody else', async (t) => {
  const { owner, moderator, anna, boris, stranger, room, gallery, sender } = await openRoom(t);
  const shown = async () => (await gallery(room.code)).body.pictures;
  const upscaleIds = [await anna.result(), await anna.result(), await anna.result()];
  await anna.rooms.shareToRoom(room.id, { upscaleIds });
  const [first, second, third] = await shown();
  assert.ok(first && second && third);
  await assert.rejects(boris.rooms.removePicture(first.id), FORBIDDEN);
  await assert.rejects(stranger.rooms.removePicture(first.id), { code: 'NOT_FOUND' });
  // One has gone out: it is taken back there.
  const [send] = await sender.leaseSends(LEASE);
  assert.ok(send);
  const messages = send.pictures.map(({ pictureId }, at) => ({
    ...{ pictureId, messageId: 70 + at, fileId: null, fileKind: null },
  }));
  await sender.ackSend(send.id, { lease: send.lease, outcome: 'sent', chatId: send.chatId, messages });
  const asBoris = { chatId: send.chatId, messageId: 70 };
  await assert.rejects(stranger.rooms.removeByMessage(asBoris), { code: 'NOT_FOUND' });
  await assert.rejects(stranger.rooms.reportByMessage(asBoris), { code: 'NOT_FOUND' });
  await assert.rejects(boris.rooms.removeByMessage(asBoris), FORBIDDEN);
  assert.equal(await boris.rooms.reportByMessage(asBoris), 1);
  await anna.rooms.removePicture(first.id);
  await moderator.rooms.removePicture(second.id);
  assert.equal(await owner.rooms.removeByMessage({ chatId: send.chatId, messageId: 72 }), 1);
  assert.deepEqual(await shown(), []);
  const { deletions, reports } = await sender.leaseChores(LEASE);
  assert.deepEqual(deletions.map(({ messageId }) => messageId).sort(), [70, 71, 72]);
  assert.equal(reports.length, 1);
  const [one, two] = deletions;
  assert.ok(one && two);
  await sender.settleChore({ deletion: { sendId: one.sendId, pictureId: one.pictureId } });
  await sender.settleChore({ deletion: { sendId: two.sendId, pictureId: two.pictureId, afterSeconds: 0 } });
  await sender.settleChore({ reportId: reports[0]?.reportId ?? '' });
  const later = await sender.leaseChores(LEASE);
  assert.deepEqual([later.deletions.map(({ messageId }) => messageId), later.reports], [[two.messageId], []]);
  const rest = await sender.leaseSends(LEASE);
  assert.ok(
    rest.every(({ pictures }) => pictures.length === 0),
    'what was removed is not sent',
  );
});

test('who erases a result takes it out of rooms', async (t) => {
  const { anna, room, gallery } = await openRoom(t);
  const result = await anna.result();
  await anna.rooms.shareToRoom(room.id, { upscaleIds: [result] });
  await anna.photos.deleteUpscale(result);
  assert.deepEqual((await gallery(room.code)).body.pictures, []);
});

test('who is banned makes, joins and fills no room; administrators close any', async (t) => {
  const { anna, owner, boris, room } = await openRoom(t, { ADMIN_IDS: '1,9' });
  const result = await anna.result();
  await owner.user.ban({ telegramId: 3 });
  for (const work of [
    () => anna.create(),
    () => anna.join(room),
    () => anna.rooms.shareToRoom(room.id, { upscaleIds: [result] }),
  ]) {
    await assert.rejects(work, { code: 'BANNED' });
  }
  const theirs = await boris.create('Boris');
  await owner.rooms.closeRoom(theirs.id);
  await assert.rejects(boris.rooms.getRoom(theirs.id), NOT_THERE);
});

test('the lane of rooms is for services, not for users', async (t) => {
  const { anna, room, url } = await openRoom(t);
  const { pictures } = await anna.rooms.shareToRoom(room.id, { upscaleIds: [await anna.result()] });
  assert.equal(pictures, 1);
  const asUser = { 'Boardsharp-User': 'telegram:3', 'Content-Type': 'application/json' };
  for (const [method, path] of [
    ['POST', 'room-sends/lease'],
    ['POST', 'room-chores/lease'],
    ['PUT', 'bot'],
    ['GET', `room-pictures/${room.id}/result`],
  ] as const) {
    const body = { PUT: '{"username":"evil"}', POST: '{"max":1,"leaseSeconds":10}', GET: null }[method];
    const response = await fetch(`${url}/v1/${path}`, { method, headers: asUser, body });
    assert.equal(response.status, 403, path);
  }
});

test('a result sent in a private chat goes to rooms that get everything; one in a group that is a room, there', async (t) => {
  const { anna, boris, room, url, gallery } = await openRoom(t);
  const bot = createSenderClient({ url });
  await anna.rooms.patchRoomWishes(room.id, { shares: 'always' });
  const group = await boris.rooms.createRoom({
    ...{ title: 'Group', name: 'P4', language: 'ru', chat: { chatId: -100, threadId: 5 } },
  });
  await assert.rejects(
    anna.rooms.createRoom({ title: 'G', name: 'x', language: 'en', chat: { chatId: -100, threadId: 5 } }),
    { code: 'ROOM_EXISTS' },
  );
  const deliver = async (place: {
    chatId: number;
    threadId: number | null;
    isGroup: boolean;
    messageId: number;
  }) => {
    const upscaleId = await anna.result();
    await anna.user.createDelivery({ ...place, sendAs: 'file', language: 'en', upscaleId });
    const [delivery] = await bot.leaseDeliveries({ max: 1, leaseSeconds: 60, wait: 20 });
    assert.ok(delivery);
    const sent = [
      {
        messageId: place.messageId,
        sentMessageId: place.messageId + 1,
        fileId: 'F',
        fileKind: 'document' as const,
      },
    ];
    await bot.ackDelivery(delivery.id, { lease: delivery.lease, outcome: 'partly', sent });
    await bot.ackDelivery(delivery.id, { lease: delivery.lease, outcome: 'sent' });
  };
  const shownIn = async ({ code }: RoomState) => (await gallery(code)).body.pictures.length;
  await deliver({ chatId: 3, threadId: null, isGroup: false, messageId: 10 });
  assert.deepEqual([await shownIn(room), await shownIn(group)], [1, 0]);
  await deliver({ chatId: 3, threadId: null, isGroup: false, messageId: 10 });
  assert.equal(await shownIn(room), 1, 'the same photo once more is not shared by itself');
  await deliver({ chatId: -100, threadId: 5, isGroup: true, messageId: 20 });
  await deliver({ chatId: -100, threadId: 6, isGroup: true, messageId: 30 });
  assert.deepEqual([await shownIn(room), await shownIn(group)], [1, 1]);
  assert.equal((await anna.rooms.listRooms()).length, 2, 'who asks in the group is in its room');
  const shared = { chatId: 3, messageId: 11 };
  assert.equal(
    (await anna.rooms.shareToRoom(group.id, { message: shared })).pictures,
    2,
    'both came with it',
  );
});

test('the page’s ZIP, PDF, pictures and QR are what they say', async (t) => {
  const { anna, room, url, sender } = await openRoom(t);
  await anna.rooms.shareToRoom(room.id, { upscaleIds: [await anna.result(), await anna.result()] });
  await sender.putBot('boardsharp_bot');
  const at = `${url}/v1/gallery/${room.code}`;
  const gallery = (await (await fetch(at)).json()) as { joinUrl: string; pictures: { id: string }[] };
  assert.equal(gallery.joinUrl, `https://t.me/boardsharp_bot?start=r_${room.code}`);
  const bytes = async (path: string) => Buffer.from(await (await fetch(`${at}${path}`)).arrayBuffer());
  const zip = await bytes('/zip');
  assert.equal(zip.readUInt32LE(0), 0x04034b50);
  assert.deepEqual(
    zip.toString('latin1').match(/00\d-boardsharp-[\w-]+\.jpg/g)?.length,
    4,
    'two files, named twice',
  );
  const pdf = (await bytes('/pdf')).toString('latin1');
  assert.match(pdf, /^%PDF-1/);
  assert.match(pdf, /%%EOF\s*$/);
  assert.equal(pdf.match(/\/Type \/Page\b(?!s)/g)?.length, 2);
  assert.match((await bytes('/qr')).toString(), /^<svg/);
  for (const kind of ['result', 'original', 'preview']) {
    const response = await fetch(`${at}/pictures/${gallery.pictures[0]?.id}/${kind}`);
    assert.match(response.headers.get('content-type') ?? '', /^image\/jpeg/, kind);
    const etag = response.headers.get('etag') ?? '';
    await response.arrayBuffer();
    const again = await fetch(response.url, { headers: { 'If-None-Match': etag } });
    assert.equal(again.status, 304);
  }
  const saved = await fetch(`${at}/pictures/${gallery.pictures[0]?.id}/result?download=true`);
  assert.match(saved.headers.get('content-disposition') ?? '', /^attachment/);
  await saved.arrayBuffer();
});

test('whoever waits at the page is told of a new picture at once', async (t) => {
  const { anna, room, gallery } = await openRoom(t);
  const { version } = (await gallery(room.code)).body;
  const result = await anna.result();
  const waiting = gallery(room.code, `?wait=30&version=${version}`);
  await anna.rooms.shareToRoom(room.id, { upscaleIds: [result] });
  const { body } = await waiting;
  assert.equal(body.pictures.length, 1);
});
