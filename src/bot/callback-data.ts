/** What the bot's buttons carry: a version, a verb, and at most an id; 64 bytes at most. Pure. */

/** Of the layout below: buttons of older ones are answered as stale. */
const VERSION = '1';
const MAX_BYTES = 64;

/** Of rooms: what their subject is stands where they are made. */
export const ROOM_VERBS = [
  'room',
  'join',
  'share',
  'shareto',
  'invite',
  'shares',
  'receives',
  'members',
  'kick',
  'promote',
  'demote',
  'newcode',
  'leave',
  'close',
  'closed',
  'take',
  'report',
  'adminclose',
] as const;

export const VERBS = [
  // Below a result: its photo once more.
  'x2',
  'x4',
  'natural',
  'clean',
  'original',
  'good',
  'bad',
  // Why it was not liked.
  'why',
  'whynot',
  // Below a crop of the reading trial.
  'unread',
  'enough',
  // Below the status.
  'cancel',
  ...ROOM_VERBS,
  // Settings and the like; the id is what was chosen.
  'set',
  'consent',
  'language',
  'erase',
  // For administrators.
  'retry',
  'send',
  'stop',
  'csv',
] as const;
export type Verb = (typeof VERBS)[number];

export interface Press {
  readonly verb: Verb;
  /** Short words and UUIDs, with spaces between. */
  readonly subject: string;
}

/** @throws RangeError for what does not fit */
export function encodePress({ verb, subject }: Press): string {
  const words = subject.split(' ').map((word) => (UUID.test(word) ? `~${shorten(word)}` : word));
  const data = [VERSION, verb, words.join(' ')].join(':');
  if (Buffer.byteLength(data) > MAX_BYTES) throw new RangeError(`the button data ${data} is too long`);
  return data;
}

/** Undefined for the button of another version, or of another bot. */
export function decodePress(data: string): Press | undefined {
  const [version, name, ...rest] = data.split(':');
  const verb = VERBS.find((known) => known === name);
  if (version !== VERSION || verb === undefined) return undefined;
  const words = rest.join(':').split(' ');
  return {
    verb,
    subject: words.map((word) => (word.startsWith('~') ? lengthen(word.slice(1)) : word)).join(' '),
  };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function shorten(uuid: string): string {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url');
}

function lengthen(short: string): string {
  const hex = Buffer.from(short, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
