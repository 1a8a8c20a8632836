/** A typed client of rooms, for members and for whoever sends to them. Knows nothing but HTTP. */
import type { CallOptions, ClientOptions } from './client.ts';
import { type Language, speak } from './telegram-client.ts';

export type RoomRole = 'owner' | 'moderator' | 'member';

/** A room, as one of its members sees it. */
export interface RoomState {
  readonly id: string;
  readonly code: string;
  readonly title: string;
  readonly role: RoomRole;
  readonly shares: 'ask' | 'always';
  readonly receives: 'each' | 'digest' | 'nothing';
  readonly members: number;
  readonly pictures: number;
  readonly isGroup: boolean;
  readonly pageUrl: string | null;
}

export interface Door {
  readonly title: string;
  readonly members: number;
  readonly isGroup: boolean;
  readonly isMember: boolean;
}

export interface NewRoom {
  readonly title: string;
  readonly name: string;
  readonly language: Language;
  readonly chat?: { readonly chatId: number; readonly threadId: number | null };
}

export interface Member {
  readonly memberId: string;
  readonly name: string;
  readonly role: RoomRole;
}

interface MessageAddress {
  readonly chatId: number;
  readonly messageId: number;
}

export interface SendPicture {
  readonly pictureId: string;
  readonly upscaleId: string;
  readonly fileId: string | null;
  readonly fileKind: 'document' | 'photo' | null;
}

export interface LeasedSend {
  readonly id: string;
  readonly lease: string;
  readonly attempts: number;
  readonly roomId: string;
  readonly title: string;
  readonly chatId: number;
  readonly threadId: number | null;
  readonly isGroup: boolean;
  readonly language: Language;
  readonly role: RoomRole | null;
  readonly pictures: SendPicture[];
}

export interface SendAck {
  readonly lease: string;
  /** `later`: a retry that does not count as an attempt. */
  readonly outcome: 'sent' | 'gone' | 'retry' | 'later' | 'hold';
  readonly chatId?: number;
  readonly messages?: {
    readonly pictureId: string;
    readonly messageId: number;
    readonly fileId: string | null;
    readonly fileKind: 'document' | 'photo' | null;
  }[];
  readonly afterSeconds?: number;
  /** With `hold`: the lease goes on for so long from now. */
  readonly leaseSeconds?: number;
  readonly forgetFiles?: boolean;
}

export interface Chores {
  readonly deletions: {
    readonly sendId: string;
    readonly pictureId: string;
    readonly chatId: number;
    readonly messageId: number;
  }[];
  readonly reports: {
    readonly reportId: string;
    readonly roomId: string;
    readonly title: string;
    readonly telegramId: number | null;
    readonly picture: SendPicture;
  }[];
}

const at = (id: string): string => `/v1/rooms/${encodeURIComponent(id)}`;

/** Calls that act for one user: the options name them. Throws as `createClient` says. */
export function createRoomClient(options: ClientOptions) {
  const { json, send } = speak(options);
  return {
    createRoom: (room: NewRoom, call?: CallOptions) => json<RoomState>('POST', '/v1/rooms', room, call),
    listRooms: async (call?: CallOptions) =>
      (await json<{ rooms: RoomState[] }>('GET', '/v1/rooms', undefined, call)).rooms,
    getRoom: (id: string, call?: CallOptions) => json<RoomState>('GET', at(id), undefined, call),
    renameRoom: (id: string, title: string, call?: CallOptions) =>
      json<RoomState>('PATCH', at(id), { title }, call),
    closeRoom: (id: string, call?: CallOptions) => send('DELETE', at(id), undefined, call),
    /** The old code opens nothing any more. */
    rotateRoomCode: (id: string, call?: CallOptions) =>
      json<RoomState>('POST', `${at(id)}/code`, undefined, call),
    getDoor: (code: string, call?: CallOptions) =>
      json<Door>('GET', `/v1/room-codes/${encodeURIComponent(code)}`, undefined, call),
    joinRoom: (
      who: { readonly code: string; readonly name: string; readonly language: Language },
      call?: CallOptions,
    ) => json<RoomState>('POST', '/v1/rooms/join', who, call),
    patchRoomWishes: (
      id: string,
      wishes: { readonly shares?: RoomState['shares']; readonly receives?: RoomState['receives'] },
      call?: CallOptions,
    ) => json<RoomState>('PATCH', `${at(id)}/me`, wishes, call),
    leaveRoom: (id: string, call?: CallOptions) => send('DELETE', `${at(id)}/me`, undefined, call),
    listMembers: async (id: string, call?: CallOptions) =>
      (await json<{ members: Member[] }>('GET', `${at(id)}/members`, undefined, call)).members,
    putRole: (id: string, memberId: string, role: 'moderator' | 'member', call?: CallOptions) =>
      send('PATCH', `${at(id)}/members/${encodeURIComponent(memberId)}`, { role }, call),
    removeMember: (id: string, memberId: string, call?: CallOptions) =>
      json<RoomState>('DELETE', `${at(id)}/members/${encodeURIComponent(memberId)}`, undefined, call),
    /** Results by their ids, or all those that came with one message. */
    shareToRoom: (
      id: string,
      what: { readonly upscaleIds: readonly string[] } | { readonly message: MessageAddress },
      call?: CallOptions,
    ) => json<{ pictures: number; people: number }>('POST', `${at(id)}/pictures`, what, call),
    removePicture: (id: string, call?: CallOptions) =>
      send('DELETE', `/v1/room-pictures/${encodeURIComponent(id)}`, undefined, call),
    /** How many pictures of the message were removed for everybody. */
    removeByMessage: async (message: MessageAddress, call?: CallOptions) =>
      (await json<{ count: number }>('POST', '/v1/room-messages/remove', message, call)).count,
    reportByMessage: async (message: MessageAddress, call?: CallOptions) =>
      (await json<{ count: number }>('POST', '/v1/room-messages/report', message, call)).count,
  };
}
export type RoomClient = ReturnType<typeof createRoomClient>;

/** Calls of whoever sends to rooms, for nobody in particular. Throws as `createClient` says. */
export function createRoomSenderClient(options: Omit<ClientOptions, 'user'>) {
  const { json, send, bytes } = speak(options);
  return {
    putBot: (username: string, call?: CallOptions) => send('PUT', '/v1/bot', { username }, call),
    leaseSends: async (lease: { max: number; leaseSeconds: number; wait?: number }, call?: CallOptions) =>
      (await json<{ sends: LeasedSend[] }>('POST', '/v1/room-sends/lease', lease, call)).sends,
    ackSend: (id: string, ack: SendAck, call?: CallOptions) =>
      send('POST', `/v1/room-sends/${id}/ack`, ack, call),
    getRoomPicture: (
      pictureId: string,
      { maxBytes, maxSide }: { readonly maxBytes: number; readonly maxSide?: number },
      call?: CallOptions,
    ) =>
      bytes(
        `/v1/room-pictures/${encodeURIComponent(pictureId)}/result?maxBytes=${maxBytes}${maxSide === undefined ? '' : `&maxSide=${maxSide}`}`,
        call,
      ),
    leaseChores: (lease: { max: number; leaseSeconds: number }, call?: CallOptions) =>
      json<Chores>('POST', '/v1/room-chores/lease', lease, call),
    settleChore: (
      chore: {
        readonly deletion?: {
          readonly sendId: string;
          readonly pictureId: string;
          readonly afterSeconds?: number;
        };
        readonly reportId?: string;
      },
      call?: CallOptions,
    ) => send('POST', '/v1/room-chores/done', chore, call),
  };
}
export type RoomSenderClient = ReturnType<typeof createRoomSenderClient>;
