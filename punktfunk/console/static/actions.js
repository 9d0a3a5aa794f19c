// What changes something goes through the API, as JSON, the way programs do it.
//
//   <form data-api="POST api/v1/library/custom" data-toast="Added" data-tell="library">
//
// Members of the body are the form's fields by name; `a.b` is a member of a member. A field's
// data-type is `number`, `boolean`, `words` or `lines` (a list) or `json`; data-optional leaves it out
// when it is empty. Attributes of the form or of a button alone:
//   data-api      method and path from the console's root; {name} takes a field of that name
//   data-ask      a question before it is done; data-yes: what the button for it says
//   data-toast    said when it worked       data-tell   topics that changed, see live.js
//   data-goto     a page to go to then      data-reset  empties the form then
// Dialogs around a form are closed when it worked. `pf-done` is sent from the element then, with
// the answer as its detail.

import { announce, headers, logIn, root, said, toast, words } from "./page.js";

export class Refused extends Error {
  constructor(status, answer) {
    super(answer?.error || (status ? `${words.failed} (HTTP ${status})` : words.failed));
    this.status = status;
    this.code = answer?.code;
  }
}

/** Ask the API, with a value or a file. Resolves to its answer (null without one); throws Refused. */
export async function ask(method, path, body) {
  const response = await send(method, path, body);
  const answer = response.headers.get("Content-Type")?.startsWith("application/json")
    ? await response.json() : null;
  if (response.ok) return answer;
  if (response.status === 401) logIn();
  const refused = new Refused(response.status, answer);
  if (refused.code === "confirm_token" && await confirmToken()) return ask(method, path, body);
  throw refused;
}

async function send(method, path, body) {
  const file = body instanceof Blob;
  const type = file ? body.type : "application/json";
  const told = headers(body === undefined ? {} : { "Content-Type": type });
  try {
    return await fetch(root + path, {
      method, headers: told, body: file || body === undefined ? body : JSON.stringify(body),
    });
  } catch {
    throw new Refused(0, null);
  }
}

function shown(dialog) {
  return new Promise((resolve) => {
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });
}

async function confirmToken() {
  const dialog = document.getElementById("again");
  const field = dialog.querySelector("[name=token]");
  const problem = dialog.querySelector(".problem");
  problem.hidden = true;
  for (;;) {
    const goOn = await shown(dialog);
    const token = field.value;
    field.value = "";
    if (!goOn) return false;
    const response = await send("POST", "login/confirm", { token });
    if (response.ok) return true;
    if (response.status === 401) logIn();
    problem.textContent = whyNot(response);
    problem.hidden = false;
  }
}

function whyNot({ status, headers: told }) {
  if (status === 422) return words.wrong;
  return status === 429 ? said(words.wait, { seconds: told.get("Retry-After") }) : words.failed;
}

/** Ask a person. */
export function sure(question, yes = words.confirm) {
  const dialog = document.getElementById("confirm");
  document.getElementById("confirm-text").textContent = question;
  document.getElementById("confirm-yes").textContent = yes;
  return shown(dialog);
}

function valueOf(field) {
  switch (field.dataset.type) {
    case "number": return field.value === "" ? null : Number(field.value);
    case "boolean": return field.type === "checkbox" ? field.checked : field.value === "true";
    case "words": return field.value.split(/[\s,]+/).filter(Boolean);
    case "lines": return field.value.split("\n").map((it) => it.trim()).filter(Boolean);
    case "json": return JSON.parse(field.value);
    default: return field.value;
  }
}

/** The JSON that a form stands for. */
export function bodyOf(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled || field.dataset.part === "path") continue;
    if (field.type === "radio" && !field.checked) continue;
    if ("optional" in field.dataset && field.value === "") continue;
    const names = field.name.split(".");
    const last = names.pop();
    let into = body;
    for (const name of names) into = into[name] ??= {};
    into[last] = valueOf(field);
  }
  return body;
}

function problemOf(element) {
  return element.querySelector(":scope .problem[role=alert]");
}

const working = new WeakSet();

/** Do something for a form or a button, which shows it and does nothing else meanwhile. */
export async function busyWith(element, work) {
  if (working.has(element)) return;
  working.add(element);
  element.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    working.delete(element);
    element.removeAttribute("aria-busy");
  }
}

async function run(element) {
  const given = element.dataset;
  const form = element.matches("form") ? element : null;
  if (given.ask && !await sure(given.ask, given.yes)) return;
  const [method, template] = given.api.split(" ");
  const path = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(form.elements[name].value));
  const problem = problemOf(element);
  if (problem) problem.hidden = true;
  try {
    const body = form && method !== "DELETE" ? bodyOf(form) : undefined;
    const answer = await ask(method, path, body);
    element.closest("dialog")?.close();
    if ("reset" in given) form?.reset();
    if (given.toast) toast(given.toast);
    for (const topic of (given.tell ?? "").split(" ").filter(Boolean)) announce(topic);
    element.dispatchEvent(new CustomEvent("pf-done", { bubbles: true, detail: answer }));
    if (given.goto !== undefined) location.assign(root + given.goto);
  } catch (error) {
    if (!(error instanceof Refused || error instanceof SyntaxError)) throw error;
    if (problem) {
      problem.textContent = error.message;
      problem.hidden = false;
    } else {
      toast(error.message, "bad");
    }
  }
}

export function installActions() {
  document.addEventListener("submit", (event) => {
    if (!event.target.dataset.api) return;
    event.preventDefault();
    busyWith(event.target, () => run(event.target));
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-api]");
    if (button) busyWith(button, () => run(button));
  });
}
