/** Pages that are opened by a code: who tries wrong ones is slowed down, together on all such pages. */
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import type { Server } from './schemas.ts';

/** Wrong codes a minute from one address. 128 random bits are not found by trying; this keeps the log quiet. */
const MAX_WRONG_CODES = 60;

/** Counts a wrong code; rejects with RATE_LIMITED where there were too many. */
export type CountWrongCode = (request: FastifyRequest) => Promise<void>;

/** The server must have the rate limiter. */
export function createWrongCodes(server: Server): CountWrongCode {
  const count = server.createRateLimit({
    max: MAX_WRONG_CODES,
    timeWindow: '1 minute',
    keyGenerator: ({ ip }) => ip,
  });
  return async (request) => {
    const { isAllowed, ...limit } = await count(request);
    if (!isAllowed && 'isExceeded' in limit && limit.isExceeded) {
      throw new AppError('RATE_LIMITED', `try again in ${limit.ttlInSeconds} s`);
    }
  };
}
