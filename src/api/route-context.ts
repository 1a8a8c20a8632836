/** What every route works with, and who is asking it. */
import type { FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import type { Catalogue } from '../engine/models.ts';
import { AppError } from '../errors.ts';
import type { Upscale } from '../job.ts';
import type { Stores } from '../jobs/erasure.ts';
import type { Watch } from '../jobs/watch.ts';
import { findUpscale } from '../storage/upscale-records.ts';
import { findOrCreateUser, type Identity } from '../storage/user-records.ts';
import type { Metrics } from './metrics.ts';

/** Opened by the composition root, and closed by it. */
export interface RouteContext {
  readonly config: Config;
  readonly stores: Stores;
  readonly watch: Watch;
  readonly catalogue: Catalogue;
  readonly metrics: Metrics;
  /** Aborts when the server begins to stop: whoever waits is answered with how things stand. */
  readonly stopping: AbortSignal;
}

/** Name of the request's decorator that holds who asks; set before any route of /v1 runs. */
export const IDENTITY = 'identity';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** For routes of services that ask often, on behalf of everybody: no limit of requests a minute. */
export const UNLIMITED = { isUnlimited: true };

/** The id, if it is one of ours: what is no UUID must not reach a column of UUIDs. @throws AppError NOT_FOUND */
export function checkUuid(id: string): string {
  if (!UUID.test(id)) throw new AppError('NOT_FOUND', 'its id is none');
  return id;
}

/** For routes that act for nobody in particular: whoever has a key, or is at this machine where none is asked for. */
export function checkService(request: FastifyRequest): void {
  const identity = request.getDecorator<Identity>(IDENTITY);
  if ('telegramId' in identity) throw new AppError('FORBIDDEN', 'it is for services, not for users');
}

/** Administrators are those of ADMIN_IDS, and services that act for nobody else. */
export function isAdmin(request: FastifyRequest, { adminIds }: Config): boolean {
  const identity = request.getDecorator<Identity>(IDENTITY);
  return 'telegramId' in identity ? adminIds.includes(identity.telegramId) : true;
}

/** @throws AppError FORBIDDEN */
export function checkAdmin(request: FastifyRequest, config: Config): void {
  if (!isAdmin(request, config)) throw new AppError('FORBIDDEN', 'it is for administrators');
}

/** The id of the user who asks, made if there was none. */
export async function findCaller(request: FastifyRequest, { stores }: RouteContext): Promise<string> {
  const identity = request.getDecorator<Identity>(IDENTITY);
  return (await findOrCreateUser(stores.db, identity)).id;
}

/** The upscale with this id, if it is the caller's: another's is as if there were none. @throws AppError UPSCALE_NOT_FOUND */
export async function findOwn(request: FastifyRequest, id: string, context: RouteContext): Promise<Upscale> {
  // What is no UUID must not reach a column of UUIDs: the database would call it an error of ours.
  const known = UUID.test(id);
  const upscale = known && (await findUpscale(context.stores.db, id, await findCaller(request, context)));
  if (!upscale) throw new AppError('UPSCALE_NOT_FOUND', known ? id : 'its id is none');
  return upscale;
}
