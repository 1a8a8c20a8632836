/** How often each of many workers asks the database, so that a thousand of them together ask it no more often than a few dozen. Pure. */

/** All of them together, at most. */
const LOOKS_A_SECOND = 40;
const RECOVERIES_A_SECOND = 10;
/** Retried photos become due without a message, and messages can be lost. */
const LOOK_EVERY_MS = 1000;
/** How long photos of a dead worker lie before they are noticed. */
const RECOVER_EVERY_MS = 2000;
/** Of those that hear of a photo, so many look for it; more would only be in each other's way. */
const HEARERS = 8;

/** Milliseconds until one of so many workers looks for a photo by itself. */
export function lookEveryMs(workers: number): number {
  return Math.max(LOOK_EVERY_MS, (1000 * workers) / LOOKS_A_SECOND);
}

/** Milliseconds until one of so many looks for workers that died. */
export function recoverEveryMs(workers: number): number {
  return Math.max(RECOVER_EVERY_MS, (1000 * workers) / RECOVERIES_A_SECOND);
}

/** Whether one of so many looks when all are told that there is a photo. @param random in 0…1 */
export function answers(workers: number, random: number): boolean {
  return random * workers < HEARERS;
}
