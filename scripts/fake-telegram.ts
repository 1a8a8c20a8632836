/** A Telegram of one's own to try the bot with: `npm run fake-telegram` opens a page on which you are the user. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { FAKE_TOKEN, startFakeTelegram } from '../test/telegram/fake-telegram.ts';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '8090' }, language: { type: 'string', default: 'en' } },
});
const port = Number(values.port);
const telegram = await startFakeTelegram({ port: port + 1 });
const me = telegram.person(9, values.language);
const page = readFileSync(new URL('fake-telegram.html', import.meta.url));

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    response.writeHead(400).end((error as Error).message);
  });
}).listen(port, '127.0.0.1', () => {
  process.stdout.write(`You are a user at http://127.0.0.1:${port}
Start the bot in another terminal:
  BOT_TOKEN=${FAKE_TOKEN} TELEGRAM_API_ROOT=${telegram.url} ADMIN_IDS=9 npm start
`);
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const words = (name: string): string => searchParams.get(name) ?? '';
  switch (`${request.method} ${pathname}`) {
    case 'GET /':
      return void response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
    case 'GET /messages':
      return json(response, {
        messages: telegram.messages(me.chat).map((message) => ({
          id: message.message_id,
          isMine: message.from?.id === me.user.id,
          text: message.text ?? message.caption ?? '',
          file: message.document?.file_id ?? message.photo?.at(-1)?.file_id ?? null,
          fileName: message.document?.file_name ?? null,
          replyTo: message.reply_to_message?.message_id ?? null,
          reaction: me.chat.reactions.get(message.message_id) ?? null,
          buttons: (message.reply_markup as { inline_keyboard?: unknown } | undefined)?.inline_keyboard ?? [],
        })),
        complaints: telegram.complaints(),
      });
    case 'GET /file': {
      const file = telegram.state.files.get(words('id'));
      if (file === undefined) throw new Error('there is no such file');
      return void response.writeHead(200, { 'Content-Type': file.mime }).end(file.bytes);
    }
    case 'POST /photos':
      await sendPhotos(await readFiles(request, body));
      return json(response, {});
    case 'POST /files':
      for (const file of await readFiles(request, body)) await me.sendFile(file.bytes, file);
      return json(response, {});
    case 'POST /text':
      me.sendText(body.toString('utf8'));
      return json(response, {});
    case 'POST /press': {
      const message = telegram
        .messages(me.chat)
        .find(({ message_id: id }) => String(id) === words('message'));
      if (message === undefined) throw new Error('the message was deleted');
      const query = me.press(message, words('data'));
      return json(response, { query });
    }
    case 'GET /answer':
      return json(response, telegram.state.callbacks.get(words('query')) ?? {});
    default:
      response.writeHead(404).end();
  }
}

interface PickedFile {
  readonly name: string;
  readonly mime: string;
  readonly bytes: Uint8Array;
}

async function readFiles({ headers }: IncomingMessage, body: Buffer<ArrayBuffer>): Promise<PickedFile[]> {
  const sent = new Response(body, { headers: { 'Content-Type': headers['content-type'] ?? '' } });
  const files = (await sent.formData()).getAll('file').filter((part) => typeof part !== 'string');
  return Promise.all(
    files.map(async (file) => ({
      ...{ name: file.name, mime: file.type || 'application/octet-stream', bytes: await file.bytes() },
    })),
  );
}

/** Several at once are an album, as in any client; Telegram's have ten at most. */
async function sendPhotos(photos: readonly PickedFile[]): Promise<void> {
  for (let at = 0; at < photos.length; at += 10) {
    const [first, ...others] = photos.slice(at, at + 10).map(({ bytes }) => bytes);
    if (first !== undefined && others.length === 0) await me.sendPhoto(first);
    else if (first !== undefined) await me.sendAlbum([first, ...others]);
  }
}

function json(response: ServerResponse, content: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(content));
}

process.once('SIGINT', () => {
  server.closeAllConnections();
  server.close();
  void telegram.close();
});
