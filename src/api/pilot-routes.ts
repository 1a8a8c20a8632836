/** The pilot over HTTP: answers to surveys, and the report for administrators. */
import { Type } from 'typebox';
import { AppError } from '../errors.ts';
import { makePilotReport } from '../pilot/pilot-report.ts';
import { findCases, trialResults } from '../pilot/reading-trial.ts';
import { htmlReport, jsonReport, markdownReport } from '../pilot/report-pages.ts';
import { findBroadcast, findSurveyAnswers, savePollAnswer } from '../storage/broadcast-records.ts';
import { listTrials } from '../storage/trial-records.ts';
import { fileAnswer } from './room-schemas.ts';
import { checkAdmin, checkUuid, findCaller, type RouteContext } from './route-context.ts';
import { problems, type Server, words } from './schemas.ts';
import { Id, PollAnswerBody, PollId } from './telegram-schemas.ts';

const tags = ['pilot'];
const DEFAULT_DAYS = 30;
const SHOWN_CASES = 6;
const FORMATS = ['html', 'md', 'json'] as const;

const ReportQuery = Type.Object(
  {
    since: Type.Optional(Type.String({ format: 'date', description: 'Empty: the last 30 days' })),
    format: Type.Optional(words(FORMATS, 'html needs nothing else')),
  },
  { additionalProperties: false },
);

/** Adds the routes. The server must read JSON. */
export function addPilotRoutes(server: Server, context: RouteContext): void {
  const { stores, config } = context;
  const { db } = stores;

  server.route({
    method: 'POST',
    url: '/v1/polls/:id/answer',
    schema: {
      tags,
      operationId: 'answerPoll',
      summary: 'What you chose in a poll that was sent to you',
      params: PollId,
      body: PollAnswerBody,
      response: { 204: Type.Null({ description: 'Noted' }), ...problems(400, 401, 404, 429, 503) },
    },
    async handler(request, reply) {
      const userId = await findCaller(request, context);
      const known = await savePollAnswer(db, request.params.id, userId, request.body.option);
      if (!known) throw new AppError('NOT_FOUND', 'it is no poll of yours');
      return reply.code(204).send(null);
    },
  });

  server.route({
    method: 'GET',
    url: '/v1/admin/broadcasts/:id/answers',
    schema: {
      tags,
      operationId: 'getAnswers',
      summary: 'The answers to a survey as CSV; people are not named',
      params: Id,
      response: { 200: fileAnswer('text/csv'), ...problems(401, 403, 404, 429, 503) },
    },
    async handler(request, reply) {
      checkAdmin(request, config);
      const survey = await findBroadcast(db, checkUuid(request.params.id));
      if (!survey?.options) throw new AppError('NOT_FOUND', 'a survey with this id');
      const rows = (await findSurveyAnswers(db, survey.id)).map(
        ({ answeredAt, language, answer, photos }) => [
          ...[answeredAt.toISOString(), language ?? '', String(photos), String(answer + 1)],
          ...[survey.options?.[answer]?.en ?? '', survey.options?.[answer]?.ru ?? ''],
        ],
      );
      const table = [
        ['answered_at', 'language', 'photos_before', 'answer', 'answer_en', 'answer_ru'],
        ...rows,
      ];
      return reply
        .headers({
          'Content-Type': 'text/csv; charset=utf-8',
          'Content-Disposition': 'attachment; filename="survey.csv"',
          'Cache-Control': 'private, no-store',
        })
        .send(toCsv(table));
    },
  });

  server.route({
    method: 'GET',
    url: '/v1/admin/report',
    schema: {
      tags,
      operationId: 'getReport',
      summary: 'The pilot report; without picture scores, which `boardsharp report --evaluation` adds',
      querystring: ReportQuery,
      response: {
        200: {
          description: 'The report',
          content: Object.fromEntries(
            ['text/html', 'text/markdown', 'application/json'].map((type) => [type, { schema: Type.Any() }]),
          ),
        },
        ...problems(400, 401, 403, 429, 503),
      },
    },
    async handler(request, reply) {
      checkAdmin(request, config);
      const { since, format = 'html' } = request.query;
      const until = new Date();
      const report = await makePilotReport(db, {
        since: since === undefined ? new Date(until.getTime() - DEFAULT_DAYS * 86_400_000) : new Date(since),
        ...{ until, pictureScores: [], pricePerHour: undefined },
        trial: (await listTrials(db)).length > 0 ? await trialResults(db) : null,
        ...(await findCases(stores, SHOWN_CASES)),
      });
      const [type, write] = {
        html: ['text/html', htmlReport] as const,
        md: ['text/markdown', markdownReport] as const,
        json: ['application/json', jsonReport] as const,
      }[format];
      return reply
        .headers({
          'Content-Type': `${type}; charset=utf-8`,
          'Cache-Control': 'private, no-store',
          // It is read from the file; here it runs nothing and asks nobody.
          'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        })
        .send(write(report));
    },
  });
}

/** RFC 4180; a text that a table would take for a formula is marked as text. */
function toCsv(rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => {
    const safe = /^[=+\-@\t]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return `${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}
