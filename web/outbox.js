/** Photos that are not on the server yet, kept in IndexedDB until they are: closing the page loses none. */

const DATABASE = 'boardsharp';
const STORE = 'outbox';

/** @type {Promise<IDBDatabase> | undefined} */
let opening;

/** @param {string} key @param {Blob} file */
export async function keepFile(key, file) {
  await attempt('readwrite', (store) => store.put(file, key));
}

/** @param {string} key @returns {Promise<Blob | undefined>} undefined when it was never kept */
export async function keptFile(key) {
  const found = await attempt('readonly', (store) => store.get(key));
  return found instanceof Blob ? found : undefined;
}

/** @param {string} key */
export async function forgetFile(key) {
  await attempt('readwrite', (store) => store.delete(key));
}

/**
 * Browsers forbid IndexedDB in some private windows and when the disk is full: the photo is then sent from memory alone.
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest} act
 */
async function attempt(mode, act) {
  try {
    const database = await open();
    const transaction = database.transaction(STORE, mode);
    const request = act(transaction.objectStore(STORE));
    // What a request has done is sure only when its transaction is complete.
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    return request.result;
  } catch {
    return undefined;
  }
}

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}
