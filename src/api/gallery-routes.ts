/** The page of a room, for whoever holds its code: its pictures as they come, one, or all of them in one file. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import QRCode from 'qrcode';
import { Type } from 'typebox';
import { AppError } from '../errors.ts';
import type { Upscale } from '../job.ts';
import { findPictures, findShownPicture, reportPicture } from '../storage/room-picture-records.ts';
import { findBotName, findDoor, type RoomDoor } from '../storage/room-records.ts';
import { findUpscale } from '../storage/upscale-records.ts';
import { type GalleryFile, pdfOf, zipOf } from './gallery-files.ts';
import { createPageJpegs } from './gallery-jpegs.ts';
import {
  fileAnswer,
  GalleryAnswer,
  GalleryPictureQuery,
  GalleryQuery,
  PictureId,
  RoomCode,
} from './room-schemas.ts';
import { checkUuid, type RouteContext } from './route-context.ts';
import { problems, type Server } from './schemas.ts';
import { fileOf, sendWhole } from './send-picture.ts';
import type { CountWrongCode } from './wrong-codes.ts';

const tags = ['rooms'];

/** Adds the routes: they ask for no key, but for the room's code every single time. */
export function addGalleryRoutes(server: Server, context: RouteContext, countWrong: CountWrongCode): void {
  const { stores, watch, config, stopping } = context;
  const { db, blobs } = stores;

  /** @throws AppError ROOM_NOT_FOUND, RATE_LIMITED */
  async function doorOf(request: FastifyRequest, code: string): Promise<RoomDoor> {
    const door = await findDoor(db, code);
    if (door !== undefined) return door;
    await countWrong(request);
    throw new AppError('ROOM_NOT_FOUND', 'its code is not, or no longer, valid');
  }

  /** @throws AppError ROOM_NOT_FOUND, NOT_FOUND */
  async function pictureOf(request: FastifyRequest, params: { code: string; id: string }): Promise<Upscale> {
    const door = await doorOf(request, params.code);
    const shown = await findShownPicture(db, door.id, checkUuid(params.id));
    const upscale = shown && (await findUpscale(db, shown.upscaleId));
    if (upscale === undefined) throw new AppError('NOT_FOUND', 'the room shows no such picture');
    return upscale;
  }

  async function galleryOf(door: RoomDoor) {
    const pictures = await findPictures(db, door.id);
    const { title, members } = door;
    const version = createHash('sha256')
      .update(JSON.stringify([title, members, pictures.map(({ id }) => id)]))
      .digest('base64url')
      .slice(0, 22);
    return {
      ...{ version, title, members },
      pictures: pictures.map(({ id, shareId, width, height, sentAt, sharedAt }) => ({
        ...{ id, shareId, width, height },
        ...{ sentAt: sentAt.toISOString(), sharedAt: sharedAt.toISOString() },
      })),
    };
  }

  /** Where one joins in Telegram. */
  async function joinUrlOf(code: string): Promise<string | null> {
    const bot = await findBotName(db);
    return bot === undefined ? null : `https://t.me/${bot}?start=r_${code}`;
  }

  server.route({
    method: 'GET',
    url: '/v1/gallery/:code',
    schema: {
      tags,
      operationId: 'getGallery',
      summary:
        'What a room shows, for whoever holds its code; with `wait` and `version`, as soon as that changes',
      params: RoomCode,
      querystring: GalleryQuery,
      security: [],
      response: { 200: GalleryAnswer, ...problems(400, 404, 429, 503) },
    },
    async handler(request, reply) {
      const { code } = request.params;
      const { wait = 0, version } = request.query;
      let door = await doorOf(request, code);
      const gone = new AbortController();
      reply.raw.on('close', () => gone.abort());
      const signal = AbortSignal.any([stopping, gone.signal, AbortSignal.timeout(wait * 1000)]);
      const changes = watch.room(door.id, () => changed.resolve());
      let changed = Promise.withResolvers<void>();
      const stop = (): void => changed.resolve();
      signal.addEventListener('abort', stop);
      try {
        for (;;) {
          changed = Promise.withResolvers<void>();
          // Asked again after every change: the code may open nothing any more.
          door = await doorOf(request, code);
          const gallery = await galleryOf(door);
          if (signal.aborted || gallery.version !== version || wait === 0) {
            const retentionSeconds = config.retentionMs / 1000;
            reply.header('Cache-Control', 'private, no-store');
            return { ...gallery, joinUrl: await joinUrlOf(code), retentionSeconds };
          }
          await changed.promise;
        }
      } finally {
        signal.removeEventListener('abort', stop);
        changes();
      }
    },
  });

  const pictureAnswer = {
    200: fileAnswer('image/*'),
    304: Type.Null({ description: 'It is the one you have' }),
    ...problems(404, 429, 503),
  };

  server.route({
    method: 'GET',
    url: '/v1/gallery/:code/pictures/:id/result',
    schema: {
      tags,
      operationId: 'getGalleryResult',
      summary: 'A picture of the room',
      params: PictureId,
      querystring: GalleryPictureQuery,
      security: [],
      response: pictureAnswer,
    },
    async handler(request, reply) {
      const upscale = await pictureOf(request, request.params);
      const { download: asDownload = false } = request.query;
      return sendWhole(request, reply, { blobs, file: fileOf(upscale, 'result'), asDownload });
    },
  });

  const jpegs = createPageJpegs(blobs, config);
  for (const kind of ['original', 'preview'] as const) {
    server.route({
      method: 'GET',
      url: `/v1/gallery/:code/pictures/:id/${kind}`,
      schema: {
        tags,
        operationId: kind === 'original' ? 'getGalleryOriginal' : 'getGalleryPreview',
        summary:
          kind === 'original'
            ? 'The photo a picture was made of, upright, as a JPEG that says nothing of where it was taken'
            : 'A picture of the room, small enough for a list',
        params: PictureId,
        security: [],
        response: pictureAnswer,
      },
      async handler(request, reply) {
        const upscale = await pictureOf(request, request.params);
        const etag = `"${kind}-${upscale.id}"`;
        reply.headers({ ETag: etag, 'Cache-Control': 'private, no-cache' });
        if (request.headers['if-none-match'] === etag) return reply.code(304).send(null);
        return reply.type('image/jpeg').send(Buffer.from(await jpegs[kind](upscale)));
      },
    });
  }

  server.route({
    method: 'POST',
    url: '/v1/gallery/:code/pictures/:id/report',
    schema: {
      tags,
      operationId: 'reportGalleryPicture',
      summary: 'Tell the administrators of a picture',
      params: PictureId,
      security: [],
      response: { 204: Type.Null({ description: 'Done' }), ...problems(404, 429, 503) },
    },
    async handler(request, reply) {
      await pictureOf(request, request.params);
      await reportPicture(db, request.params.id, null);
      return reply.code(204).send(null);
    },
  });

  /** Every picture the room shows, as a file. */
  async function filesOf(
    request: FastifyRequest,
    code: string,
  ): Promise<{ files: GalleryFile[]; door: RoomDoor }> {
    const door = await doorOf(request, code);
    const files: GalleryFile[] = [];
    for (const { upscaleId, width, height } of await findPictures(db, door.id)) {
      const upscale = await findUpscale(db, upscaleId);
      if (upscale !== undefined) files.push({ ...fileOf(upscale, 'result'), width, height });
    }
    if (files.length === 0) throw new AppError('NOT_FOUND', 'the room shows no picture yet');
    return { files, door };
  }

  for (const [format, type] of [
    ['zip', 'application/zip'],
    ['pdf', 'application/pdf'],
  ] as const) {
    server.route({
      method: 'GET',
      url: `/v1/gallery/:code/${format}`,
      schema: {
        tags,
        operationId: format === 'zip' ? 'getGalleryZip' : 'getGalleryPdf',
        summary: `All pictures of the room as one ${format.toUpperCase()}`,
        params: RoomCode,
        security: [],
        response: { 200: fileAnswer(type), ...problems(404, 429, 503) },
      },
      async handler(request, reply) {
        const { files, door } = await filesOf(request, request.params.code);
        const day = new Date().toISOString().slice(0, 10);
        reply.headers({
          'Content-Type': type,
          'Cache-Control': 'private, no-store',
          'Content-Disposition': `attachment; filename="boards-${day}.${format}"`,
        });
        return reply.send(
          format === 'zip' ? zipOf(blobs, files) : Readable.from(pdfOf(blobs, files, door.title)),
        );
      },
    });
  }

  server.route({
    method: 'GET',
    url: '/v1/gallery/:code/qr',
    schema: {
      tags,
      operationId: 'getGalleryQr',
      summary: 'A QR picture that leads into the room: in Telegram where there is a bot, else to its page',
      params: RoomCode,
      security: [],
      response: { 200: fileAnswer('image/*'), ...problems(404, 429, 503) },
    },
    async handler(request, reply) {
      const { code } = request.params;
      await doorOf(request, code);
      const page = `${config.publicUrl ?? `${request.protocol}://${request.host}`}/rooms/${code}`;
      const svg = await QRCode.toString((await joinUrlOf(code)) ?? page, { type: 'svg', margin: 4 });
      return reply.headers({ 'Cache-Control': 'private, no-store' }).type('image/svg+xml').send(svg);
    },
  });
}
