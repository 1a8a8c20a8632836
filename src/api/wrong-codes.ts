/** Pages that are opened by a code: who tries wrong ones is slowed down, together on all such pages. */
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import type { Server } from './schemas.ts';

/** Wrong codes a minute from one address. 128 random bits are not found by trying; this keeps the log quiet. */
const MAX_WRONG_CODES = 60;

/** Counts a request; rejects with RATE_LIMITED where there were too many from its address. */
export type CountRequest = (request: FastifyRequest) => Promise<void>;
export type CountWrongCode = CountRequest;

/** The server must have the rate limiter. */
export function createWrongCodes(server: Server): CountWrongCode {
  return createAddressLimit(server, 'wrong codes', MAX_WRONG_CODES);
}

/**
 * The server must have the rate limiter.
 * @param what is counted; all counts are kept in one place, by this name
 * @param max requests a minute from one address
 */
export function createAddressLimit(server: Server, what: string, max: number): CountRequest {
  const count = server.createRateLimit({
    max,
    timeWindow: '1 minute',
    keyGenerator: ({ ip }) => `${what} ${ip}`,
  });
  return async (request) => {
    const { isAllowed, ...limit } = await count(request);
    if (!isAllowed && 'isExceeded' in limit && limit.isExceeded) {
      throw new AppError('RATE_LIMITED', `try again in ${limit.ttlInSeconds} s`);
    }
  };
}
