/** What goes to rooms without a tap: results in a group that is a room, and those of members who wished it so. */
import type { Queryable } from '../storage/database.ts';
import { notifyRoom } from '../storage/notifications.ts';
import { findShareable, type SentPicture, sharePictures } from '../storage/room-picture-records.ts';
import { addMember, findRole, findRoomOfChat, isExile, lockRoom } from '../storage/room-records.ts';
import { type Finished, findFinished, findGenerous } from '../storage/room-send-records.ts';

/** Shares what a delivery that has just ended has brought. Call it in the transaction that ends it. */
export async function shareByItself(tx: Queryable, deliveryId: string): Promise<void> {
  const finished = await findFinished(tx, deliveryId);
  if (finished === undefined || finished.items.length === 0) return;
  if (finished.isGroup) await shareWithGroup(tx, finished);
  else for (const roomId of await findGenerous(tx, finished.userId)) await share(tx, roomId, finished);
}

/** Whoever asks in a group that is a room is in it from then on: the group has seen the picture anyway. */
async function shareWithGroup(tx: Queryable, finished: Finished): Promise<void> {
  const { userId, telegramId, chatId, threadId, language, items } = finished;
  const room = await findRoomOfChat(tx, chatId, threadId);
  if (room === undefined || (await isExile(tx, room.id, userId))) return;
  if ((await findRole(tx, room.id, userId)) === undefined) {
    // What they are called is told when they speak with the bot; until then their number tells them apart.
    const name = `Telegram ${telegramId ?? ''}`.trim();
    await addMember(tx, { roomId: room.id, userId, name, language, receives: 'nothing' });
  }
  const sent = items.map(
    ({ upscaleId, sentMessageId }): SentPicture => ({
      ...{ id: upscaleId, chatId, messageId: sentMessageId },
    }),
  );
  await share(tx, room.id, finished, sent);
}

async function share(
  tx: Queryable,
  roomId: string,
  { userId, items }: Finished,
  isInChat?: readonly SentPicture[],
): Promise<void> {
  await lockRoom(tx, roomId);
  const results = await findShareable(
    tx,
    userId,
    items.map(({ upscaleId }) => upscaleId),
  );
  await sharePictures(tx, { roomId, userId }, results, isInChat);
  await notifyRoom(tx, roomId);
}
