/** People and a room of theirs, at the real API, for tests. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { createClient } from '../../src/client/client.ts';
import { createRoomClient, createRoomSenderClient } from '../../src/client/room-client.ts';
import { createUserClient } from '../../src/client/telegram-client.ts';
import { openTestService, photo, untilEnd } from './api.ts';

export const LEASE = { max: 50, leaseSeconds: 60 };

interface Gallery {
  readonly version: string;
  readonly pictures: readonly { readonly id: string }[];
}

export async function openPeople(t: TestContext, settings: Record<string, string> = {}) {
  const { url } = await openTestService(t, settings);
  const person = (id: number) => {
    const options = { url, user: `telegram:${id}` };
    const [photos, user, rooms] = [
      createClient(options),
      createUserClient(options),
      createRoomClient(options),
    ];
    return {
      ...{ id, photos, user, rooms },
      /** A result of theirs. */
      async result(bytes?: Uint8Array<ArrayBuffer>): Promise<string> {
        const { id: upscale } = await photos.createUpscale(bytes ?? (await photo()), { scale: 2 });
        assert.equal((await untilEnd(photos, upscale)).status, 'done');
        return upscale;
      },
      create: (title = 'Analysis') => rooms.createRoom({ title, name: `P${id}`, language: 'en' }),
      join: ({ code }: { code: string }) => rooms.joinRoom({ code, name: `P${id}`, language: 'en' }),
    };
  };
  const people = {
    owner: person(1),
    moderator: person(2),
    anna: person(3),
    boris: person(4),
    stranger: person(5),
  };
  const gallery = async (code: string, query = '') => {
    const response = await fetch(`${url}/v1/gallery/${code}${query}`);
    return { status: response.status, body: (await response.json()) as Gallery };
  };
  return { url, ...people, person, sender: createRoomSenderClient({ url }), gallery };
}

/** A room with an owner, a moderator and two members. */
export async function openRoom(t: TestContext, settings: Record<string, string> = {}) {
  const all = await openPeople(t, settings);
  const { owner, moderator, anna, boris } = all;
  const room = await owner.create();
  for (const one of [moderator, anna, boris]) await one.join(room);
  const members = await owner.rooms.listMembers(room.id);
  const idOf = (name: string) => members.find((member) => member.name === name)?.memberId ?? '';
  await owner.rooms.putRole(room.id, idOf('P2'), 'moderator');
  return { ...all, room, idOf };
}
