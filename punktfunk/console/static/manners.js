// Small things: copying, dialogs, countdowns, lists that are searched as one types.
//
//   data-copy="text"        a button that copies it
//   data-open="id"          a button that opens a dialog; data-close closes the one around it
//   data-countdown="90"     seconds that are counted down; sends pf-over at zero
//   data-countup="12"       seconds that are counted up
//   data-send-on-change     a select that sends its form
//   data-search="#list"     an input that hides the list's [data-text] which do not have its words

import { here, toast, words } from "./page.js";

export function installManners() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.copy) copy(button.dataset.copy);
    if (button.dataset.open) document.getElementById(button.dataset.open)?.showModal();
    if ("close" in button.dataset) button.closest("dialog")?.close();
  });
  document.addEventListener("change", (event) => {
    if (!("sendOnChange" in event.target.dataset)) return;
    const { form } = event.target;
    if (form.elements.back) form.elements.back.value = here(); // scripts may have changed it
    form.requestSubmit();
  });
  document.addEventListener("input", (event) => {
    if (event.target.dataset.search) search(event.target);
  });
  setInterval(countDown, 1_000);
  const current = document.querySelector(".rail nav [aria-current]");
  if (current) current.closest("nav").scrollLeft = current.offsetLeft - innerWidth / 2; // on a phone
  setInterval(countUp, 1_000);
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // Only pages on HTTPS or loopback have a clipboard.
    const field = document.createElement("textarea");
    field.value = text;
    (document.querySelector("dialog:modal") ?? document.body).append(field);
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
const begins = new WeakMap();

function countDown() {
  for (const it of document.querySelectorAll("[data-countdown]")) {
    const given = Number(it.dataset.countdown);
    let known = ends.get(it);
    if (!known || known.given !== given) {
      known = { given, at: Date.now() + given * 1_000 };
      ends.set(it, known);
    }
    const left = Math.max(0, Math.round((known.at - Date.now()) / 1_000));
    it.textContent = watch(left);
    if (left === 0 && !known.over) {
      known.over = true;
      it.dispatchEvent(new CustomEvent("pf-over", { bubbles: true }));
    }
  }
}

function countUp() {
  for (const it of document.querySelectorAll("[data-countup]")) {
    const given = Number(it.dataset.countup);
    let known = begins.get(it);
    if (known?.given !== given) {
      known = { given, at: Date.now() - given * 1_000 };
      begins.set(it, known);
    }
    it.textContent = watch(Math.floor((Date.now() - known.at) / 1_000));
  }
}

/** As the filter `duration` says it. */
function watch(seconds) {
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
