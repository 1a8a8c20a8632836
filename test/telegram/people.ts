/** People who use the bot, as a test plays them: they send photos, albums, words, and press buttons. */
import type { Chat, Message, MessageEntity, User } from '@grammyjs/types';
import sharp from 'sharp';
import {
  addChat,
  BOT,
  type ChatState,
  documentOf,
  photoSizes,
  type State,
  type StoredFile,
  type StoredMessage,
  storeFile,
} from './chats.ts';
import { migrate } from './methods.ts';
import type { UpdateQueue } from './updates.ts';

/** How something is sent. */
export interface Sending {
  /** In a group; empty: to the bot itself. */
  readonly chat?: ChatState;
  readonly threadId?: number;
  readonly caption?: string;
  readonly replyTo?: StoredMessage;
  readonly forwarded?: boolean;
}

export interface FileSending extends Sending {
  readonly name?: string;
  readonly mime?: string;
}

export interface Person {
  readonly user: User;
  /** The private chat with the bot. */
  readonly chat: ChatState;
  /** As a photo, which the phone has compressed already. */
  sendPhoto(bytes: Uint8Array, sending?: Sending & { live?: boolean }): Promise<StoredMessage>;
  sendFile(bytes: Uint8Array, sending?: FileSending): Promise<StoredMessage>;
  /** Several photos or files at once; `shuffle`: their updates come in another order. */
  sendAlbum(
    photos: readonly Uint8Array[],
    sending?: FileSending & { asFiles?: boolean; shuffle?: boolean },
  ): Promise<StoredMessage[]>;
  sendText(text: string, sending?: Sending): StoredMessage;
  /** Presses the button whose words or data hold `label`. Returns the id of the query. */
  press(message: StoredMessage, label: string): string;
  /** Chooses in a poll; a bot is told of it where the poll is not anonymous. */
  vote(message: StoredMessage, option: number): void;
  /** Nothing can be sent to them from now on. */
  block(): void;
}

export interface People {
  person(id: number, language?: string): Person;
  group(
    title: string,
    options?: { topics?: readonly number[]; administrators?: readonly number[] },
  ): ChatState;
  /** The group goes on as a supergroup with another id. */
  migrate(group: ChatState): ChatState;
  /** What stands in a chat, in order; only the bot's where `fromBot`. */
  messages(chat: ChatState, fromBot?: boolean): StoredMessage[];
  /** The bytes of a file that the bot has sent. */
  fileOf(message: StoredMessage): StoredFile;
}

export function createPeople(state: State, updates: UpdateQueue): People {
  async function photoOf(bytes: Uint8Array): Promise<StoredFile> {
    const { width, height } = await sharp(bytes).metadata();
    const file = { name: '', mime: 'image/jpeg', extension: 'jpg', bytes: Buffer.from(bytes), width, height };
    return storeFile(state, { kind: 'photo', ...file });
  }

  function fileFrom(bytes: Uint8Array, { name = 'board.jpg', mime = 'image/jpeg' }: FileSending): StoredFile {
    const extension = /\.(\w+)$/.exec(name)?.[1] ?? 'bin';
    return storeFile(state, { kind: 'document', name, mime, bytes: Buffer.from(bytes), extension });
  }

  function post(user: User, own: ChatState, content: Partial<Message>, sending: Sending): StoredMessage {
    const { chat = own, threadId, caption, replyTo, forwarded } = sending;
    const words = caption ?? content.text ?? '';
    const entities = entitiesOf(words);
    const now = Math.floor(Date.now() / 1000);
    const message = {
      ...{ message_id: chat.nextId++, date: now, chat: chat.chat, from: user, ...content },
      ...(threadId === undefined ? {} : { message_thread_id: threadId, is_topic_message: true }),
      ...(caption === undefined ? {} : { caption }),
      ...(entities.length === 0
        ? {}
        : { [caption === undefined ? 'entities' : 'caption_entities']: entities }),
      ...(replyTo === undefined ? {} : { reply_to_message: replyTo }),
      ...(forwarded
        ? { forward_origin: { type: 'hidden_user', sender_user_name: 'Teacher', date: now } }
        : {}),
    } as unknown as StoredMessage;
    chat.messages.set(message.message_id, message);
    return message;
  }

  /** In groups a bot sees only what is meant for it. */
  function tell(message: StoredMessage): void {
    const words = message.text ?? message.caption ?? '';
    const meant =
      message.chat.type === 'private' ||
      words.startsWith('/') ||
      words.includes(`@${BOT.username}`) ||
      message.reply_to_message?.from?.id === BOT.id;
    if (meant) updates.add({ message: message as never });
  }

  function person(id: number, language = 'en'): Person {
    const user: User = { id, is_bot: false, first_name: `Person ${id}`, language_code: language };
    state.users.set(id, user);
    const own =
      state.chats.get(id) ?? addChat(state, { id, type: 'private', first_name: user.first_name } as Chat);

    function say(content: Partial<Message>, sending: Sending): StoredMessage {
      const message = post(user, own, content, sending);
      tell(message);
      return message;
    }

    return {
      user,
      chat: own,
      async sendPhoto(bytes, { live = false, ...sending } = {}) {
        const photo = photoSizes(await photoOf(bytes));
        return say({ photo, ...(live ? { live_photo: { photo } as never } : {}) }, sending);
      },
      async sendFile(bytes, sending = {}) {
        return say({ document: documentOf(fileFrom(bytes, sending)) }, sending);
      },
      async sendAlbum(photos, { asFiles = false, shuffle = false, caption, ...sending } = {}) {
        const album = `9${id}${own.nextId}`;
        const sent: StoredMessage[] = [];
        for (const [index, bytes] of photos.entries()) {
          const content = asFiles
            ? { document: documentOf(fileFrom(bytes, { name: `board-${index + 1}.jpg`, ...sending })) }
            : { photo: photoSizes(await photoOf(bytes)) };
          const words = index === 0 && caption !== undefined ? { caption } : {};
          sent.push(post(user, own, { ...content, media_group_id: album }, { ...sending, ...words }));
        }
        for (const message of shuffle ? sent.toReversed() : sent) tell(message);
        return sent;
      },
      sendText: (text, sending = {}) => say({ text }, sending),
      press(message, label) {
        const rows = (
          message.reply_markup as { inline_keyboard?: { text: string; callback_data?: string }[][] }
        )?.inline_keyboard;
        const button = rows
          ?.flat()
          .find(({ text, callback_data: data }) => `${text} ${data}`.includes(label));
        if (button?.callback_data === undefined)
          throw new Error(`no button "${label}" below ${JSON.stringify(rows)}`);
        const query = `${id}${state.nextFile++}`;
        state.callbacks.set(query, { answered: false, at: state.now(), text: undefined });
        updates.add({
          callback_query: {
            id: query,
            from: user,
            message: message as never,
            chat_instance: '1',
            data: button.callback_data,
          },
        });
        return query;
      },
      vote({ poll }, option) {
        if (poll === undefined) throw new Error('this is no poll');
        if (poll.is_anonymous) return;
        const voted = { poll_id: poll.id, user, option_ids: [option] };
        updates.add({ poll_answer: voted as never });
      },
      block() {
        own.refusal = 'bot was blocked by the user';
      },
    };
  }

  return {
    person,
    group(title, { topics = [], administrators = [] } = {}) {
      const isForum = topics.length > 0;
      const id = isForum ? -1_001_000_000_000 - state.chats.size : -1000 - state.chats.size;
      const chat = {
        id,
        type: isForum ? 'supergroup' : 'group',
        title,
        ...(isForum ? { is_forum: true } : {}),
      };
      const added = addChat(state, chat as Chat);
      for (const topic of topics) added.topics.add(topic);
      for (const id of administrators) added.administrators.add(id);
      return added;
    },
    migrate: (group) => migrate(state, group),
    messages: ({ messages }, fromBot = false) =>
      [...messages.values()].filter(({ from }) => !fromBot || from?.id === BOT.id),
    fileOf(message) {
      const id = message.document?.file_id ?? message.photo?.at(-1)?.file_id;
      const file = state.files.get(id ?? '');
      if (file === undefined) throw new Error('the message has no file');
      return file;
    },
  };
}

/** Commands and mentions in a text. */
function entitiesOf(text: string): MessageEntity[] {
  return [...text.matchAll(/(?<=^|\s)([/@])[\w@]+/g)].map(([found, sign], index) => ({
    type: sign === '/' ? 'bot_command' : 'mention',
    offset: text.indexOf(found, index),
    length: found.length,
  }));
}
