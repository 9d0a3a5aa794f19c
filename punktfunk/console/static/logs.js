// The log: what was written lately, then each line as it is written.

import { Refused } from "./actions.js";
import { logIn, root, toast } from "./page.js";

const KEPT = 5_000;
const AT_FIRST = 1_000;
const NEAR_END_PX = 40;
const LEVELS = ["debug", "info", "warning", "error", "critical"];

const words = document.getElementById("log").dataset;
const list = document.getElementById("log-lines");
const filter = document.getElementById("log-filter");
const newer = document.getElementById("log-newer");
const clock = new Intl.DateTimeFormat(document.documentElement.lang, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23",
});

const parts = new Set();
const lines = new WeakMap();
let waiting = [];
let unseen = 0;

function element(name, kind, text) {
  const made = document.createElement(name);
  made.className = kind;
  made.textContent = text;
  return made;
}

const partOf = (line) => line.logger.replace(/^punktfunk\./, "").split(".")[0];

function rowOf(line) {
  const row = element("li", line.level, "");
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
  const hidden = list.querySelectorAll(":scope > [hidden]").length;
  document.getElementById("log-count").value =
    words.count.replace("%(shown)s", all - hidden).replace("%(all)s", all);
}

const isAtEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;

function toEnd() {
  list.scrollTop = list.scrollHeight;
  unseen = 0;
  newer.hidden = true;
}

function show() {
  const rows = waiting;
  waiting = [];
  const atEnd = isAtEnd();
  for (const row of rows) {
    const line = lines.get(row);
    if (!line) continue;
    know(partOf(line));
    row.hidden = !isWanted(line);
  }
  list.append(...rows);
  while (list.children.length > KEPT) list.firstElementChild.remove();
  count();
  if (filter.elements.follow.checked && (atEnd || !unseen)) return toEnd();
  unseen += rows.filter((row) => !row.hidden).length;
  newer.textContent = words.newer.replace("%(n)s", unseen);
  newer.hidden = unseen === 0;
}

function add(row) {
  if (waiting.push(row) === 1) setTimeout(show, 100); // a burst is drawn once
}

function follow(token) {
  const source = new EventSource(`${root}api/v1/logs/stream?after=${encodeURIComponent(token)}`);
  source.addEventListener("line", (event) => add(rowOf(JSON.parse(event.data))));
  source.addEventListener("gap", () => add(element("li", "gap", words.gap)));
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => { fetch(`${root}api/v1/health`).then(() => location.reload(), () => {}); }, 5_000);
  });
  addEventListener("pagehide", () => source.close());
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
  toEnd();
  follow(response.headers.get("Last-Event-ID"));
}

filter.addEventListener("submit", (event) => event.preventDefault());
filter.addEventListener("input", (event) => {
  if (event.target.name === "follow") return event.target.checked && toEnd();
  for (const row of list.children) {
    const line = lines.get(row);
    if (line) row.hidden = !isWanted(line);
  }
  count();
  if (filter.elements.follow.checked) toEnd();
});
list.addEventListener("scroll", () => {
  if (isAtEnd()) { unseen = 0; newer.hidden = true; }
});
newer.addEventListener("click", toEnd);
document.getElementById("log-download").addEventListener("click", download);
begin().catch((error) => toast(error.message, "bad"));
