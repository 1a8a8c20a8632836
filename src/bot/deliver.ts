/** Results on their way out: leased from the API, sent at Telegram's pace, acknowledged after its answer. */
import { setTimeout as pause } from 'node:timers/promises';
import { GrammyError } from 'grammy';
import type { Message } from 'grammy/types';
import type { Ack, LeasedDelivery, LeasedItem } from '../client/telegram-client.ts';
import { toAppError } from '../errors.ts';
import { act, type Desk, heed, pauseFor, surely } from './desk.ts';
import { ChatBusy } from './pacing.ts';
import {
  hasResult,
  type Kind,
  type Parcel,
  pack,
  sendAlbum,
  sendParcel,
  sendRefusal,
  sendWords,
} from './send.ts';
import { attempt, understandRefusal } from './telegram-errors.ts';

/** Sent at the same time; the pace is kept beside that. */
const AT_ONCE = 8;
/** Of a bot that is killed, another one has the deliveries so soon. While it works on them it renews the lease. */
const LEASE_SECONDS = 30;
const RENEW_EVERY_MS = 10_000;
/** Longest wait for a delivery, in seconds. */
const WAIT_SECONDS = 20;
const MAX_ALBUM = 10;
const AFTER_TROUBLE_MS = 2000;
/** A chat action is shown for five seconds. */
const ACTION_EVERY_MS = 4500;
/** Who waits longer for a chat's turn gives the delivery back: the chats behind it need not wait too. */
const PATIENCE_MS = 3000;

/** Delivers until `stopping`; what is being sent then is finished. */
export async function runDeliveries(desk: Desk): Promise<void> {
  const { sender, log, stopping } = desk;
  const inHand = new Set<Promise<void>>();
  while (!stopping.aborted) {
    try {
      const max = AT_ONCE - inHand.size;
      // A lease that is not answered because we stop would be lost for a while: the API sees that nobody listens.
      const request = { max, leaseSeconds: LEASE_SECONDS, wait: WAIT_SECONDS };
      for (const delivery of await sender.leaseDeliveries(request, { signal: stopping })) {
        const work = deliver(desk, delivery).finally(() => inHand.delete(work));
        inHand.add(work);
      }
      if (inHand.size >= AT_ONCE) await Promise.race(inHand);
    } catch (thrown) {
      if (stopping.aborted) break;
      log.warn({ err: toAppError(thrown) }, 'deliveries could not be leased');
      await pause(AFTER_TROUBLE_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
  await Promise.all(inHand);
}

/** One delivery, to the end or to the next attempt. Never rejects. */
async function deliver(desk: Desk, delivery: LeasedDelivery): Promise<void> {
  const { sender, log } = desk;
  const { id, lease, chatId } = delivery;
  const renewing = setInterval(() => {
    void attempt(sender.ackDelivery(id, { lease, outcome: 'partly', leaseSeconds: LEASE_SECONDS }));
  }, RENEW_EVERY_MS);
  try {
    await sendItems(desk, delivery);
    // Before the delivery ends: afterwards nobody knows of it.
    await removeStatus(desk, delivery);
    await surely(desk, () => sender.ackDelivery(id, { lease, outcome: 'sent' }));
    log.info({ delivery: id, photos: delivery.items.length, attempt: delivery.attempts }, 'delivered');
  } catch (error) {
    try {
      if (error instanceof ChatBusy) {
        const { afterSeconds } = error;
        return await sender.ackDelivery(id, { lease, outcome: 'later', afterSeconds });
      }
      if ((await heed(desk, chatId, understandRefusal(error))) === 'gone') return;
      const pauseSeconds = await pauseFor(desk, error);
      // The longer it fails, the longer it waits.
      const afterSeconds = pauseSeconds ?? 2 ** Math.min(delivery.attempts, 9);
      const outcome = pauseSeconds === undefined ? 'retry' : 'later';
      const reason = (error as Error).message.slice(0, 300);
      log.warn({ delivery: id, reason, afterSeconds, attempt: delivery.attempts }, 'a delivery failed');
      await sender.ackDelivery(id, { lease, outcome, afterSeconds, reason });
    } catch (thrown) {
      // The lease will be over some time, and the delivery is somebody's again.
      log.warn({ delivery: id, err: toAppError(thrown) }, 'a failed delivery could not be given back');
    }
  } finally {
    clearInterval(renewing);
  }
}

/** Sends what is not out yet; each message is remembered before the next one is sent. */
async function sendItems(desk: Desk, delivery: LeasedDelivery): Promise<void> {
  const { sender } = desk;
  const { id, lease, chatId } = delivery;
  const waiting = delivery.items.filter(({ sentMessageId }) => sentMessageId === null);
  const remember = (sent: NonNullable<Ack['sent']>): Promise<void> =>
    surely(desk, () => sender.ackDelivery(id, { lease, outcome: 'partly', sent }));
  const results = waiting.filter(hasResult);
  const showUpload = () =>
    act(desk, delivery, delivery.sendAs === 'file' ? 'upload_document' : 'upload_photo');
  for (const group of inAlbums(results)) {
    void showUpload();
    const showing = setInterval(showUpload, ACTION_EVERY_MS);
    const messages = await sendGroup(desk, delivery, group).finally(() => clearInterval(showing));
    await remember(group.map(({ messageId }, at) => ({ messageId, ...sentAs(messages[at]) })));
  }
  for (const item of waiting.filter((one) => !hasResult(one))) {
    const message = await paced(desk, chatId, 1, () =>
      withoutTopic(delivery, (place) => sendRefusal(desk, place, item)),
    );
    await remember([{ messageId: item.messageId, sentMessageId: message.message_id }]);
  }
}

/** The message, and Telegram's name of its file: rooms get it by that. */
function sentAs(message: Message | undefined): Omit<NonNullable<Ack['sent']>[number], 'messageId'> {
  const sentMessageId = message?.message_id ?? 0;
  if (message?.document) return { sentMessageId, fileId: message.document.file_id, fileKind: 'document' };
  const photo = message?.photo?.at(-1);
  return photo ? { sentMessageId, fileId: photo.file_id, fileKind: 'photo' } : { sentMessageId };
}

function inAlbums(items: readonly LeasedItem[]): LeasedItem[][] {
  const albums: LeasedItem[][] = [];
  for (let at = 0; at < items.length; at += MAX_ALBUM) albums.push(items.slice(at, at + MAX_ALBUM));
  return albums;
}

async function sendGroup(
  desk: Desk,
  delivery: LeasedDelivery,
  group: readonly LeasedItem[],
): Promise<Message[]> {
  const send = async (wished: Kind): Promise<Message[]> => {
    // Nothing is fetched for a chat whose turn is far.
    const ms = desk.pacing.missing(delivery.chatId, group.length);
    if (ms > PATIENCE_MS) throw new ChatBusy(ms);
    const parcels: Parcel[] = [];
    for (const item of group) parcels.push(await pack(desk, delivery, item, wished));
    // An album is of one kind: where one photo must go as a file, all do.
    if (new Set(parcels.map(({ kind }) => kind)).size > 1) return send('document');
    return paced(desk, delivery.chatId, group.length, () =>
      withoutTopic(delivery, async (place) => {
        const [only] = parcels;
        if (only !== undefined && parcels.length === 1) return [await sendParcel(desk, place, only)];
        return sendAlbum(desk, place, parcels);
      }),
    );
  };
  const [first, second]: Kind[] = delivery.sendAs === 'photo' ? ['photo', 'document'] : ['document', 'photo'];
  try {
    return await send(first as Kind);
  } catch (error) {
    if (!isAboutKind(error, first as Kind)) throw error;
  }
  try {
    return await send(second as Kind);
  } catch (error) {
    if (understandRefusal(error).kind !== 'no rights') throw error;
  }
  // Neither is allowed in this group: they learn what to do.
  const told = await paced(desk, delivery.chatId, 1, () =>
    withoutTopic(delivery, (place) => sendWords(desk, place, group[0], 'no-rights')),
  );
  return group.map(() => told);
}

/** Whether the other kind may go through: whatever is said of a photo, and where a group does not take the one. */
function isAboutKind(error: unknown, kind: Kind): boolean {
  if (!(error instanceof GrammyError)) return false;
  const refusal = understandRefusal(error).kind;
  return refusal === 'no rights' || (kind === 'photo' && (refusal === 'no photo' || refusal === 'wrong'));
}

async function paced<T>(desk: Desk, chatId: number, messages: number, send: () => Promise<T>): Promise<T> {
  const landed = await desk.pacing.soon(chatId, messages, PATIENCE_MS);
  if (typeof landed === 'number') throw new ChatBusy(landed);
  let isRefused = false;
  try {
    return await send();
  } catch (error) {
    // A refusal is no message: with its places taken there would never be enough for an album of the other kind.
    isRefused = isAboutKind(error, 'photo');
    throw error;
  } finally {
    landed(isRefused);
  }
}

/** Where the topic was deleted the message goes to the chat itself. */
async function withoutTopic<T>(
  delivery: LeasedDelivery,
  send: (place: LeasedDelivery) => Promise<T>,
): Promise<T> {
  try {
    return await send(delivery);
  } catch (error) {
    if (understandRefusal(error).kind !== 'no topic') throw error;
    return send({ ...delivery, threadId: null });
  }
}

/** A status that cannot be removed yet is a reason to try the delivery again; whatever is out then is not sent again. */
async function removeStatus({ api }: Desk, { chatId, statusMessageId }: LeasedDelivery): Promise<void> {
  if (statusMessageId === null) return;
  try {
    await api.deleteMessage(chatId, statusMessageId);
  } catch (error) {
    if (understandRefusal(error).kind === 'later') throw error;
  }
}
