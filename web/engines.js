// Who counts: the service on this machine, or a worker in this browser. Both give results of one schema.

export const GONE = 0; // the status of an answer that never came
const LATER = [GONE, 408, 504]; // not the photo's fault: it can be tried again

/** Whether a count that failed may succeed another time. */
export const mayWorkLater = (error) => LATER.includes(error.status);

/** Return the engine that this site has. */
export async function openEngine(site) {
  return site.mode === "service" ? new ServiceEngine(site) : BrowserEngine.open(site);
}

/** Ask the service with the token of the address, which never leaves this machine in a request's path. */
export function askService(path, options = {}) {
  const token = serviceToken();
  const headers = { ...options.headers, ...(token ? { authorization: `Bearer ${token}` } : {}) };
  return fetch(path, { ...options, headers });
}

/** Return the JSON of the service's answer; a refusal becomes an error with its sentence. */
export async function askJson(path, options) {
  const response = await askService(path, options).catch(unanswered);
  const values = await response.json().catch((error) => (response.ok ? unanswered(error) : {})); // cut off in the middle
  if (!response.ok) {
    throw Object.assign(new Error(values.error ?? `The service answered ${response.status}.`), {
      status: response.status, retryAfter: Number(response.headers.get("retry-after")) || 0,
    });
  }
  return values;
}

function unanswered(error) {
  if (error.name === "AbortError") throw error;
  throw Object.assign(new Error("The service does not answer. Is it still running?"), { status: GONE });
}

function serviceToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token") ?? "";
}

class ServiceEngine {
  constructor(site) {
    this.local = true;
    this.site = site;
    this.title = `Counted on this machine by ${site.models[0].name}`;
    this.privacy = "Photos go to the service on this machine and nowhere else.";
  }

  /** Return the result of a photo; where the service is busy, wait as long as it asks. */
  async count(photo, { signal } = {}) {
    for (;;) {
      try {
        const path = `count?density=true&name=${encodeURIComponent(photo.name ?? "")}`;
        return await askJson(path, { method: "POST", body: photo, signal });
      } catch (error) {
        if (error.status !== 503) throw error;
        await pause((error.retryAfter || 2) * 1000, signal);
      }
    }
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

class BrowserEngine {
  /** Load the model into a worker. */
  static async open(site) {
    const engine = new BrowserEngine();
    engine.local = false;
    engine.site = site;
    engine.start();
    await engine.ready;
    engine.title = `Counted in this browser by ${site.models[0].name}`;
    engine.privacy = "Photos stay in this browser. Nothing is sent anywhere.";
    return engine;
  }

  start() {
    this.waiting = new Map();
    this.number = 0;
    this.worker = new Worker(new URL("./engine/worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = (event) => {
      for (const { reject } of this.waiting.values()) reject(new Error(event.message || "The engine did not start."));
    };
    const absolute = (path) => new URL(path, document.baseURI).href;
    const { models, runtime, sentences } = this.site;
    const model = absolute(`graphs/${models[0].name}`);
    this.ready = this.ask({ type: "open", runtime: absolute(runtime), model, sentences });
  }

  ask(message, onProgress) {
    return new Promise((resolve, reject) => {
      this.waiting.set(++this.number, { resolve, reject, onProgress });
      this.worker.postMessage({ ...message, id: this.number });
    });
  }

  receive({ id, value, error, progress }) {
    const job = this.waiting.get(id);
    if (!job) return;
    if (progress !== undefined) return void job.onProgress?.(progress);
    this.waiting.delete(id);
    if (error) job.reject(new Error(error));
    else job.resolve(value);
  }

  /** Return the result of a photo; stopping ends the worker and starts another. */
  async count(photo, { signal, onProgress } = {}) {
    await this.ready;
    const stopped = new Promise((_, reject) => {
      signal?.addEventListener("abort", () => {
        this.worker.terminate();
        this.start();
        reject(signal.reason);
      }, { once: true });
    });
    return Promise.race([this.ask({ type: "count", photo }, onProgress), stopped]);
  }
}
