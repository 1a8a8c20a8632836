/** The reading trial over HTTP: the next word for a volunteer, its crop, and what they read. */
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { AppError } from '../errors.ts';
import { answerQuestion, nextQuestion, readCrop } from '../pilot/reading-trial.ts';
import { findUnanswered } from '../storage/trial-records.ts';
import { checkUuid, findCaller, type RouteContext } from './route-context.ts';
import { nullable, problems, type Server, words } from './schemas.ts';
import { Id } from './telegram-schemas.ts';

const tags = ['reading trial'];
const OPEN_SECONDS = 3600;

export const QuestionAnswer = Type.Object({
  itemId: Type.String({ format: 'uuid' }),
  kind: words(['word', 'formula'], 'What is to be read'),
  answered: Type.Integer({ minimum: 0, description: 'How many you have answered' }),
  left: Type.Integer({ minimum: 1, description: 'How many there are for you, with this one' }),
});
export const ReadingBody = Type.Object(
  {
    answer: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      maxLength: 300,
      description: 'What you read; null: it cannot be read',
    }),
  },
  { additionalProperties: false },
);

/** @throws AppError INVALID_REQUEST for an answer that says nothing */
export function checkAnswer(answer: string | null): string | null {
  if (answer?.trim() === '') throw new AppError('INVALID_REQUEST', 'an empty answer; null means unread');
  return answer;
}

/** Adds the routes. The server must read JSON. */
export function addTrialRoutes(server: Server, context: RouteContext): void {
  const { db } = context.stores;

  server.route({
    method: 'GET',
    url: '/v1/trial/next',
    schema: {
      tags,
      operationId: 'nextQuestion',
      summary: 'The next word or formula for you; null when there is none left',
      response: {
        200: Type.Object({ question: nullable(QuestionAnswer) }),
        ...problems(401, 429, 503),
      },
    },
    async handler(request) {
      const question = await nextQuestion(db, await findCaller(request, context));
      return { question: question === undefined ? null : { ...question } };
    },
  });

  server.route({
    method: 'GET',
    url: '/v1/trial/open',
    schema: {
      tags,
      operationId: 'openQuestion',
      summary: 'What you were asked within the last hour and have not answered; nobody is asked by this',
      response: {
        200: Type.Object({ itemId: nullable(Type.String({ format: 'uuid' })) }),
        ...problems(401, 429, 503),
      },
    },
    async handler(request) {
      const open = await findUnanswered(db, await findCaller(request, context), {
        withinSeconds: OPEN_SECONDS,
      });
      return { itemId: open?.id ?? null };
    },
  });

  server.route({
    method: 'GET',
    url: '/v1/trial/items/:id/crop',
    schema: {
      tags,
      operationId: 'getCrop',
      summary: 'The crop you were asked about, in the one form that you see of it',
      params: Id,
      response: {
        200: { description: 'PNG', content: { 'image/*': { schema: { type: 'string', format: 'binary' } } } },
        ...problems(401, 404, 429, 503),
      },
    },
    async handler(request, reply) {
      const user = await findCaller(request, context);
      const bytes = await readCrop(context.stores, checkUuid(request.params.id), user);
      const headers = { 'Content-Type': 'image/png', 'Cache-Control': 'private, no-store' };
      const answer: FastifyReply = reply.headers({ ...headers, 'Content-Length': bytes.length });
      return answer.send(Buffer.from(bytes));
    },
  });

  server.route({
    method: 'POST',
    url: '/v1/trial/items/:id/reading',
    schema: {
      tags,
      operationId: 'answerQuestion',
      summary: 'Say what you read; the first answer counts',
      params: Id,
      body: ReadingBody,
      response: { 204: Type.Null({ description: 'Noted' }), ...problems(400, 401, 404, 429, 503) },
    },
    async handler(request, reply) {
      const userId = await findCaller(request, context);
      const answer = checkAnswer(request.body.answer);
      await answerQuestion(db, { itemId: checkUuid(request.params.id), userId, answer });
      return reply.code(204).send(null);
    },
  });
}
