/** Codes that open something to whoever holds them: a room, the reading trial. */
import { randomBytes } from 'node:crypto';

/** 128 bits in 22 letters that stand in an address: nobody guesses it, and nobody gets far by trying. */
export function newCode(): string {
  return randomBytes(16).toString('base64url');
}
