/** A lecture hall: two hundred people send a photo within five seconds, and everybody is answered at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../../src/engine/image-codec.ts';
import { drawBoard } from '../helpers/pictures.ts';
import { eventually, meet, said } from '../telegram/meeting.ts';

const USERS = 200;
const WITHIN_MS = 5000;

test('200 photos within 5 s are acknowledged, all rates kept, and the API stays alive', async (t) => {
  const { telegram, url } = await meet(t, { WORKER_CONCURRENCY: '1' });
  const anna = telegram.person(1);
  anna.sendText('/help');
  await eventually(() => said(telegram, anna.chat, /How to get/));
  // Uploading is not what this is about: one photo of ink for everybody.
  const photo = await encode(drawBoard(24, 18), 'jpeg');
  const people = Array.from({ length: USERS }, (_, index) => telegram.person(1000 + index));
  const waited: number[] = [];
  let live = 0;
  const watching = new AbortController();
  const probing = (async () => {
    while (!watching.signal.aborted) {
      const response = await fetch(`${url}/health/live`);
      assert.ok(response.ok);
      live++;
      await new Promise((done) => setTimeout(done, 100));
    }
  })();
  await Promise.all(
    people.map(async (person, index) => {
      await new Promise((done) => setTimeout(done, (index / USERS) * WITHIN_MS));
      const message = await person.sendPhoto(photo);
      const sentAt = performance.now();
      await eventually(
        () =>
          person.chat.reactions.has(message.message_id) || telegram.messages(person.chat, true).length > 0,
        `${index} was not answered`,
      );
      waited.push(performance.now() - sentAt);
    }),
  );
  waited.sort((a, b) => a - b);
  t.diagnostic(
    `answered after: median ${Math.round(waited[USERS / 2] ?? 0)} ms, last ${Math.round(waited.at(-1) ?? 0)} ms`,
  );
  await eventually(() => telegram.updates.pending() === 0, 'not every photo was stored', 60_000);
  const done = () =>
    people.filter(({ chat }) => telegram.messages(chat, true).some(({ document }) => document)).length;
  await eventually(() => done() === USERS, `only ${done()} have their result`, 100_000);
  watching.abort();
  await probing;
  assert.ok(live > 0);
  assert.ok(
    people.every(({ chat }) => telegram.messages(chat, true).filter(({ document }) => document).length === 1),
  );
});
