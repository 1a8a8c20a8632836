/** Rooms in the database, on each there is: shared, sent in turn, in digests, to groups, taken back, reported; and surveys. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import {
  createBroadcast,
  findBroadcast,
  findSurveyAnswers,
  leaseRecipients,
  savePollAnswer,
  setBroadcastState,
  settleRecipient,
} from '../../src/storage/broadcast-records.ts';
import type { Database } from '../../src/storage/database.ts';
import {
  findPictures,
  findPicturesOfMessage,
  removePicture,
  removePicturesOf,
  reportPicture,
  sharePictures,
} from '../../src/storage/room-picture-records.ts';
import {
  addExile,
  addMember,
  createRoom,
  deleteMember,
  deleteRoom,
  findBotName,
  findDoor,
  findRoom,
  findRooms,
  moveRoom,
  rotateCode,
  saveBotName,
  saveWishes,
} from '../../src/storage/room-records.ts';
import {
  endSend,
  endSendsTo,
  holdSend,
  leaseDeletions,
  leaseReports,
  leaseSends,
  renewSend,
  retrySend,
  saveSentMessages,
  secondsToNextSend,
  settleDeletion,
  settleReport,
} from '../../src/storage/room-send-records.ts';
import { findOrCreateUser } from '../../src/storage/user-records.ts';
import { onEachDatabase } from '../helpers/database.ts';

const LEASE = { max: 50, leaseSeconds: 60 };

async function person(db: Database, telegramId: number): Promise<string> {
  return (await findOrCreateUser(db, { telegramId })).id;
}

/** A result of this user's, as a worker leaves it. */
async function result(db: Database, userId: string): Promise<string> {
  const id = randomUUID();
  await db.query(
    `insert into upscales (id, user_id, status, look, format, input, output, turn, finished_at)
     values ($1, $2, 'done', 'natural', 'jpeg', '{}', '{"width": 20, "height": 10, "bytes": 9, "format": "jpeg"}', 0, now())`,
    [id, userId],
  );
  return id;
}

async function room(
  db: Database,
  members: readonly string[],
  chat: { chatId: number; threadId: number | null } | null = null,
) {
  const [ownerId = '', ...others] = members;
  const named = { name: 'x', language: 'en' } as const;
  const id = await db.transaction((tx) => createRoom(tx, { ownerId, title: 'Room', ...named, chat }));
  assert.ok(id);
  for (const userId of others) await addMember(db, { roomId: id, userId, ...named });
  return id;
}

const share = (db: Database, roomId: string, userId: string, ids: readonly string[]) =>
  db.transaction((tx) =>
    sharePictures(
      tx,
      { roomId, userId },
      ids.map((upscaleId) => ({ upscaleId, fileId: null, fileKind: null })),
    ),
  );
const lease = (db: Database) => db.transaction((tx) => leaseSends(tx, LEASE));

onEachDatabase('rooms', (open) => {
  test('a share is one send for each, uploaded once, and taken back from every chat', async () => {
    const db = await open();
    const [anna, boris, clara] = [await person(db, 1), await person(db, 2), await person(db, 3)];
    const id = await room(db, [anna, boris, clara]);
    assert.deepEqual(await share(db, id, anna, [await result(db, anna), await result(db, anna)]), {
      ...{ pictures: 2, people: 2 },
    });
    assert.equal((await findRoom(db, id, boris))?.pictures, 2);
    const [first, ...none] = await lease(db);
    assert.ok(first && none.length === 0);
    assert.deepEqual(
      [first.chatId, first.pictures.length, first.role, first.isGroup],
      [2, 2, 'member', false],
    );
    assert.ok((await secondsToNextSend(db)) !== undefined);
    const messages = first.pictures.map(({ pictureId }, at) => ({
      ...{ pictureId, messageId: 10 + at, fileId: `F${at}`, fileKind: 'document' as const },
    }));
    await db.transaction(async (tx) => {
      assert.ok(await holdSend(tx, first.id, first.lease));
      await renewSend(tx, first.id, 30);
      assert.ok(await saveSentMessages(tx, first.id, 2, messages), 'new names');
      await endSend(tx, first.id, 'sent');
    });
    const [second] = await lease(db);
    assert.deepEqual(
      second?.pictures.map(({ fileId }) => fileId),
      ['F0', 'F1'],
    );
    await retrySend(db, second?.id ?? '', { afterSeconds: 0, forgetFiles: false, counts: true });
    const [again] = await lease(db);
    assert.equal(again?.attempts, 2);
    await endSendsTo(db, 3);
    assert.equal(await holdSend(db, again?.id ?? '', again?.lease ?? ''), false);
    const [shown] = await findPictures(db, id);
    assert.equal((await findPicturesOfMessage(db, { chatId: 2, messageId: 10 }))[0]?.id, shown?.id);
    await reportPicture(db, shown?.id ?? '', boris);
    await reportPicture(db, shown?.id ?? '', null);
    const reports = await leaseReports(db, 60);
    assert.deepEqual(
      reports.map(({ telegramId, picture }) => [telegramId, picture.fileId]),
      [[1, 'F0']],
    );
    await settleReport(db, reports[0]?.reportId ?? '');
    await reportPicture(db, shown?.id ?? '', boris);
    assert.deepEqual(await leaseReports(db, 60), [], 'who has said it has said it');
    await reportPicture(db, shown?.id ?? '', null);
    const [byPage] = await leaseReports(db, 60);
    assert.ok(byPage, 'somebody else says it too');
    await settleReport(db, byPage.reportId);
    await removePicture(db, shown?.id ?? '');
    const [deletion] = await leaseDeletions(db, 10, 60);
    assert.deepEqual([deletion?.chatId, deletion?.messageId], [2, 10]);
    // Within one transaction no time passes, as none need between two statements of a quick machine.
    await db.transaction(async (tx) => {
      await settleDeletion(tx, deletion as never, 0);
      assert.equal((await leaseDeletions(tx, 10, 60)).length, 1, 'a lease of nothing has ended');
    });
    await settleDeletion(db, deletion as never, undefined);
    assert.deepEqual([await leaseDeletions(db, 10, 60), await leaseReports(db, 60)], [[], []]);
    const [other] = await findPictures(db, id);
    assert.deepEqual(await removePicturesOf(db, other?.upscaleId ?? ''), [id]);
    assert.deepEqual(await findPictures(db, id), []);
  });

  test('a digest gathers what comes within ten minutes, as albums of ten at most', async () => {
    const db = await open();
    const [anna, boris] = [await person(db, 1), await person(db, 2)];
    const id = await room(db, [anna, boris]);
    await db.transaction((tx) => saveWishes(tx, id, boris, { receives: 'digest' }));
    for (let at = 0; at < 6; at++)
      await share(db, id, anna, [await result(db, anna), await result(db, anna)]);
    assert.deepEqual(await lease(db), [], 'not yet');
    await db.query(`update room_sends set not_before = now() - interval '1 second'`);
    assert.deepEqual(
      (await lease(db)).map(({ pictures, chatId }) => [pictures.length, chatId]),
      [
        [10, 2],
        [2, 2],
      ],
    );
    await share(db, id, anna, [await result(db, anna)]);
    await db.transaction((tx) => saveWishes(tx, id, boris, { receives: 'nothing' }));
    await db.query(`update room_sends set not_before = now() - interval '1 second', leased_until = null`);
    assert.deepEqual(await lease(db), [], 'who wants nothing any more gets nothing');
  });

  test('the page shows the boards of a lecture in its order, however they became ready', async () => {
    const db = await open();
    const anna = await person(db, 1);
    const id = await room(db, [anna]);
    const sent = async (second: number): Promise<string> => {
      const upscaleId = await result(db, anna);
      const at = `2026-11-02T10:00:${String(second).padStart(2, '0')}Z`;
      await db.query('update upscales set created_at = $2 where id = $1', [upscaleId, at]);
      return upscaleId;
    };
    const [first, second, third, fourth] = [await sent(1), await sent(2), await sent(4), await sent(3)];
    // The second was ready first; of an album the order is its own, whichever of it arrived first.
    await share(db, id, anna, [second]);
    await share(db, id, anna, [third, fourth]);
    await share(db, id, anna, [first]);
    const shown = await findPictures(db, id);
    assert.deepEqual(
      shown.map(({ upscaleId }) => upscaleId),
      [first, second, third, fourth],
    );
    assert.equal(shown[0]?.sentAt.toISOString(), '2026-11-02T10:00:01.000Z');
  });

  test('a group is one recipient, follows its new number, and a closed room is gone', async () => {
    const db = await open();
    const anna = await person(db, 1);
    const id = await room(db, [anna], { chatId: -5, threadId: 7 });
    await share(db, id, anna, [await result(db, anna)]);
    await moveRoom(db, -5, -1005);
    const [send] = await lease(db);
    assert.deepEqual([send?.chatId, send?.threadId, send?.isGroup, send?.role], [-1005, 7, true, null]);
    const upscaleId = await result(db, anna);
    const shareable = [{ upscaleId, fileId: 'F', fileKind: 'photo' as const }];
    const sent = [{ id: upscaleId, chatId: -1005, messageId: 8 }];
    await db.transaction((tx) => sharePictures(tx, { roomId: id, userId: anna }, shareable, sent));
    const [picture] = await findPicturesOfMessage(db, { chatId: -1005, messageId: 8 });
    await removePicture(db, picture?.id ?? '');
    assert.equal((await leaseDeletions(db, 10, 60))[0]?.messageId, 8);
    const code = await rotateCode(db, id);
    assert.equal((await findDoor(db, code))?.id, id);
    await addExile(db, id, anna);
    await deleteMember(db, id, anna);
    assert.deepEqual(await findRooms(db, anna), []);
    assert.ok(await deleteRoom(db, id));
    assert.equal(await findDoor(db, code), undefined);
    await saveBotName(db, 'one');
    await saveBotName(db, 'two');
    assert.equal(await findBotName(db), 'two');
  });

  test('a survey keeps what each chose, and forgets what is taken back', async () => {
    const db = await open();
    const [anna, boris] = [await person(db, 1), await person(db, 2)];
    const options = [
      { en: 'Yes', ru: 'Да' },
      { en: 'No', ru: 'Нет' },
    ];
    const id = await db.transaction((tx) => createBroadcast(tx, { en: 'Well?', ru: 'Ну?' }, options));
    await setBroadcastState(db, id, 'running');
    const recipients = await leaseRecipients(db, 10, 60);
    assert.deepEqual(
      recipients.map(({ options: asked }) => asked?.length),
      [2, 2],
    );
    await db.transaction((tx) => settleRecipient(tx, id, 1, { state: 'sent', pollId: 'p1' }));
    await db.transaction((tx) => settleRecipient(tx, id, 2, { afterSeconds: 5 }));
    assert.equal(await savePollAnswer(db, 'p1', boris, 0), false, 'it is not theirs');
    assert.ok(await savePollAnswer(db, 'p1', anna, 1));
    assert.deepEqual(
      (await findSurveyAnswers(db, id)).map(({ answer }) => answer),
      [1],
    );
    assert.equal((await findBroadcast(db, id))?.answered, 1);
    assert.ok(await savePollAnswer(db, 'p1', anna, null));
    assert.deepEqual(await findSurveyAnswers(db, id), []);
    await db.query('delete from broadcasts');
  });
});
