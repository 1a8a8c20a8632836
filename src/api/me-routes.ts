/** What is a user's own: settings, data, erasure, another try with a photo, an opinion. */
import { randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { photoKey } from '../job.ts';
import { eraseUser } from '../jobs/erasure.ts';
import { estimateWaiting } from '../jobs/waiting.ts';
import { saveFeedback } from '../storage/feedback-records.ts';
import { countOpen, findByIdempotencyKey, findOpenIds } from '../storage/upscale-records.ts';
import {
  findEverything,
  findUser,
  saveLanguage,
  saveReachable,
  saveUserSettings,
  type User,
} from '../storage/user-records.ts';
import { changeConsent } from './change-consent.ts';
import { findCaller, findOwn, isAdmin, type RouteContext } from './route-context.ts';
import { problems, type Server, UpscaleAnswer, UpscaleHeaders, UpscaleId } from './schemas.ts';
import {
  AgainBody,
  ConsentBody,
  CountAnswer,
  FeedbackBody,
  MeAnswer,
  MeQuery,
  MyData,
  SettingsChange,
  type UserSettings,
} from './telegram-schemas.ts';
import { toAnswer } from './upscale-answer.ts';

const tags = ['me'];
const NOTHING = Type.Null({ description: 'Done' });
const DEFAULTS: UserSettings = { scale: null, look: 'natural', sendAs: 'file', language: null };

/** Adds the routes. The server must read JSON. */
export function addMeRoutes(server: Server, context: RouteContext): void {
  const { stores, config, metrics } = context;
  const { db, blobs, queue } = stores;

  async function answer(user: User, admin: boolean) {
    const { ban, consentAt, createdAt, id } = user;
    return {
      settings: { ...DEFAULTS, ...user.settings },
      isAdmin: admin,
      consentAt: consentAt?.toISOString() ?? null,
      ban: ban === null ? null : { reason: ban.reason, until: ban.until === null ? null : String(ban.until) },
      openUpscales: await countOpen(db, id),
      createdAt: createdAt.toISOString(),
    };
  }

  server.route({
    method: 'GET',
    url: '/v1/me',
    schema: {
      tags,
      operationId: 'getMe',
      summary: 'Your settings, and whether you are an administrator or banned',
      querystring: MeQuery,
      response: { 200: MeAnswer, ...problems(401, 429, 503) },
    },
    async handler(request) {
      const user = await findUser(db, await findCaller(request, context));
      if (user === undefined) throw new AppError('NOT_FOUND', 'you were erased just now');
      // Who asks can be reached again.
      if (user.telegramId !== null) await saveReachable(db, user.telegramId, true);
      if (request.query.language !== undefined) await saveLanguage(db, user.id, request.query.language);
      return answer(user, isAdmin(request, config));
    },
  });

  server.route({
    method: 'PATCH',
    url: '/v1/me',
    schema: {
      tags,
      operationId: 'patchMe',
      summary: 'Change your settings',
      body: SettingsChange,
      response: { 200: MeAnswer, ...problems(400, 401, 429, 503) },
    },
    async handler(request) {
      const id = await findCaller(request, context);
      const user = await findUser(db, id);
      if (user === undefined) throw new AppError('NOT_FOUND', 'you were erased just now');
      const settings = { ...DEFAULTS, ...user.settings, ...request.body };
      await saveUserSettings(db, id, settings);
      return answer({ ...user, settings }, isAdmin(request, config));
    },
  });

  server.route({
    method: 'PUT',
    url: '/v1/me/consent',
    schema: {
      tags,
      operationId: 'putConsent',
      summary: 'Let your photos from now on be used for training and the reading trial, or take that back',
      description:
        'Off unless you say so. Taking it back removes your photos from the trial, and erases what is older than RETENTION.',
      body: ConsentBody,
      response: { 200: MeAnswer, ...problems(400, 401, 429, 503) },
    },
    async handler(request) {
      const id = await findCaller(request, context);
      const { retentionMs } = config;
      await changeConsent(stores, id, { agreed: request.body.agreed, retentionMs });
      const user = await findUser(db, id);
      if (user === undefined) throw new AppError('NOT_FOUND', 'you were erased just now');
      return answer(user, isAdmin(request, config));
    },
  });

  server.route({
    method: 'DELETE',
    url: '/v1/me',
    schema: {
      tags,
      operationId: 'deleteMe',
      summary: 'Erase yourself: photos, results, settings, ratings, everything',
      response: { 204: NOTHING, ...problems(401, 429, 503) },
    },
    async handler(request, reply) {
      const id = await findCaller(request, context);
      // Their rows go with the user; what they point to must go before.
      await changeConsent(stores, id, { agreed: false, retentionMs: config.retentionMs });
      await eraseUser(stores, id);
      return reply.code(204).send(null);
    },
  });

  server.route({
    method: 'GET',
    url: '/v1/me/data',
    schema: {
      tags,
      operationId: 'getMyData',
      summary: 'Everything that is stored about you, without the images',
      response: { 200: MyData, ...problems(401, 429, 503) },
    },
    handler: async (request) => findEverything(db, await findCaller(request, context)),
  });

  server.route({
    method: 'POST',
    url: '/v1/me/cancel',
    schema: {
      tags,
      operationId: 'cancelMine',
      summary: 'Cancel all your photos that have not ended',
      response: { 200: CountAnswer, ...problems(401, 429, 503) },
    },
    async handler(request) {
      const open = await findOpenIds(db, await findCaller(request, context));
      const cancelled = await Promise.all(open.map((id) => queue.cancel(id)));
      return { count: cancelled.filter(Boolean).length };
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/upscales/:id/again',
    schema: {
      tags: ['upscales'],
      operationId: 'againUpscale',
      summary: 'Work on the same photo once more, otherwise',
      params: UpscaleId,
      body: AgainBody,
      headers: UpscaleHeaders,
      response: { 202: UpscaleAnswer, ...problems(400, 401, 403, 404, 429, 503) },
    },
    async handler(request, reply) {
      const before = await findOwn(request, request.params.id, context);
      const { userId } = before;
      await checkNotBanned(context, userId);
      const idempotencyKey = request.headers['idempotency-key'] ?? null;
      const known =
        idempotencyKey === null ? undefined : await findByIdempotencyKey(db, userId, idempotencyKey);
      const upscale = known ?? (await copy());
      reply.code(202).header('Location', `/v1/upscales/${upscale.id}`);
      return toAnswer(upscale, await estimateWaiting(db, upscale));

      async function copy() {
        if (before.erasedAt !== null) throw new AppError('BLOB_MISSING', 'the photo was erased');
        const id = randomUUID();
        const { stream } = await blobs.get(photoKey(before.id));
        await blobs.put(photoKey(id), stream);
        const { scale = before.scale, look = before.look } = request.body;
        const { format, input } = before;
        // Another scale is another network's.
        const model = scale === before.scale ? before.model : null;
        const order = { scale, look, model, format, input, requestId: request.id, idempotencyKey };
        const { upscale: queued, created } = await queue.enqueue({ id, userId, ...order }, quotaOf(config));
        if (!created) await blobs.delete(photoKey(id));
        else metrics.countAccepted(input.bytes);
        return queued;
      }
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/feedback',
    schema: {
      tags,
      operationId: 'giveFeedback',
      summary: 'Rate a result, or say something',
      body: FeedbackBody,
      response: { 204: NOTHING, ...problems(400, 401, 404, 429, 503) },
    },
    async handler(request, reply) {
      const { upscaleId, rating, reason, comment } = request.body;
      if (rating === undefined && reason === undefined && comment === undefined) {
        throw new AppError('INVALID_REQUEST', 'a rating, a reason or a comment is needed');
      }
      if (upscaleId !== undefined) await findOwn(request, upscaleId, context);
      const userId = await findCaller(request, context);
      await saveFeedback(db, {
        userId,
        upscaleId: upscaleId ?? null,
        // Who names a reason did not like it.
        rating: rating ?? (reason === undefined ? 0 : -1),
        reason: reason ?? null,
        comment: comment ?? null,
      });
      return reply.code(204).send(null);
    },
  });
}

function quotaOf({ quota }: Config): number | undefined {
  return quota || undefined;
}

/** @throws AppError BANNED */
export async function checkNotBanned({ stores }: RouteContext, userId: string): Promise<void> {
  const user = await findUser(stores.db, userId);
  if (user?.ban) throw new AppError('BANNED', user.ban.reason ?? 'no reason was given');
}
