/** The methods of the Bot API that the fake answers, with Telegram's own errors. */
import type { InputMediaDocument, InputMediaPhoto, Message, ReplyParameters } from '@grammyjs/types';
import {
  addChat,
  BOT,
  badRequest,
  type ChatState,
  documentOf,
  findChat,
  findMessage,
  photoSizes,
  type State,
  type StoredFile,
  type StoredMessage,
  storeFile,
} from './chats.ts';
import {
  CALLBACK_LIFE_MS,
  checkCaption,
  checkMarkup,
  checkPhoto,
  checkProfile,
  checkText,
  checkUpload,
  DELETABLE_MS,
  MAX_DOWNLOAD_BYTES,
  type Sending,
  thumbnailComplaint,
} from './limits.ts';
import type { SentFile } from './multipart.ts';

/** A request whose parameters fit the types. */
export interface Request {
  readonly state: State;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Uploaded files by the name that `attach://` refers to. */
  readonly files: ReadonlyMap<string, SentFile>;
  readonly sendings: Sending[];
  readonly complain: (complaint: string) => void;
}

type Method = (request: Request) => unknown;

interface FileMark {
  readonly __file: string;
}

function isUpload(value: unknown): value is FileMark {
  return typeof value === 'object' && value !== null && '__file' in value;
}

/** Counts what the rates are about. */
function count({ sendings }: Request, { chat }: ChatState, messages = 1): void {
  sendings.push({ at: performance.now(), chatId: chat.id, isGroup: chat.type !== 'private', messages });
}

/** Chat, topic and reply of whatever is sent. */
function placeOf({ state, parameters }: Request): { chat: ChatState; fields: Partial<Message> } {
  const chat = findChat(state, parameters.chat_id);
  const thread = parameters.message_thread_id as number | undefined;
  if (thread !== undefined && !chat.topics.has(thread)) throw badRequest('message thread not found');
  const reply = parameters.reply_parameters as ReplyParameters | undefined;
  const replied = chat.messages.get(reply?.message_id ?? -1);
  if (reply !== undefined && replied === undefined && !reply.allow_sending_without_reply) {
    throw badRequest('message to be replied not found');
  }
  checkMarkup(parameters.reply_markup);
  return {
    chat,
    fields: {
      ...(thread === undefined ? {} : { message_thread_id: thread, is_topic_message: true }),
      ...(replied === undefined ? {} : { reply_to_message: replied as never }),
      ...(parameters.reply_markup === undefined ? {} : { reply_markup: parameters.reply_markup as never }),
    },
  };
}

export function addMessage(chat: ChatState, fields: Partial<Message>): StoredMessage {
  const message = {
    ...{ message_id: chat.nextId++, date: Math.floor(Date.now() / 1000), chat: chat.chat, from: BOT },
    ...fields,
  } as StoredMessage;
  chat.messages.set(message.message_id, message);
  return message;
}

const EXTENSION_TYPES: Readonly<Record<string, string>> = {
  ...{
    jpg: 'image/jpeg',
    jpeg: 'image/jpeg',
    png: 'image/png',
    webp: 'image/webp',
    json: 'application/json',
  },
};

/** The file a parameter means: an upload, or an id of one that Telegram has. */
async function takeFile(request: Request, value: unknown, kind: StoredFile['kind']): Promise<StoredFile> {
  const { state, files } = request;
  if (!isUpload(value)) {
    const known = state.files.get(String(value));
    if (known === undefined) throw badRequest('wrong file identifier/HTTP URL specified');
    if (known.kind !== kind) throw badRequest(`can't use file of type ${known.kind} as ${kind}`);
    return known;
  }
  const upload = files.get(value.__file);
  if (upload === undefined) throw badRequest('wrong file identifier/HTTP URL specified');
  checkUpload(upload.bytes);
  const size = kind === 'photo' ? await checkPhoto(upload.bytes) : {};
  const extension = /\.(\w+)$/.exec(upload.name)?.[1]?.toLowerCase() ?? 'bin';
  const mime = EXTENSION_TYPES[extension] ?? 'application/octet-stream';
  return storeFile(state, { kind, name: upload.name, mime, bytes: upload.bytes, extension, ...size });
}

async function checkThumbnail(request: Request, thumbnail: unknown): Promise<void> {
  if (!isUpload(thumbnail)) return;
  const upload = request.files.get(thumbnail.__file);
  const complaint =
    upload === undefined ? 'a thumbnail without a file' : await thumbnailComplaint(upload.bytes);
  if (complaint !== undefined) request.complain(complaint);
}

function contentOf(file: StoredFile): Partial<Message> {
  return file.kind === 'photo' ? { photo: photoSizes(file) } : { document: documentOf(file) };
}

function checkRights({ forbidden }: ChatState, kind: 'photo' | 'document' | 'text'): void {
  const things = { photo: 'photos', document: 'documents', text: 'text messages' }[kind];
  if (forbidden.has(kind)) throw badRequest(`not enough rights to send ${things} to the chat`);
}

function sendOne(kind: StoredFile['kind']): Method {
  return async (request) => {
    const { parameters } = request;
    const { chat, fields } = placeOf(request);
    checkRights(chat, kind);
    const caption = checkCaption(parameters.caption, parameters.parse_mode);
    const file = await takeFile(request, parameters[kind], kind);
    await checkThumbnail(request, parameters.thumbnail);
    count(request, chat);
    return addMessage(chat, { ...fields, ...contentOf(file), ...(caption === undefined ? {} : { caption }) });
  };
}

async function sendMediaGroup(request: Request): Promise<unknown> {
  const { chat, fields } = placeOf(request);
  const media = request.parameters.media as (InputMediaDocument<FileMark> | InputMediaPhoto<FileMark>)[];
  if (media.length < 2) throw badRequest('there must be at least 2 media in an album');
  if (media.length > 10) throw badRequest('too much messages to send as an album');
  const contents: Partial<Message>[] = [];
  for (const item of media) {
    checkRights(chat, item.type);
    const caption = checkCaption(item.caption, item.parse_mode);
    const file = await takeFile(request, item.media, item.type);
    if ('thumbnail' in item) await checkThumbnail(request, item.thumbnail);
    contents.push({ ...contentOf(file), ...(caption === undefined ? {} : { caption }) });
  }
  count(request, chat, media.length);
  const album = `1${Date.now()}${chat.nextId}`;
  return contents.map((content) => addMessage(chat, { ...fields, ...content, media_group_id: album }));
}

function editText(request: Request): unknown {
  const { state, parameters } = request;
  const chat = findChat(state, parameters.chat_id);
  const message = findMessage(chat, parameters.message_id, 'message to edit not found');
  if (message.from?.id !== BOT.id) throw badRequest("message can't be edited");
  const text = checkText(parameters.text, parameters.parse_mode);
  checkMarkup(parameters.reply_markup);
  const same = JSON.stringify(message.reply_markup) === JSON.stringify(parameters.reply_markup);
  if (message.text === text && same) {
    throw badRequest(
      'message is not modified: specified new message content and reply markup are exactly the same as a current ' +
        'content and reply markup of the message',
    );
  }
  const { reply_markup: _, ...rest } = message;
  const edited = {
    ...{ ...rest, text, edit_date: Math.floor(Date.now() / 1000) },
    ...(parameters.reply_markup === undefined ? {} : { reply_markup: parameters.reply_markup }),
  } as StoredMessage;
  chat.messages.set(message.message_id, edited);
  chat.edits.set(message.message_id, (chat.edits.get(message.message_id) ?? 0) + 1);
  count(request, chat);
  return edited;
}

function editMarkup(request: Request): unknown {
  const { state, parameters } = request;
  const chat = findChat(state, parameters.chat_id);
  const message = findMessage(chat, parameters.message_id, 'message to edit not found');
  checkMarkup(parameters.reply_markup);
  if (JSON.stringify(message.reply_markup) === JSON.stringify(parameters.reply_markup)) {
    throw badRequest('message is not modified');
  }
  const edited = { ...message, reply_markup: parameters.reply_markup } as StoredMessage;
  chat.messages.set(message.message_id, edited);
  count(request, chat);
  return edited;
}

function remembered(prefix: string, field: string): Record<string, Method> {
  const keyOf = (parameters: Readonly<Record<string, unknown>>) =>
    `${prefix} ${JSON.stringify(parameters.scope ?? null)} ${parameters.language_code ?? ''}`;
  const [empty, isList] = field === 'commands' ? [[], true] : ['', false];
  return {
    [`set${prefix}`]: ({ state, parameters }) => {
      const { type, chat_id: chatId } = (parameters.scope ?? {}) as { type?: string; chat_id?: number };
      if (type === 'chat') findChat(state, chatId);
      checkProfile(field, parameters[field] ?? empty);
      state.commands.set(keyOf(parameters), parameters[field] ?? empty);
      return true;
    },
    [`get${prefix}`]: ({ state, parameters }) => {
      const found = state.commands.get(keyOf(parameters)) ?? empty;
      return isList ? found : { [field]: found };
    },
  };
}

export const METHODS: Readonly<Record<string, Method>> = {
  getMe: () => ({
    ...BOT,
    ...{ can_join_groups: true, can_read_all_group_messages: false, supports_inline_queries: false },
  }),
  sendMessage(request) {
    const { chat, fields } = placeOf(request);
    checkRights(chat, 'text');
    const text = checkText(request.parameters.text, request.parameters.parse_mode);
    count(request, chat);
    return addMessage(chat, { ...fields, text });
  },
  sendPoll(request) {
    const { parameters } = request;
    const { chat, fields } = placeOf(request);
    const question = checkText(parameters.question, undefined);
    if (question.length > 300) throw badRequest('poll question length must not exceed 300');
    const options = parameters.options as { text: string }[];
    if (options.length < 2 || options.length > 12) throw badRequest('poll must have at least 2 option');
    if (options.some(({ text }) => text.length < 1 || text.length > 100)) {
      throw badRequest('poll options length must not exceed 100');
    }
    count(request, chat);
    const poll = {
      ...{
        id: `5${request.state.nextFile++}`,
        question,
        total_voter_count: 0,
        is_closed: false,
        type: 'regular',
      },
      options: options.map(({ text }) => ({ text, voter_count: 0 })),
      ...{ is_anonymous: parameters.is_anonymous !== false, allows_multiple_answers: false },
    };
    return addMessage(chat, { ...fields, poll: poll as never });
  },
  sendDocument: sendOne('document'),
  sendPhoto: sendOne('photo'),
  sendMediaGroup,
  editMessageText: editText,
  editMessageReplyMarkup: editMarkup,
  deleteMessage({ state, parameters }) {
    const chat = findChat(state, parameters.chat_id);
    const { date } = findMessage(chat, parameters.message_id, 'message to delete not found');
    if (state.now() - 1000 * date > DELETABLE_MS) throw badRequest("message can't be deleted");
    chat.messages.delete(Number(parameters.message_id));
    return true;
  },
  getChatMember({ state, parameters }) {
    const chat = findChat(state, parameters.chat_id);
    const user = state.users.get(Number(parameters.user_id));
    if (user === undefined) throw badRequest('PARTICIPANT_ID_INVALID');
    return { status: chat.administrators.has(user.id) ? 'administrator' : 'member', user };
  },
  sendChatAction({ state, parameters }) {
    const chat = findChat(state, parameters.chat_id);
    chat.lastAction = String(parameters.action);
    return true;
  },
  setMessageReaction({ state, parameters }) {
    const chat = findChat(state, parameters.chat_id);
    findMessage(chat, parameters.message_id, 'message to react not found');
    const [reaction] = (parameters.reaction ?? []) as { emoji: string }[];
    if (reaction === undefined) chat.reactions.delete(Number(parameters.message_id));
    else chat.reactions.set(Number(parameters.message_id), reaction.emoji);
    return true;
  },
  answerCallbackQuery({ state, parameters }) {
    const known = state.callbacks.get(String(parameters.callback_query_id));
    const text = parameters.text === undefined ? undefined : String(parameters.text);
    if (text !== undefined && text.length > 200) throw badRequest('MESSAGE_TOO_LONG');
    if (known === undefined || known.answered || state.now() - known.at > CALLBACK_LIFE_MS) {
      throw badRequest('query is too old and response timeout expired or query ID is invalid');
    }
    known.answered = true;
    known.text = text;
    return true;
  },
  getFile({ state, parameters }) {
    const id = String(parameters.file_id);
    const file = state.files.get(id) ?? state.files.get(id.replace(/s$/, ''));
    if (file === undefined) throw badRequest('wrong file_id or the file is temporarily unavailable');
    if (file.bytes.length > MAX_DOWNLOAD_BYTES) throw badRequest('file is too big');
    state.issued.set(file.path, state.now());
    return {
      ...{
        file_id: file.id,
        file_unique_id: file.uniqueId,
        file_size: file.bytes.length,
        file_path: file.path,
      },
    };
  },
  ...remembered('MyCommands', 'commands'),
  ...remembered('MyDescription', 'description'),
  ...remembered('MyShortDescription', 'short_description'),
  ...remembered('MyName', 'name'),
};

/** A group becomes a supergroup under another id. */
export function migrate(state: State, from: ChatState): ChatState {
  const id = -1_000_000_000_000 + from.chat.id;
  const to = addChat(state, {
    id,
    type: 'supergroup',
    title: 'title' in from.chat ? (from.chat.title ?? '') : '',
  });
  from.movedTo = id;
  return to;
}
