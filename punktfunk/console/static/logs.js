// The log: what was written lately, then each line as it is written.

import { Refused } from "./actions.js";
import { whileSeen } from "./live.js";
import { logIn, root, said, toast } from "./page.js";

const KEPT = 5_000;
const AT_FIRST = 1_000;
const NEAR_END_PX = 40;
const LEVELS = ["debug", "info", "warning", "error", "critical"];

const words = document.getElementById("log").dataset;
const box = document.getElementById("log-lines");
const list = document.getElementById("log-rows");
const filter = document.getElementById("log-filter");
const newer = document.getElementById("log-newer");
const clock = new Intl.DateTimeFormat(document.documentElement.lang, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23",
});

const numbers = new Intl.NumberFormat(document.documentElement.lang);

const parts = new Set();
const lines = new WeakMap();
let waiting = [];
let unseen = 0;
let lastTop = 0;

function element(name, kind, text) {
  const made = document.createElement(name);
  made.className = kind;
  made.textContent = text;
  return made;
}

const partOf = (line) => line.logger.replace(/^punktfunk\./, "").split(".")[0];

function rowOf(line) {
  const row = element("div", line.level, "");
  const time = element("time", "", clock.format(new Date(line.time)));
  time.dateTime = time.title = line.time;
  const text = element("span", "text", "");
  text.lang = "en";
  text.append(element("span", "part", `${line.logger.replace(/^punktfunk\./, "")} `), element("bdi", "", line.message));
  row.append(time, element("span", "level", words[line.level] ?? line.level), text);
  if (line.trace) {
    const more = document.createElement("details");
    more.append(element("summary", "", words.where), element("pre", "", line.trace));
    row.append(more);
  }
  lines.set(row, line);
  return row;
}

function isWanted(line) {
  const { level, part, text } = filter.elements;
  return LEVELS.indexOf(line.level) >= LEVELS.indexOf(level.value)
    && (!part.value || partOf(line) === part.value)
    && `${line.logger} ${line.message} ${line.trace}`.toLowerCase().includes(text.value.toLowerCase());
}

function know(part) {
  if (parts.has(part)) return;
  parts.add(part);
  const select = filter.elements.part;
  const chosen = select.value;
  const names = [...parts].sort().map((it) => new Option(it, it));
  select.replaceChildren(new Option(words.any, ""), ...names);
  select.value = chosen;
}

function count() {
  const all = list.children.length;
  const shown = all - list.querySelectorAll(":scope > [hidden]").length;
  document.getElementById("log-count").value =
    said(words.count, { shown: numbers.format(shown), all: numbers.format(all) });
  const nothing = document.getElementById("log-empty");
  nothing.textContent = all ? words.none : words.empty;
  nothing.hidden = shown > 0;
}

function seen() {
  unseen = 0;
  newer.hidden = true;
}

function follow() {
  if (!filter.elements.follow.checked) return;
  box.scrollTop = box.scrollHeight;
  lastTop = box.scrollTop;
  seen();
}

function show() {
  const rows = waiting;
  waiting = [];
  for (const row of rows) {
    const line = lines.get(row);
    if (!line) continue;
    know(partOf(line));
    row.hidden = !isWanted(line);
  }
  list.append(...rows);
  const before = box.scrollHeight;
  while (list.children.length > KEPT) list.firstElementChild.remove();
  count();
  if (filter.elements.follow.checked) return follow();
  const gone = before - box.scrollHeight;
  if (gone > 0) box.scrollTop -= gone;
  unseen += rows.filter((row) => !row.hidden).length;
  newer.textContent = said(words.newer, { n: numbers.format(unseen) });
  newer.hidden = unseen === 0;
}

const gapRow = () => element("div", "gap", words.gap);

function add(row) {
  if (waiting.push(row) === 1) setTimeout(show, 100); // a burst is drawn once
}

function read(token) {
  let last = token;
  const open = () => {
    const source = new EventSource(`${root}api/v1/logs/stream?after=${encodeURIComponent(last)}`);
    for (const [type, rowFrom] of [["line", (data) => rowOf(JSON.parse(data))], ["gap", gapRow]]) {
      source.addEventListener(type, ({ data, lastEventId }) => {
        last = lastEventId;
        add(rowFrom(data));
      });
    }
    return source;
  };
  whileSeen(open);
}

function download() {
  const text = [...list.querySelectorAll(":scope > :not([hidden])")]
    .map((row) => lines.get(row))
    .filter(Boolean)
    .map((it) => `${it.time} ${it.level} ${it.logger}: ${it.message}${it.trace ? `\n${it.trace}` : ""}\n`)
    .join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = `punktfunk-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.log`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function begin() {
  const response = await fetch(`${root}api/v1/logs?limit=${AT_FIRST}`);
  if (response.status === 401) return logIn();
  const answer = await response.json();
  if (!response.ok) throw new Refused(response.status, answer);
  waiting = answer.map(rowOf);
  show();
  read(response.headers.get("Last-Event-ID"));
}

filter.addEventListener("submit", (event) => event.preventDefault());
filter.addEventListener("input", (event) => {
  if (event.target.name !== "follow") {
    for (const row of list.children) {
      const line = lines.get(row);
      if (line) row.hidden = !isWanted(line);
    }
    count();
  }
  follow();
});
// Who looks back is not pulled away from there, and who comes to the end again follows again.
box.addEventListener("scroll", () => {
  const { follow: following } = filter.elements;
  const left = box.scrollHeight - box.scrollTop - box.clientHeight;
  if (box.scrollTop < lastTop && left > 1) {
    following.checked = false;
  } else if (left < NEAR_END_PX) {
    following.checked = true;
    seen();
  }
  lastTop = box.scrollTop;
});
newer.addEventListener("click", () => {
  filter.elements.follow.checked = true;
  box.focus();
  follow();
});
// How high a line is turns out when it is drawn.
new ResizeObserver(() => requestAnimationFrame(follow)).observe(list);
document.getElementById("log-download").addEventListener("click", download);
begin().catch((error) => toast(error.message, "bad"));
