/** What the fake Telegram knows: users, chats, messages and files. */
import type { Chat, Message, PhotoSize, Update, User } from '@grammyjs/types';

/** An error as Telegram words it. */
export class TelegramError extends Error {
  readonly code: number;
  readonly parameters: Record<string, unknown> | undefined;

  constructor(code: number, description: string, parameters?: Record<string, unknown>) {
    super(description);
    this.code = code;
    this.parameters = parameters;
  }
}

export function badRequest(what: string, parameters?: Record<string, unknown>): TelegramError {
  return new TelegramError(400, `Bad Request: ${what}`, parameters);
}

export interface StoredFile {
  readonly id: string;
  readonly uniqueId: string;
  readonly kind: 'photo' | 'document';
  readonly name: string;
  readonly mime: string;
  readonly bytes: Buffer;
  readonly path: string;
  readonly width?: number;
  readonly height?: number;
}

/** A message as a client shows it. */
export type StoredMessage = Message & { readonly reactions?: string[] };

export interface ChatState {
  readonly chat: Chat;
  /** Why nothing can be sent there; undefined: it can. */
  refusal: string | undefined;
  movedTo: number | undefined;
  /** Of a group: what bots may not send there. */
  readonly forbidden: Set<'photo' | 'document' | 'text'>;
  readonly topics: Set<number>;
  /** Of a group: who may decide about it. */
  readonly administrators: Set<number>;
  readonly messages: Map<number, StoredMessage>;
  /** What the bot did to messages, by message: how often it was edited. */
  readonly edits: Map<number, number>;
  readonly reactions: Map<number, string>;
  lastAction: string | undefined;
  nextId: number;
}

export const BOT: User & { username: string } = {
  id: 4_242,
  is_bot: true,
  first_name: 'Boardsharp',
  username: 'boardsharp_bot',
};

export interface State {
  readonly chats: Map<number, ChatState>;
  readonly users: Map<number, User>;
  readonly files: Map<string, StoredFile>;
  /** Waiting to be fetched, the oldest first. */
  updates: { readonly update: Update; readonly at: number }[];
  nextUpdateId: number;
  nextFile: number;
  readonly callbacks: Map<string, { answered: boolean; readonly at: number; text: string | undefined }>;
  readonly commands: Map<string, unknown>;
  /** Files that getFile was asked for, and when: only those can be fetched. */
  readonly issued: Map<string, number>;
  /** Milliseconds of the day and age; tests may let days go by. */
  readonly now: () => number;
}

export function createState(now: () => number = Date.now): State {
  return {
    chats: new Map(),
    users: new Map(),
    files: new Map(),
    updates: [],
    nextUpdateId: 700_000,
    nextFile: 1,
    callbacks: new Map(),
    commands: new Map(),
    issued: new Map(),
    now,
  };
}

export function addChat(state: State, chat: Chat): ChatState {
  const added: ChatState = {
    ...{ chat, refusal: undefined, movedTo: undefined, topics: new Set(), messages: new Map() },
    administrators: new Set(),
    forbidden: new Set(),
    ...{ edits: new Map(), reactions: new Map(), lastAction: undefined, nextId: 1 },
  };
  state.chats.set(chat.id, added);
  return added;
}

/** The chat, if the bot may write there. */
export function findChat(state: State, id: unknown): ChatState {
  const found = state.chats.get(Number(id));
  if (found === undefined) throw badRequest('chat not found');
  if (found.movedTo !== undefined) {
    throw badRequest('group chat was upgraded to a supergroup chat', { migrate_to_chat_id: found.movedTo });
  }
  if (found.refusal !== undefined) throw new TelegramError(403, `Forbidden: ${found.refusal}`);
  return found;
}

export function findMessage(chat: ChatState, id: unknown, otherwise: string): StoredMessage {
  const found = chat.messages.get(Number(id));
  if (found === undefined) throw badRequest(otherwise);
  return found;
}

export function storeFile(
  state: State,
  file: Omit<StoredFile, 'id' | 'uniqueId' | 'path'> & { readonly extension: string },
): StoredFile {
  const number = state.nextFile++;
  const { extension, ...rest } = file;
  const prefix = file.kind === 'photo' ? 'AgAC' : 'BQAC';
  const stored = {
    ...rest,
    id: `${prefix}AgIAAxkBAAI${number.toString().padStart(6, '0')}`,
    uniqueId: `AQAD${number}`,
    path: `${file.kind}s/file_${number}.${extension}`,
  };
  state.files.set(stored.id, stored);
  return stored;
}

/** A photo as messages list it: a small size first, the whole last. */
export function photoSizes(file: StoredFile): PhotoSize[] {
  const { width = 90, height = 90, bytes } = file;
  const share = Math.min(1, 90 / Math.max(width, height));
  return [
    {
      ...{
        file_id: `${file.id}s`,
        file_unique_id: `${file.uniqueId}s`,
        file_size: Math.min(1500, bytes.length),
      },
      ...{ width: Math.round(width * share), height: Math.round(height * share) },
    },
    { file_id: file.id, file_unique_id: file.uniqueId, file_size: bytes.length, width, height },
  ];
}

export function documentOf(file: StoredFile): NonNullable<Message['document']> {
  return {
    ...{ file_id: file.id, file_unique_id: file.uniqueId },
    ...{ file_name: file.name, mime_type: file.mime, file_size: file.bytes.length },
  };
}
