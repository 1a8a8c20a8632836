/** Blobs in a bucket of an S3-compatible store. The only file that imports the S3 client. */
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { S3Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { type Blobs, checkKey } from './blobs.ts';

const CONNECT_WITHIN_MS = 5000;
/** From the request to the first byte of the answer, sending one part included. */
const ANSWER_WITHIN_MS = 30_000;
/** More goes in parts, each with that time of its own: a large result over a slow line takes minutes. The least S3 allows. */
const PART_BYTES = 5 * 1024 * 1024;

/** Opens the bucket. @throws AppError STORAGE if it does not answer or is not there */
export async function openS3Blobs(
  config: S3Config,
  { answerWithinMs = ANSWER_WITHIN_MS }: { answerWithinMs?: number } = {},
): Promise<Blobs> {
  const { endpoint, bucket: Bucket, region, accessKeyId, secretAccessKey } = config;
  const client = new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId: accessKeyId.reveal(), secretAccessKey: secretAccessKey.reveal() },
    // A store on one's own machine rarely has a host name for every bucket.
    forcePathStyle: true,
    // Of itself it would wait for ever for a store that has vanished.
    requestHandler: {
      connectionTimeout: CONNECT_WITHIN_MS,
      requestTimeout: answerWithinMs,
      throwOnRequestTimeout: true,
    },
    // The checksums the client adds of its own accord are refused by several compatible stores.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  try {
    await stored(Bucket, () => client.send(new HeadBucketCommand({ Bucket })));
  } catch (error) {
    client.destroy();
    if (!(error instanceof AppError) || error.code !== 'BLOB_MISSING') throw error;
    throw new AppError('STORAGE', `there is no bucket "${Bucket}" at ${endpoint}`, { cause: error });
  }

  async function open(key: string): Promise<{ stream: Readable; bytes: number }> {
    const { Body, ContentLength } = await stored(key, () =>
      client.send(new GetObjectCommand({ Bucket, Key: checkKey(key) })),
    );
    if (!(Body instanceof Readable)) throw new AppError('STORAGE', `${key} came without content`);
    return { stream: Body, bytes: ContentLength ?? 0 };
  }

  return {
    async put(key, content) {
      const Key = checkKey(key);
      let bytes = 0;
      let failure: { readonly error: unknown } | undefined;
      async function* counted(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
        try {
          for await (const chunk of source) {
            bytes += chunk.length;
            yield chunk;
          }
        } catch (error) {
          failure = { error };
          throw error;
        }
      }
      const isWhole = content instanceof Uint8Array;
      if (isWhole) bytes = content.length;
      const Body = isWhole ? content : Readable.from(counted(content), { objectMode: false });
      // Parts become the object together or not at all; what fits in one is simply put. Parts at once would share the line.
      const upload = new Upload({
        client,
        params: { Bucket, Key, Body },
        partSize: PART_BYTES,
        queueSize: 1,
      });
      try {
        await stored(key, () => upload.done());
      } catch (error) {
        // What broke the source is the caller's own error, not the store's.
        throw failure === undefined ? error : failure.error;
      }
      return { bytes };
    },
    get: open,
    async read(key) {
      const { stream } = await open(key);
      const chunks = await stored(key, () => stream.toArray() as Promise<Uint8Array[]>);
      return new Uint8Array(Buffer.concat(chunks));
    },
    async size(key) {
      try {
        const head = await stored(key, () =>
          client.send(new HeadObjectCommand({ Bucket, Key: checkKey(key) })),
        );
        return head.ContentLength;
      } catch (error) {
        if (error instanceof AppError && error.code === 'BLOB_MISSING') return undefined;
        throw error;
      }
    },
    async delete(key) {
      await stored(key, () => client.send(new DeleteObjectCommand({ Bucket, Key: checkKey(key) })));
    },
    async *list(prefix) {
      let token: string | undefined;
      do {
        const page = await stored(prefix, () =>
          client.send(
            new ListObjectsV2Command({
              Bucket,
              Prefix: prefix,
              ...(token !== undefined && { ContinuationToken: token }),
            }),
          ),
        );
        for (const { Key = '', Size = 0, LastModified = new Date() } of page.Contents ?? []) {
          yield { key: Key, bytes: Size, modifiedAt: LastModified };
        }
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
    async close() {
      client.destroy();
    },
  };
}

async function stored<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError || error instanceof TypeError) throw error;
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    const status = $metadata?.httpStatusCode;
    if (status === 404) throw new AppError('BLOB_MISSING', what, { cause: error });
    // An answer to HEAD has no words in it: the status is all there is to tell wrong keys from a store that fails.
    const answer = status === undefined ? '' : `${status} `;
    throw new AppError('STORAGE', `${what} (${answer}${message || name})`, { cause: error });
  }
}
