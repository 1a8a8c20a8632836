import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Static } from 'typebox';
import Schema from 'typebox/schema';
import type * as RoomSchemas from '../../src/api/room-schemas.ts';
import type { LimitsAnswer, ModelsAnswer, UpscaleAnswer } from '../../src/api/schemas.ts';
import type * as Schemas from '../../src/api/telegram-schemas.ts';
import { createClient, type Limits, type ModelState, type UpscaleState } from '../../src/client/client.ts';
import {
  type Chores,
  createRoomClient,
  createRoomSenderClient,
  type LeasedSend,
  type RoomState,
} from '../../src/client/room-client.ts';
import {
  type Broadcast,
  createSenderClient,
  createUserClient,
  type DueStatus,
  type LeasedDelivery,
  type Me,
  type NewDelivery,
  type QueueState,
  type Recipient,
  type Statistics,
} from '../../src/client/telegram-client.ts';
import { collect, openTestService, photo, untilEnd } from '../helpers/api.ts';

/** A JSON schema, as far as this test looks into one. */
type Json = { readonly [name: string]: unknown };
interface Operation {
  readonly parameters?: readonly { name: string; in: string; schema: Json }[];
  readonly requestBody?: { content: Record<string, unknown> };
  readonly responses: Record<string, { content?: Record<string, { schema: Json }> }>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
}

/** Compiles only while the client's types and those of the schemas say the same. */
type Mutual<A extends B, B extends C, C = A> = [A, B, C];
export type ClientMatchesSchemas = [
  Mutual<Omit<UpscaleState, 'quality'>, Omit<Static<typeof UpscaleAnswer>, 'quality'>>,
  Mutual<Limits, Static<typeof LimitsAnswer>>,
  Mutual<ModelState, Static<typeof ModelsAnswer>['models'][number]>,
  Mutual<Me, Static<typeof Schemas.MeAnswer>>,
  Mutual<NewDelivery, Static<typeof Schemas.DeliveryBody>>,
  Mutual<
    Omit<LeasedDelivery, 'items'>,
    Omit<Static<typeof Schemas.LeasedDeliveries>['deliveries'][number], 'items'>
  >,
  Mutual<DueStatus, Static<typeof Schemas.DueStatuses>['statuses'][number]>,
  Mutual<Statistics, Static<typeof Schemas.StatisticsAnswer>>,
  Mutual<QueueState, Static<typeof Schemas.QueueAnswer>>,
  Mutual<Broadcast, Static<typeof Schemas.BroadcastAnswer>>,
  Mutual<Recipient, Static<typeof Schemas.RecipientsAnswer>['recipients'][number]>,
  Mutual<RoomState, Static<typeof RoomSchemas.RoomAnswer>>,
  Mutual<LeasedSend, Static<typeof RoomSchemas.LeasedSends>['sends'][number]>,
  Mutual<Chores, Static<typeof RoomSchemas.RoomChores>>,
];

test('every call of the client is in the OpenAPI document, and so is every answer', async (t) => {
  const { url } = await openTestService(t);
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as Document;
  assert.match(document.openapi, /^3\.1/);
  const seen = new Set<string>();

  const checking: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    await check(new URL(String(input)), init?.method ?? 'GET', new Headers(init?.headers), response.clone());
    return response;
  };
  const client = createClient({ url, fetch: checking });

  async function check(address: URL, method: string, headers: Headers, response: Response): Promise<void> {
    // Words stand before names that stand for anything.
    const path = Object.keys(document.paths)
      .sort((a, b) => a.split('{').length - b.split('{').length)
      .find((known) => new RegExp(`^${known.replace(/\{\w+\}/g, '[^/]+')}$`).test(address.pathname));
    const operation = document.paths[path ?? '']?.[method.toLowerCase()];
    assert.ok(operation, `${method} ${address.pathname} is not in the document`);
    seen.add(`${method} ${path}`);
    const known = (place: string) =>
      new Set((operation.parameters ?? []).filter((p) => p.in === place).map((p) => p.name.toLowerCase()));
    for (const name of address.searchParams.keys())
      assert.ok(known('query').has(name.toLowerCase()), `query ${name}`);
    for (const name of ['idempotency-key', 'boardsharp-user']) {
      if (headers.has(name)) assert.ok(known('header').has(name), `header ${name}`);
    }
    const answer = operation.responses[response.status];
    assert.ok(answer, `${method} ${path} answers ${response.status}, which is not in the document`);
    const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
    const schema = (answer.content?.[type] ?? answer.content?.[type.replace(/\/.*/, '/*')])?.schema;
    if (response.status === 204) return assert.equal(await response.text(), '');
    assert.ok(schema, `${method} ${path} answers ${type}, which is not in the document`);
    if (!type.endsWith('json')) return;
    const body = await response.json();
    const [valid, errors] = Schema.Compile(schema as object).Errors(body);
    assert.ok(valid, `${method} ${path} ${response.status}: ${JSON.stringify(errors)}`);
  }

  await client.listModels();
  assert.equal((await client.getLimits()).maxInputBytes, 20_971_520);
  const { id } = await client.createUpscale(await photo(), {
    scale: 2,
    look: 'natural',
    format: 'png',
    idempotencyKey: 'a',
  });
  await collect(client.followUpscale(id));
  await untilEnd(client, id);
  await client.getOriginal(id);
  await client.getResult(id);
  await client.getResult(id, { maxSide: 32 });
  const user = createUserClient({ url, fetch: checking });
  const sender = createSenderClient({ url, fetch: checking });
  await user.getMe('en');
  await user.patchMe({ sendAs: 'photo' });
  await user.getMyData();
  await user.giveFeedback({ upscaleId: id, rating: 1 });
  const again = await user.againUpscale(id, { scale: 4, idempotencyKey: 'b' });
  assert.equal((await untilEnd(client, again.id)).scale, 4);
  await user.cancelMine();
  const chat = { chatId: 5, isGroup: false, sendAs: 'file', language: 'en' } as const;
  const delivery = await user.createDelivery({ ...chat, messageId: 7, upscaleId: id });
  await sender.leaseStatuses(10);
  await sender.putStatus(delivery.id, 8);
  await user.cancelDelivery(delivery.id);
  const [leased] = await sender.leaseDeliveries({ max: 1, leaseSeconds: 60, wait: 5 });
  await sender.ackDelivery(delivery.id, { lease: leased?.lease ?? '', outcome: 'sent' });
  await sender.moveChat(5, 6);
  await sender.markChatGone(6, 'blocked');
  await user.getStatistics(7);
  await user.getQueue();
  await assert.rejects(user.retryDead(id), { code: 'NOT_FOUND' });
  await user.ban({ telegramId: 77, reason: 'spam' });
  await user.unban(77);
  const broadcast = await user.createBroadcast({ en: 'Hello', ru: 'Привет' });
  await user.getBroadcast(broadcast.id);
  const options = [
    { en: 'Yes', ru: 'Да' },
    { en: 'No', ru: 'Нет' },
  ];
  const survey = await user.createBroadcast({ en: 'Well?', ru: 'Ну как?', options });
  await user.getAnswers(survey.id);
  await assert.rejects(user.answerPoll('77', 1), { code: 'NOT_FOUND' });
  await user.getReport('html');
  await user.getReport('md');
  await user.getReport('json');
  await user.putConsent(true);
  await user.putConsent(false);
  assert.equal(await user.openQuestion(), undefined);
  await user.startBroadcast(broadcast.id);
  await sender.leaseRecipients(5, 60);
  await sender.ackRecipient(broadcast.id, { telegramId: 77, outcome: 'gone' });
  await user.stopBroadcast(broadcast.id);
  assert.equal(await user.nextQuestion(), undefined);
  await assert.rejects(user.getCrop(id), { code: 'TRIAL_ITEM_NOT_FOUND' });
  await assert.rejects(user.answerQuestion(id, 'x'), { code: 'TRIAL_ITEM_NOT_FOUND' });
  await useRooms(url, checking, id);
  await readOnPage(url, checking, id);
  await client.deleteUpscale(id);
  await assert.rejects(client.getResult(id), { code: 'UPSCALE_NOT_FOUND' });
  await assert.rejects(client.createUpscale(new Uint8Array(9)), { code: 'NOT_AN_IMAGE' });
  await assert.rejects(client.createUpscale(await photo(), { model: 'none' }), { code: 'MODEL_UNKNOWN' });
  await user.deleteMe();
  const all = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations)
      .filter((method) => method !== 'head')
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  const notOfTheClient = ['GET /health/live', 'GET /health/ready', 'GET /metrics'];
  assert.deepEqual([...seen, ...notOfTheClient].toSorted(), all.toSorted());

  await t.test('the documentation can be read in a browser', async () => {
    const page = await fetch(`${url}/docs`);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /swagger-ui/);
  });

  await t.test('metrics count what was done', async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const value = (line: string) => Number(new RegExp(`^${line} (\\S+)$`, 'm').exec(text)?.[1]);
    assert.equal(value('boardsharp_accepted_total'), 2);
    assert.equal(value('boardsharp_ended_total\\{status="done"\\}'), 2);
    assert.equal(value('boardsharp_total_seconds_count'), 2);
    assert.equal(value('boardsharp_queue_photos\\{state="queued"\\}'), 0);
    assert.equal(value('boardsharp_queue_oldest_seconds'), 0);
    assert.ok(value('boardsharp_tiles_total') >= 1);
    assert.ok(value('boardsharp_process_resident_memory_bytes') > 1e6);
    assert.match(text, /^boardsharp_verdicts_total\{verdict="\w+"\} [12]$/m);
    assert.match(text, /^boardsharp_request_seconds_count\{.*route="\/v1\/upscales\/:id".*\} \d+$/m);
    const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '');
    assert.deepEqual(
      names.filter((name) => !name.startsWith('boardsharp_')),
      [],
    );
  });

  await t.test('an unreachable API is an error that says so', async () => {
    const nowhere = createClient({ url: 'http://127.0.0.1:1' });
    await assert.rejects(nowhere.listModels(), { code: 'API_UNREACHABLE' });
  });
});

/** Every operation of rooms, once. */
async function useRooms(url: string, checking: typeof fetch, upscaleId: string): Promise<void> {
  const rooms = createRoomClient({ url, fetch: checking });
  const others = createRoomClient({ url, fetch: checking, user: 'telegram:8' });
  const sender = createRoomSenderClient({ url, fetch: checking });
  await sender.putBot('boardsharp_bot');
  const { id, code } = await rooms.createRoom({ title: 'Room', name: 'Anna', language: 'en' });
  await rooms.listRooms();
  await rooms.getRoom(id);
  await rooms.renameRoom(id, 'Hall');
  assert.equal((await others.getDoor(code)).title, 'Hall');
  await others.joinRoom({ code, name: 'Boris', language: 'ru' });
  await others.patchRoomWishes(id, { shares: 'always' });
  await rooms.shareToRoom(id, { upscaleIds: [upscaleId] });
  const [send] = await sender.leaseSends({ max: 5, leaseSeconds: 60, wait: 5 });
  assert.ok(send);
  const [picture] = send.pictures;
  assert.ok(picture);
  const { pictureId } = picture;
  await sender.getRoomPicture(pictureId, { maxBytes: 1e6 });
  const messages = [{ pictureId, messageId: 5, fileId: 'F', fileKind: 'photo' as const }];
  await sender.ackSend(send.id, { lease: send.lease, outcome: 'sent', chatId: 8, messages });
  const gallery = `${url}/v1/gallery/${code}`;
  for (const path of [
    '',
    '/zip',
    '/pdf',
    '/qr',
    ...['result', 'original', 'preview'].map((kind) => `/pictures/${pictureId}/${kind}`),
  ]) {
    assert.equal((await checking(`${gallery}${path}`)).status, 200, path);
  }
  await checking(`${gallery}/pictures/${pictureId}/report`, { method: 'POST' });
  await others.reportByMessage({ chatId: 8, messageId: 5 });
  await rooms.removeByMessage({ chatId: 8, messageId: 5 });
  await rooms.removePicture(pictureId);
  const { deletions, reports } = await sender.leaseChores({ max: 5, leaseSeconds: 60 });
  assert.deepEqual([deletions.length, reports.length], [1, 1]);
  await sender.settleChore({ reportId: reports[0]?.reportId ?? '' });
  const [, other] = await rooms.listMembers(id);
  await rooms.putRole(id, other?.memberId ?? '', 'moderator');
  await rooms.rotateRoomCode(id);
  await rooms.removeMember(id, other?.memberId ?? '');
  await assert.rejects(others.leaveRoom(id), { code: 'ROOM_NOT_FOUND' });
  await rooms.closeRoom(id);
}

/** Every operation of the trial's page, once, with a code that opens nothing; `reading.test.ts` has the others. */
async function readOnPage(url: string, checking: typeof fetch, itemId: string): Promise<void> {
  const headers = { 'Boardsharp-Reader': 'r'.repeat(22), 'Content-Type': 'application/json' };
  for (const [path, answer] of [
    ['next', {}],
    [`items/${itemId}/crop`, {}],
    [`items/${itemId}/reading`, { method: 'POST', body: '{"answer":null}' }],
  ] as const) {
    const response = await checking(`${url}/v1/reading/${'x'.repeat(22)}/${path}`, { headers, ...answer });
    assert.equal(response.status, 404, path);
  }
}
