// The shelf: looks for titles as one types, and keeps what is looked for in the page's address.

import { announce } from "./page.js";

const form = document.getElementById("library-filter");
const AGAIN_MS = 1_500;

/** Without accents and capitals, as `plain` in pages/library.py does it. */
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("ß", "ss");
}

function wanted() {
  const given = new FormData(form);
  return {
    words: plain(given.get("q")).split(/\s+/).filter(Boolean),
    store: given.get("store") ?? "",
    installed: given.has("installed"),
    hidden: given.has("hidden"),
  };
}

let covers = [];

function readCovers() {
  covers = [...document.querySelectorAll("#covers > li")].map((element) => {
    const { text, store, absent, hidden } = element.dataset;
    return { element, text, store, installed: absent === undefined, hidden: hidden !== undefined };
  });
}

function show() {
  const { words, store, installed, hidden } = wanted();
  let count = 0;
  for (const it of covers) {
    const fits = (!store || store === it.store)
      && (it.installed || !installed)
      && (!it.hidden || hidden)
      && words.every((word) => it.text.includes(word));
    if (it.element.hidden === fits) it.element.hidden = !fits;
    count += fits;
  }
  const nothing = document.getElementById("shelf-nothing");
  if (nothing) nothing.hidden = count > 0;
  tell(count);
}

function tell(count) {
  const box = document.getElementById("shelf-count");
  if (!box) return;
  const { none, one, many } = box.dataset;
  box.textContent = count === 0 ? none : count === 1 ? one : many.replace("{n}", count.toLocaleString());
}

function keep() {
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  const asked = query.size ? `?${query}` : "";
  history.replaceState(history.state, "", location.pathname + asked);
  const shelf = document.getElementById("shelf");
  shelf.setAttribute("hx-get", shelf.getAttribute("hx-get").replace(/\?.*$/, "") + (asked || "?"));
}

function look() {
  keep();
  show();
}

let timer;

function lookAgainWhileWaiting() {
  clearTimeout(timer);
  if ("waiting" in document.getElementById("shelf").dataset) {
    timer = setTimeout(() => announce("library"), AGAIN_MS);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  look();
});
// Fields of the shelf belong to the form, and are not inside of it.
document.addEventListener("input", (event) => {
  if (event.target.form === form) look();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("#shelf-all")) return;
  event.preventDefault();
  document.getElementById("library-q").value = "";
  document.getElementById("store-all").checked = true;
  for (const it of document.querySelectorAll("#shelf [type=checkbox]")) it.checked = false;
  look();
  document.getElementById("library-q").focus();
});
document.addEventListener("htmx:after:swap", () => {
  readCovers();
  show();
  lookAgainWhileWaiting();
});
readCovers();
lookAgainWhileWaiting();
