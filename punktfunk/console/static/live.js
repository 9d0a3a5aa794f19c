// Follows what happens in the host, and has the parts of the page it concerns fetched again.
//
//   <section id="now" hx-get="parts/now" hx-trigger="pf-session from:body, pf-stream from:body">
//
// An event `session.started` is told to the page as `pf-session`. When something may have been
// missed (a gap, a page that was hidden), everything is told. What is in a part with
// data-when="failed" is shown, and its data-when="asked" is hidden, when it cannot be had.

import { announce, headers, logIn, root } from "./page.js";

// Browsers open six connections to a host, of all their tabs together: one that nobody looks at
// gives its own back.
const HIDDEN_MS = 20_000;
const LEAST_WAIT_MS = 2_000;
const MOST_WAIT_MS = 30_000;

export function installLive() {
  document.addEventListener("htmx:config:request", (event) => {
    Object.assign(event.detail.ctx.request.headers, headers());
  });
  document.addEventListener("htmx:before:response", (event) => {
    const { ctx } = event.detail;
    if (ctx.response.status < 400) return;
    event.preventDefault();
    if (ctx.response.status === 401) logIn(); else sayFailed(ctx.sourceElement);
  });
  document.addEventListener("htmx:error", (event) => sayFailed(event.detail.ctx?.sourceElement));
  const types = (document.body.dataset.eventTypes ?? "").split(" ").filter(Boolean);
  if (types.length) keepFollowing(types);
}

/** A part that has nothing to show yet says that there will be nothing. */
function sayFailed(part) {
  for (const it of part?.querySelectorAll("[data-when]") ?? []) {
    it.hidden = it.dataset.when !== "failed";
  }
}

function keepFollowing(types) {
  const topics = [...new Set(types.map((it) => it.split(".")[0]))];
  whileSeen(() => follow(types, topics), () => topics.forEach(announce));
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

/** Tells when nobody has looked at the page for a while, and when somebody does again. */
export function watchLooks(away, back) {
  let timer;
  let gone = false;
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) {
      timer = setTimeout(() => { gone = true; away(); }, HIDDEN_MS);
    } else if (gone) {
      gone = false;
      back();
    }
  };
  document.addEventListener("visibilitychange", look);
  look();
}

/**
 * Keep a source open, but not for a page that nobody looks at. Browsers give up after an answer
 * that was none, such as 503 while too many read: this tries again.
 * again: told when the source is open after one that was closed, as something may be missing.
 */
export function whileSeen(open, again = () => {}) {
  let source;
  let timer;
  let wait_ms = LEAST_WAIT_MS;
  let missed = false;
  let gone = false;
  const start = () => {
    clearTimeout(timer);
    source?.close();
    source = open();
    source.addEventListener("open", () => {
      wait_ms = LEAST_WAIT_MS;
      if (missed) again();
      missed = false;
    });
    source.addEventListener("error", ({ target }) => {
      if (target !== source || target.readyState !== EventSource.CLOSED) return;
      missed = true;
      timer = setTimeout(retry, wait_ms);
      wait_ms = Math.min(2 * wait_ms, MOST_WAIT_MS);
    });
  };
  const retry = async () => {
    if (await isLoggedOut()) logIn();
    else if (!gone && source.readyState === EventSource.CLOSED) start();
  };
  const close = () => {
    clearTimeout(timer);
    gone = missed = true;
    source.close();
  };
  start();
  watchLooks(close, () => {
    gone = false;
    start();
  });
  addEventListener("pagehide", close);
}

/** A source that was refused does not say why. */
async function isLoggedOut() {
  try {
    const response = await fetch(`${root}api/v1/status`, { headers: headers({ "X-Background": "1" }) });
    return response.status === 401;
  } catch {
    return false; // The host is away; it may come back.
  }
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
  source.addEventListener("error", () => show(false));
  return source;
}
