// What every module knows of the page it is on.

export const root = document.documentElement.dataset.root;
export const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
export const words = document.getElementById("words").dataset;

let lastSeen = Date.now();
for (const kind of ["pointerdown", "pointermove", "keydown", "scroll"]) {
  addEventListener(kind, () => { lastSeen = Date.now(); }, { passive: true, capture: true });
}

/** Headers of a request: a page that nobody looks at does not keep its login alive. */
export function headers(more = {}) {
  const told = { "X-Page-Root": root, ...more };
  if (csrf) told["X-CSRF-Token"] = csrf;
  if (Date.now() - lastSeen > 60_000) told["X-Background"] = "1";
  return told;
}

/** This page's address, from the console's root. */
export function here() {
  return location.pathname.slice(new URL(root, location).pathname.length) + location.search;
}

/** To the login, and back here afterwards. */
export function logIn() {
  location.assign(`${root}login?next=${encodeURIComponent(here())}`);
}

/** A sentence with its %(name)s filled in. */
export function said(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
}

/** A sentence at the screen's edge, also read aloud. kind: "" or "bad". */
export function toast(text, kind = "") {
  const box = document.createElement("p");
  box.className = `toast ${kind}`;
  box.textContent = text;
  document.getElementById("toasts").append(box);
  setTimeout(() => box.remove(), kind === "bad" ? 12_000 : 4_000);
}

/** Tell the parts of the page that something has changed: `session`, `library`, … */
export function announce(topic) {
  document.body.dispatchEvent(new CustomEvent(`pf-${topic}`));
}
