// Follows what happens in the host, and has the parts of the page it concerns fetched again.
//
//   <section id="now" hx-get="parts/now" hx-trigger="pf-session from:body, pf-stream from:body">
//
// An event `session.started` is told to the page as `pf-session`. When something may have been
// missed (a gap, a page that was hidden), everything is told.

import { announce, headers, logIn, root } from "./page.js";

// Browsers open six connections to a host, of all their tabs together: one that nobody looks at
// gives its own back.
const HIDDEN_MS = 20_000;

export function installLive() {
  document.addEventListener("htmx:config:request", (event) => {
    Object.assign(event.detail.ctx.request.headers, headers());
  });
  document.addEventListener("htmx:before:response", (event) => {
    const { status } = event.detail.ctx.response;
    if (status === 401) logIn();
    if (status >= 400) event.preventDefault();
  });
  const types = (document.body.dataset.eventTypes ?? "").split(" ").filter(Boolean);
  if (types.length) keepFollowing(types);
}

function keepFollowing(types) {
  const topics = [...new Set(types.map((it) => it.split(".")[0]))];
  whileSeen(() => follow(types, topics), () => topics.forEach(announce));
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

/** Keep a source open, but not for a page that nobody looks at; `again` is told after it was closed. */
export function whileSeen(open, again = () => {}) {
  let source = open();
  let timer;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) {
      timer = setTimeout(() => source.close(), HIDDEN_MS);
    } else if (source.readyState === EventSource.CLOSED) {
      source = open();
      again();
    }
  });
  addEventListener("pagehide", () => source.close());
}

function follow(types, topics) {
  const mark = document.getElementById("live-mark");
  const source = new EventSource(`${root}api/v1/events`);
  const show = (on) => {
    mark.classList.toggle("on", on);
    mark.textContent = mark.title = on ? mark.dataset.on : mark.dataset.off;
  };
  for (const type of types) {
    source.addEventListener(type, (event) => {
      announce(type.split(".")[0]);
      document.body.dispatchEvent(new CustomEvent("pf-event", { detail: JSON.parse(event.data) }));
    });
  }
  source.addEventListener("gap", () => topics.forEach(announce));
  source.addEventListener("open", () => show(true));
  source.addEventListener("error", () => {
    show(false);
    if (source.readyState === EventSource.CLOSED) afterRefusal();
  });
  return source;
}

/** The browser does not try again after an answer that was none; find out which it was. */
export async function afterRefusal() {
  for (let wait_ms = 2_000; ; wait_ms = Math.min(2 * wait_ms, 30_000)) {
    await new Promise((resolve) => setTimeout(resolve, wait_ms));
    try {
      const response = await fetch(`${root}api/v1/status`, { headers: headers({ "X-Background": "1" }) });
      if (response.status === 401) return logIn();
      if (response.ok) return location.reload();
    } catch { /* The host is away; it may come back. */ }
  }
}
