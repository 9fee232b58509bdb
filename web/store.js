// What is kept in the browser between visits: corrections and audits, by photo. Nothing is sent anywhere.

const NAME = "crowdscale";

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("work");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function run(mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction("work", mode);
    const request = work(transaction.objectStore("work"));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error ?? request.error);
  });
}

export const keep = (key, value) => run("readwrite", (store) => store.put(value, key));
export const recall = (key) => run("readonly", (store) => store.get(key));
/** Forget what was kept under keys of one kind before a time; each such value has the time as `at`. */
export const forgetBefore = (kind, time) =>
  run("readwrite", (store) => {
    const request = store.openCursor(IDBKeyRange.bound(`${kind}|`, `${kind}|\uffff`));
    request.onsuccess = () => {
      const cursor = request.result;
      if (!cursor) return;
      if (!(cursor.value.at >= time)) cursor.delete();
      cursor.continue();
    };
    return request;
  });

/** Forget everything of every kind. */
export const forgetAll = () => run("readwrite", (store) => store.clear());

/** Return how many values of each kind are kept. */
export async function kinds() {
  const found = {};
  for (const key of await run("readonly", (store) => store.getAllKeys())) {
    const kind = key.split(/[|/]/)[0];
    found[kind] = (found[kind] ?? 0) + 1;
  }
  return found;
}

export const forget = (key) => run("readwrite", (store) => store.delete(key));

/** Return the key of a photo's work: equal for the same file in another visit. */
export function keyOf(kind, item) {
  return [kind, item.name, item.stamp].join("|");
}

/** Hold a photo's work for this tab; returns what lets it go, or null where another tab has it. */
export async function hold(key) {
  if (!navigator.locks) return () => {};
  return new Promise((resolve) => {
    navigator.locks.request(key, { ifAvailable: true }, (lock) => {
      if (!lock) return void resolve(null);
      return new Promise((release) => resolve(release));
    });
  });
}
