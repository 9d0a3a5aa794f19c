// The contract as a page: every operation to read, to fill in and to send.

import { element, example, kindOf, members, resolve, words } from "./schema.js";

const CONTRACT = "/api/v1/openapi.json";
const METHODS = ["get", "put", "post", "patch", "delete"];
const MAX_SHOWN = 200_000;

const found = (id) => document.getElementById(id);
let token = ""; // here and in the field, and nowhere else
let contract = null;

found("access").addEventListener("submit", async (event) => {
  event.preventDefault();
  token = found("token").value.trim();
  found("problem").textContent = "";
  try {
    const answer = await ask("GET", CONTRACT);
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error);
    contract = told;
    show();
  } catch (error) {
    found("problem").textContent = String(error.message);
  }
});

found("forget").addEventListener("click", () => {
  token = "";
  found("token").value = "";
  found("main").hidden = found("forget").hidden = true;
  found("operations").replaceChildren();
  found("token").focus();
});

found("find").addEventListener("input", filter);

function ask(method, url, body, signal) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return fetch(url, { method, headers, body, signal, credentials: "omit", redirect: "error", cache: "no-store" });
}

function show() {
  found("about").replaceChildren(...words(contract.info.description));
  const sections = contract.tags.map((tag) => {
    const heading = element("h2", { id: `tag-${tag.name}` }, tag.name);
    const cards = operationsOf(tag.name).map(card);
    return element("section", { "aria-labelledby": heading.id }, heading,
      element("p", {}, ...words(tag.description)), ...cards);
  });
  found("operations").replaceChildren(...sections);
  found("main").hidden = found("forget").hidden = false;
  filter();
}

function operationsOf(tag) {
  return Object.entries(contract.paths).flatMap(([path, item]) => METHODS
    .filter((method) => item[method]?.tags.includes(tag))
    .map((method) => ({ ...item[method], path, method })));
}

function filter() {
  const wanted = found("find").value.trim().toLowerCase();
  let count = 0;
  for (const section of found("operations").children) {
    const cards = [...section.querySelectorAll(":scope > details")];
    for (const one of cards) {
      one.hidden = !one.dataset.words.includes(wanted);
      count += one.hidden ? 0 : 1;
    }
    section.hidden = cards.every((one) => one.hidden);
  }
  found("count").textContent = `${count} operations`;
}

function card(operation) {
  const { method, path, summary, description, operationId } = operation;
  const made = element("details", {
    id: operationId,
    "data-words": [method, path, operationId, summary, description].join(" ").toLowerCase(),
  });
  made.append(element("summary", {},
    element("span", { class: `method ${method}` }, method.toUpperCase()), " ",
    element("span", { class: "path" }, path), " ",
    element("span", { class: "faint" }, summary ?? "")));
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) made.append(inside(operation));
  });
  return made;
}

function inside(operation) {
  const scope = operation["x-scope"] ?? "admin";
  return element("div", { class: "inside" },
    element("p", {}, ...words(operation.description ?? operation.summary)),
    element("p", { class: "faint" },
      scope === "none" ? "Needs no token." : `Needs a token of the scope ${scope}.`),
    request(operation),
    element("h3", {}, "Answers"),
    element("ul", {}, ...Object.entries(operation.responses).map(answerLine)));
}

function answerLine([status, answer]) {
  const plain = resolve(answer, contract);
  const schema = plain.content?.["application/json"]?.schema;
  const fits = schema && !schema.$ref?.endsWith("/ApiError");
  return element("li", {}, element("code", {}, status), " ", ...words(plain.description),
    fits ? members(schema, contract) : "");
}

function request(operation) {
  const form = element("form", { novalidate: "" });
  const fields = (operation.parameters ?? []).map((one) => field(operation, one));
  const { schema, example: given } = operation.requestBody?.content["application/json"] ?? {};
  form.append(...fields.map(({ row }) => row));
  let body = null;
  if (schema) {
    const id = `${operation.operationId}-body`;
    body = element("textarea", { id, rows: 8, spellcheck: "false" });
    body.value = JSON.stringify(given ?? example(schema, contract), null, 2);
    form.append(element("h3", {}, element("label", { for: id }, "Body")), body, members(schema, contract));
  }
  const send = element("button", { class: operation.method },
    `Send ${operation.method.toUpperCase()}`);
  const stop = element("button", { type: "button", hidden: "" }, "Stop");
  const state = element("span", { role: "status" });
  const text = element("pre", { hidden: "", tabindex: "0", "aria-label": "Answer" });
  form.append(element("div", { class: "sent" }, send, stop, state), text);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const abort = new AbortController();
    stop.onclick = () => abort.abort();
    [send.disabled, stop.hidden, text.hidden, text.textContent] = [true, false, true, ""];
    try {
      await exchange(operation, fields, body?.value, abort.signal, state, text);
    } catch (error) {
      state.textContent = abort.signal.aborted ? "Stopped." : `No answer: ${error.message}`;
    }
    [send.disabled, stop.hidden] = [false, true];
  });
  return form;
}

function field(operation, parameter) {
  const id = `${operation.operationId}-${parameter.name}`;
  const schema = parameter.schema ?? {};
  const input = schema.enum
    ? element("select", { id }, element("option", { value: "" }, ""),
      ...schema.enum.map((one) => element("option", {}, one)))
    : element("input", { id, autocomplete: "off", spellcheck: "false" });
  const needed = parameter.required ? ", required" : "";
  return {
    parameter,
    input,
    row: element("div", { class: "field" }, element("label", { for: id }, parameter.name), input,
      element("span", { class: "faint" }, `In the ${parameter.in}, ${kindOf(schema, contract)}${needed}. `,
        ...words(parameter.description))),
  };
}

async function exchange(operation, fields, body, signal, state, text) {
  let { path } = operation;
  const query = new URLSearchParams();
  for (const { parameter, input } of fields) {
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, () => encodeURIComponent(input.value));
    else if (parameter.in === "query" && input.value) query.set(parameter.name, input.value);
  }
  const url = query.size ? `${path}?${query}` : path;
  state.textContent = "Waiting …";
  const began = performance.now();
  const answer = await ask(operation.method.toUpperCase(), url, body, signal);
  const kind = answer.headers.get("Content-Type")?.split(";")[0] ?? "";
  const says = () => `${answer.status} ${answer.statusText} · ${Math.round(performance.now() - began)} ms`;
  state.textContent = says();
  if (kind.startsWith("image/")) {
    const { size } = await answer.blob();
    state.textContent = `${says()} · ${kind}, ${size} bytes`;
  } else if (kind === "text/event-stream") {
    await follow(answer, text);
  } else {
    const told = await answer.text();
    state.textContent = says();
    text.textContent = kind === "application/json" ? JSON.stringify(JSON.parse(told), null, 2) : told;
    text.hidden = !told;
  }
}

async function follow(answer, text) {
  text.hidden = false;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text.textContent = (text.textContent + part.value).slice(-MAX_SHOWN);
  }
}
