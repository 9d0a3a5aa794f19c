// Small things: copying, dialogs, countdowns, lists that are searched as one types.
//
//   data-copy="text"        a button that copies it
//   data-open="id"          a button that opens a dialog; data-close closes the one around it
//   data-countdown="90"     seconds that are counted down; sends pf-over at zero
//   data-send-on-change     a select that sends its form
//   data-search="#list"     an input that hides the list's [data-text] which do not have its words

import { toast, words } from "./page.js";

export function installManners() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.copy) copy(button.dataset.copy);
    if (button.dataset.open) document.getElementById(button.dataset.open)?.showModal();
    if ("close" in button.dataset) button.closest("dialog")?.close();
  });
  document.addEventListener("change", (event) => {
    if ("sendOnChange" in event.target.dataset) event.target.form.requestSubmit();
  });
  document.addEventListener("input", (event) => {
    if (event.target.dataset.search) search(event.target);
  });
  setInterval(countDown, 1_000);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // Only pages on HTTPS or loopback have a clipboard.
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  toast(words.copied);
}

function search(input) {
  const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const it of document.querySelectorAll(`${input.dataset.search} [data-text]`)) {
    const text = it.dataset.text.toLowerCase();
    it.hidden = !wanted.every((word) => text.includes(word));
  }
  input.dispatchEvent(new CustomEvent("pf-searched", { bubbles: true }));
}

const ends = new WeakMap();

function countDown() {
  for (const it of document.querySelectorAll("[data-countdown]")) {
    const given = Number(it.dataset.countdown);
    let known = ends.get(it);
    if (!known || known.given !== given) {
      known = { given, at: Date.now() + given * 1_000 };
      ends.set(it, known);
    }
    const left = Math.max(0, Math.round((known.at - Date.now()) / 1_000));
    it.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left === 0 && !known.over) {
      known.over = true;
      it.dispatchEvent(new CustomEvent("pf-over", { bubbles: true }));
    }
  }
}
