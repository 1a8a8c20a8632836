/** Rooms: who may do what, and everybody who may not, tried one by one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEASE, openPeople, openRoom } from '../helpers/rooms.ts';

const NOT_THERE = { code: 'ROOM_NOT_FOUND' };
const FORBIDDEN = { code: 'FORBIDDEN' };

test('a code has 128 random bits, opens the room, and says before joining what it leads to', async (t) => {
  const { owner, anna, person, gallery } = await openPeople(t);
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
  const { owner, anna, gallery } = await openPeople(t);
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
  // It is in the bot's hands already, and waits for its turn there.
  let [theirs] = await sender.leaseSends({ ...LEASE, max: 1 });
  while (theirs?.chatId !== anna.id) {
    assert.ok(theirs);
    await sender.ackSend(theirs.id, { lease: theirs.lease, outcome: 'gone' });
    [theirs] = await sender.leaseSends({ ...LEASE, max: 1 });
  }
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
  await assert.rejects(
    sender.ackSend(theirs.id, { lease: theirs.lease, outcome: 'hold' }),
    { code: 'LEASE_LOST' },
    'the bot asks before it sends what has waited',
  );
  const recipients = (await sender.leaseSends(LEASE)).map(({ chatId }) => chatId).sort();
  assert.ok(!recipients.includes(anna.id), 'what waited for them is not sent');
  assert.ok((await owner.rooms.listRooms())[0]);
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
