// Settings: each saves itself, and says what is wrong where it is wrong.

import { Refused, ask, bodyOf, busyWith } from "./actions.js";
import { copy } from "./manners.js";
import { announce, toast } from "./page.js";

const edited = new WeakSet(); // forms with something that is not saved yet
const search = document.getElementById("settings-search");

const isSetting = (form) => Boolean(form?.dataset.setting);
const fieldsOf = (form) => [...form.querySelectorAll("[name=value]")];

function isChanged(field) {
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.tagName === "SELECT") return !field.selectedOptions[0]?.defaultSelected;
  return field.value !== field.defaultValue;
}

function valueIn(form) {
  const fields = fieldsOf(form);
  if (fields[0].dataset.type !== "some") return bodyOf(form).value;
  return fields.filter((it) => it.checked).map((it) => it.value);
}

/** Save and As it was are there while there is something to save. */
function showState(form) {
  const row = form.querySelector(".setting-save");
  if (!row) return;
  const changed = fieldsOf(form).some(isChanged);
  if (changed) edited.add(form); else edited.delete(form);
  row.hidden = !changed;
}

function say(form, text) {
  const problem = form.querySelector(".problem");
  problem.textContent = text;
  problem.hidden = !text;
}

/** Buttons that have done their work go away: who is at the keyboard is left at the field. */
function backToField(form) {
  if (form.querySelector("button:focus-visible")) fieldsOf(form)[0].focus();
}

async function change(form, body) {
  say(form, "");
  try {
    await ask("PATCH", "api/v1/config", body);
    toast(form.dataset.saved);
    edited.delete(form);
    backToField(form);
    form.querySelector(".setting-save").hidden = true;
    announce("config");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(form, error.message);
  }
}

document.addEventListener("input", (event) => {
  if (isSetting(event.target.form)) showState(event.target.form);
});
document.addEventListener("reset", (event) => {
  const form = event.target;
  if (!isSetting(form)) return;
  say(form, "");
  setTimeout(() => showState(form));
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!isSetting(form)) return;
  event.preventDefault();
  if (edited.has(form)) busyWith(form, () => change(form, { set: { [form.dataset.setting]: valueIn(form) } }));
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-setting] button");
  if (button?.type === "reset") backToField(button.form);
  if (!button?.dataset.unset) return;
  busyWith(button.form, () => change(button.form, { unset: [button.dataset.unset] }));
});

// What a person has chosen in a field hides what the host says now, but where they go on editing.
document.addEventListener("htmx:after:swap", () => {
  for (const form of document.querySelectorAll("[data-setting]")) {
    if (edited.has(form)) showState(form); else form.reset();
  }
  search.dispatchEvent(new Event("input", { bubbles: true }));
});
search.addEventListener("pf-searched", () => {
  document.getElementById("settings-nothing").hidden =
    Boolean(document.querySelector("main [data-text]:not([hidden])"));
});

// A token is shown once, and is nowhere on the page afterwards.
document.addEventListener("pf-done", (event) => {
  if (!event.detail?.token) return;
  const dialog = document.getElementById("token-made");
  const shown = dialog.querySelector(".token-text code");
  shown.textContent = event.detail.token;
  dialog.addEventListener("close", () => { shown.textContent = ""; }, { once: true });
  dialog.showModal();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("#token-copy")) return;
  copy(document.querySelector(".token-text code").textContent);
});
