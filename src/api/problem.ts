/** Errors as answers: every failure of a request becomes `application/problem+json` with a code of the catalogue. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, toAppError } from '../errors.ts';

/** RFC 9457, with the code programs branch on, the next step for people, and the request's id for the log. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly action: string;
  readonly requestId?: string;
}

export const PROBLEM_TYPE = 'application/problem+json';

/** Fastify's and its plugins' codes that have a better name in the catalogue than INVALID_REQUEST. */
const CODES_OF_FASTIFY: Readonly<Record<string, 'TOO_MANY_BYTES' | 'NOT_READY'>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'TOO_MANY_BYTES',
  FST_REQ_FILE_TOO_LARGE: 'TOO_MANY_BYTES',
  FST_ERR_REPLY_FROM_SERVICE_UNAVAILABLE: 'NOT_READY',
};

/** What the validator says of a mismatch, as far as it is told to people. */
export interface Mismatch {
  readonly instancePath: string;
  readonly message?: string | undefined;
  readonly params: object;
}

/** Which word of the query, the form or the body is wrong, and what would be right. @param where which of them */
export function describeMismatches(where: string, mismatches: readonly Mismatch[]): string {
  const told = mismatches.map(({ instancePath, message = 'is wrong', params }) => {
    const { additionalProperty, allowedValues } = params as {
      additionalProperty?: string;
      allowedValues?: unknown[];
    };
    if (additionalProperty !== undefined) return `${additionalProperty} is not known`;
    const name = instancePath.slice(1).replaceAll('/', '.') || 'it';
    return `${name} ${allowedValues === undefined ? message : `must be one of ${allowedValues.join(', ')}`}`;
  });
  return `${where}: ${told.join('; ')}`;
}

/** How Fastify calls the parts of a request, and people. */
const PARTS: Readonly<Record<string, string>> = {
  querystring: 'the query',
  params: 'the address',
  headers: 'the headers',
  body: 'the body',
};

/** For Fastify: the error of a request that its route's schema does not let through. */
export function toMismatchError(mismatches: readonly Mismatch[], part: string): AppError {
  return new AppError('INVALID_REQUEST', describeMismatches(PARTS[part] ?? part, mismatches));
}

/** The answer for an error. What an error of ours says about the inside stays in the log. */
export function toProblem(error: AppError, requestId?: string): Problem {
  const { code, status, action, title } = error;
  const isPublic = status < 500 || code === 'NOT_READY';
  const detail = isPublic ? error.detail : 'the log has it under the id of this request';
  return {
    type: `urn:boardsharp:problem:${code}`,
    title,
    status,
    detail,
    code,
    action,
    ...(requestId === undefined ? {} : { requestId }),
  };
}

/** Any error that reaches Fastify as one of the catalogue: what the request caused is never a 500. */
export function toRequestError(thrown: FastifyError | AppError | Error): AppError {
  if (thrown instanceof AppError) return thrown;
  const { code = '', statusCode = 500, message } = thrown as FastifyError;
  if (statusCode === 503) return new AppError('NOT_READY', 'it is stopping', { cause: thrown });
  if (statusCode >= 500) return toAppError(thrown);
  const detail = message.replace(/\.+$/, '');
  return new AppError(CODES_OF_FASTIFY[code] ?? 'INVALID_REQUEST', detail, { cause: thrown });
}

/** The one error handler. */
export function answerError(thrown: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toRequestError(thrown);
  if (error.status >= 500) request.log.error({ err: error.cause ?? error }, 'an error of ours');
  else request.log.debug({ code: error.code, detail: error.detail }, 'request refused');
  // An address that cannot be read is refused before any hook has run.
  reply.header('X-Request-Id', request.id);
  if (error.code === 'UNAUTHORIZED') reply.header('WWW-Authenticate', 'Bearer');
  if (error.code === 'QUOTA_EXCEEDED' || error.status === 503) reply.header('Retry-After', '10');
  return reply.code(error.status).type(PROBLEM_TYPE).send(toProblem(error, request.id));
}

/** Bytes on a socket that are no request never reach Fastify: they are answered here, and the connection ends. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const problem = toProblem(
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new AppError('HEADERS_TOO_LARGE', 'more than this server reads')
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? new AppError('REQUEST_TOO_SLOW', 'it was not complete in time')
        : new AppError('INVALID_REQUEST', 'this is not HTTP'),
  );
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
