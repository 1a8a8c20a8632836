/** The page of the reading trial, for whoever holds its code: a volunteer there is a browser that says which one it is. */
import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { AppError } from '../errors.ts';
import { answerQuestion, nextQuestion, readCrop } from '../pilot/reading-trial.ts';
import { findTrialByCode, isItemOf } from '../storage/trial-records.ts';
import { findOrCreateReader } from '../storage/user-records.ts';
import { fileAnswer, RoomCode } from './room-schemas.ts';
import { checkUuid, type RouteContext } from './route-context.ts';
import { nullable, problems, type Server } from './schemas.ts';
import { checkAnswer, QuestionAnswer, ReadingBody } from './trial-routes.ts';
import { type CountWrongCode, createAddressLimit } from './wrong-codes.ts';

const tags = ['reading trial'];
const READER = 'boardsharp-reader';
/** A minute from one address, where a whole hall may sit: 600 words, each asked for, seen and answered. */
const MAX_REQUESTS = 1800;

const ReaderHeaders = Type.Object({
  [READER]: Type.String({
    pattern: '^[\\w-]{22}$',
    description: '128 random bits that a browser has thought of and keeps: one volunteer',
  }),
});
const ItemParams = Type.Object({ code: Type.String({ maxLength: 64 }), id: Type.String({ maxLength: 64 }) });

/** Adds the routes: they ask for no key, but for the trial's code every single time. The server must read JSON. */
export function addReadingRoutes(server: Server, context: RouteContext, countWrong: CountWrongCode): void {
  const { stores } = context;
  const { db } = stores;
  const countRequest = createAddressLimit(server, 'reading', MAX_REQUESTS);

  /** Who tries codes is not in the way of those who have one. @throws AppError TRIAL_NOT_FOUND, RATE_LIMITED */
  async function trialOf(request: FastifyRequest, code: string): Promise<string> {
    const trial = await findTrialByCode(db, code);
    if (trial !== undefined) {
      await countRequest(request);
      return trial.id;
    }
    await countWrong(request);
    throw new AppError('TRIAL_NOT_FOUND', 'its code opens none');
  }

  async function readerOf(request: FastifyRequest): Promise<string> {
    const said = `reader ${request.headers[READER]}`;
    return (await findOrCreateReader(db, createHash('sha256').update(said).digest('hex'))).id;
  }

  /** An item of this very trial. @throws AppError TRIAL_NOT_FOUND, TRIAL_ITEM_NOT_FOUND, RATE_LIMITED */
  async function itemOf(request: FastifyRequest, params: { code: string; id: string }): Promise<string> {
    const trialId = await trialOf(request, params.code);
    const itemId = checkUuid(params.id);
    if (!(await isItemOf(db, itemId, trialId))) throw new AppError('TRIAL_ITEM_NOT_FOUND', itemId);
    return itemId;
  }

  server.route({
    method: 'GET',
    url: '/v1/reading/:code/next',
    schema: {
      tags,
      operationId: 'nextReading',
      summary: 'The next word or formula for this volunteer; null when there is none left',
      params: RoomCode,
      headers: ReaderHeaders,
      security: [],
      response: { 200: Type.Object({ question: nullable(QuestionAnswer) }), ...problems(400, 404, 429, 503) },
    },
    async handler(request, reply) {
      const trialId = await trialOf(request, request.params.code);
      const question = await nextQuestion(db, await readerOf(request), trialId);
      reply.header('Cache-Control', 'private, no-store');
      return { question: question === undefined ? null : { ...question } };
    },
  });

  server.route({
    method: 'GET',
    url: '/v1/reading/:code/items/:id/crop',
    schema: {
      tags,
      operationId: 'getReadingCrop',
      summary: 'The crop this volunteer was asked about, in the one form that they see of it',
      params: ItemParams,
      headers: ReaderHeaders,
      security: [],
      response: { 200: fileAnswer('image/*'), ...problems(400, 404, 429, 503) },
    },
    async handler(request, reply) {
      const itemId = await itemOf(request, request.params);
      const bytes = await readCrop(stores, itemId, await readerOf(request));
      return reply.header('Cache-Control', 'private, no-store').type('image/png').send(Buffer.from(bytes));
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/reading/:code/items/:id/reading',
    schema: {
      tags,
      operationId: 'answerReading',
      summary: 'Say what was read; the first answer counts',
      params: ItemParams,
      headers: ReaderHeaders,
      body: ReadingBody,
      security: [],
      response: { 204: Type.Null({ description: 'Noted' }), ...problems(400, 404, 429, 503) },
    },
    async handler(request, reply) {
      const itemId = await itemOf(request, request.params);
      const answer = checkAnswer(request.body.answer);
      await answerQuestion(db, { itemId, userId: await readerOf(request), answer });
      return reply.code(204).send(null);
    },
  });
}
