// Keeps the static site's files, so that the page works without a network after the first visit.

const CACHE = "crowdscale-VERSION"; // the export puts the version here

self.addEventListener("install", (event) => {
  event.waitUntil(
    fetch("files.json")
      .then((response) => response.json())
      .then((files) => caches.open(CACHE).then((cache) => cache.addAll(files)))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("crowdscale-") && name !== CACHE);
  event.waitUntil(
    caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))).then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== location.origin) return;
  event.respondWith(caches.match(event.request, { ignoreSearch: true }).then((kept) => kept ?? fetch(event.request)));
});
