// What becomes of a pairing, said on every page. The prompts themselves come and go by events.

import { announce, said, toast } from "./page.js";

const AT_MOST_MS = 40_000; // longer than the host gives a device to check its PIN

export function installPairing() {
  const words = document.getElementById("pairing-words")?.dataset;
  if (!words) return;
  document.addEventListener("pf-done", (event) => {
    if (event.target.matches(".pin-form")) checking(event.target);
  });
  document.body.addEventListener("pf-event", (event) => {
    const { type, data } = event.detail;
    const name = `\u2068${data.name}\u2069`; // apart from our words, whichever way it is written
    if (type === "pairing.waiting") tell("");
    if (type === "client.paired") tell(said(words.paired, { name }), "ok");
    if (type === "pairing.failed") failed(words, data, name);
  });
}

function checking(form) {
  const entry = form.querySelector(".pin-entry");
  entry.setAttribute("hx-morph-skip", ""); // live updates leave it as it is
  for (const it of form.elements) it.disabled = true;
  form.querySelector(".pin-checking").hidden = false;
  setTimeout(() => {
    entry.removeAttribute("hx-morph-skip");
    announce("pairing");
  }, AT_MOST_MS);
}

function failed(words, data, name) {
  const asked = document.querySelector(`.pin-form[data-pairing="${Number(data.pairing_id)}"]`);
  if (data.reason === "wrong_pin") tell(said(words.wrong, { name }), "bad");
  else if (asked) tell(said(words.gone, { name }), "warn");
}

/** Where there is a place for it, it stays until another device asks. */
function tell(text, kind = "") {
  const place = document.getElementById("pairing-result");
  if (!place && text) toast(text, kind === "bad" ? "bad" : "");
  if (!place) return;
  place.hidden = !text;
  place.className = `notice ${kind}`;
  place.textContent = text;
}
