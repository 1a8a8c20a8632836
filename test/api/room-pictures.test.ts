/** The pictures of rooms: shared, sent, shown on the page, removed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import type { RoomState } from '../../src/client/room-client.ts';
import { createSenderClient } from '../../src/client/telegram-client.ts';
import { photo } from '../helpers/api.ts';
import { LEASE, openRoom } from '../helpers/rooms.ts';

const FORBIDDEN = { code: 'FORBIDDEN' };

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
  const deliver = async (
    place: { chatId: number; threadId: number | null; isGroup: boolean; messageId: number },
    who = anna,
  ) => {
    const upscaleId = await who.result();
    await who.user.createDelivery({ ...place, sendAs: 'file', language: 'en', upscaleId });
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
  await deliver({ chatId: -100, threadId: 5, isGroup: true, messageId: 40 }, boris);
  assert.deepEqual(
    (await boris.rooms.listMembers(group.id)).map(({ name }) => name),
    ['P4', 'Telegram 3'],
    'a name that is known stays',
  );
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

test('the photo beside a picture is upright, and says nothing of where it was taken', async (t) => {
  const { anna, room, url } = await openRoom(t);
  // Held upright: stored lying, with a mark that says so.
  const taken = await sharp(await photo(60, 40))
    .withMetadata({
      orientation: 6,
      exif: { IFD0: { Make: 'Phone' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '55/1 45/1 0/1' } },
    })
    .toBuffer();
  assert.ok((await sharp(taken).metadata()).exif, 'the photo tells it');
  await anna.rooms.shareToRoom(room.id, { upscaleIds: [await anna.result(Uint8Array.from(taken))] });
  const at = `${url}/v1/gallery/${room.code}`;
  const { pictures } = (await (await fetch(at)).json()) as { pictures: { id: string }[] };
  const response = await fetch(`${at}/pictures/${pictures[0]?.id}/original`);
  const { exif, xmp, iptc, width, height } = await sharp(await response.arrayBuffer()).metadata();
  assert.deepEqual([exif, xmp, iptc, width, height], [undefined, undefined, undefined, 40, 60]);
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
