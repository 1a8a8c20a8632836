/** What Telegram's refusals mean for whoever sends. */
import { GrammyError, HttpError } from 'grammy';

export type Refusal =
  /**
   * The same may succeed after a while; whether it was done is not known where there was no answer.
   * `isOrdered`: Telegram itself asked for the pause.
   */
  | { readonly kind: 'later'; readonly afterSeconds: number; readonly isOrdered: boolean }
  /** No message reaches the chat any more. */
  | { readonly kind: 'gone' }
  /** The group has another id now. */
  | { readonly kind: 'moved'; readonly to: number }
  /** The topic was deleted: send to the chat itself. */
  | { readonly kind: 'no topic' }
  /** It cannot be sent as a photo, or a group takes no such things. */
  | { readonly kind: 'no photo' }
  | { readonly kind: 'no rights' }
  /** Telegram does not know the file by this name, or not as this kind. */
  | { readonly kind: 'no file' }
  /** It is so already, or what it was about is not there: nothing more to do. */
  | { readonly kind: 'needless' }
  | { readonly kind: 'token' }
  | { readonly kind: 'conflict' }
  /** Telegram or the API does not take it, for whatever reason. */
  | { readonly kind: 'wrong' };

const GONE =
  /chat not found|user not found|PEER_ID_INVALID|group chat was deleted|CHAT_WRITE_FORBIDDEN|(have no|not enough) rights to send (text messages|a message)/i;
const NO_RIGHTS = /not enough rights to send|CHAT_SEND_\w+_FORBIDDEN/i;
const NO_PHOTO =
  /PHOTO_|IMAGE_PROCESS_FAILED|too big for a photo|can't use file of type|wrong type of the web page/i;
const NO_FILE = /wrong (remote )?file (identifier|id)|wrong file_id/i;
const NEEDLESS =
  /message is not modified|message to (edit|delete|react) not found|query is too old|message can't be/i;

/** Anything that a call of Telegram threw. Errors of ours are `wrong`. */
export function understandRefusal(error: unknown): Refusal {
  if (error instanceof HttpError) return { kind: 'later', afterSeconds: 2, isOrdered: false };
  if (!(error instanceof GrammyError)) return { kind: 'wrong' };
  const { error_code: code, description, parameters } = error;
  if (parameters.migrate_to_chat_id !== undefined)
    return { kind: 'moved', to: parameters.migrate_to_chat_id };
  if (parameters.retry_after !== undefined)
    return { kind: 'later', afterSeconds: parameters.retry_after, isOrdered: true };
  if (code === 401) return { kind: 'token' };
  if (code === 409) return { kind: 'conflict' };
  if (code === 403 || GONE.test(description)) return { kind: 'gone' };
  if (code === 429 || code >= 500) return { kind: 'later', afterSeconds: 5, isOrdered: code === 429 };
  if (/thread not found|TOPIC_(CLOSED|DELETED)/i.test(description)) return { kind: 'no topic' };
  if (NO_RIGHTS.test(description)) return { kind: 'no rights' };
  if (NO_FILE.test(description)) return { kind: 'no file' };
  if (NO_PHOTO.test(description)) return { kind: 'no photo' };
  return { kind: NEEDLESS.test(description) ? 'needless' : 'wrong' };
}

/** For calls whose failure changes nothing: a reaction, a chat action, an answer to a button. */
export async function attempt(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch {
    return false;
  }
}
