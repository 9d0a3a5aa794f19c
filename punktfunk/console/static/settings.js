// Settings: each saves itself, and says what is wrong where it is wrong.

import { Refused, ask, bodyOf } from "./actions.js";
import { announce, toast, words } from "./page.js";

const isSetting = (form) => Boolean(form?.dataset.setting);

function isChanged(form) {
  const field = form.elements.value;
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.tagName === "SELECT") return !field.selectedOptions[0].defaultSelected;
  return field.value !== field.defaultValue;
}

function showState(form) {
  form.querySelector(".setting-save").hidden = !isChanged(form);
}

async function change(form, body) {
  const problem = form.querySelector(".problem");
  problem.hidden = true;
  form.classList.add("busy");
  try {
    const answer = await ask("PATCH", "api/v1/config", body);
    toast(form.dataset.saved);
    form.querySelector(".setting-save").hidden = true;
    announce("config");
    return answer;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    problem.textContent = error.message;
    problem.hidden = false;
  } finally {
    form.classList.remove("busy");
  }
}

document.addEventListener("input", (event) => {
  if (isSetting(event.target.form)) showState(event.target.form);
});
document.addEventListener("reset", (event) => {
  if (!isSetting(event.target)) return;
  event.target.querySelector(".problem").hidden = true;
  setTimeout(() => showState(event.target));
});
document.addEventListener("submit", (event) => {
  if (!isSetting(event.target)) return;
  event.preventDefault();
  change(event.target, { set: { [event.target.dataset.setting]: bodyOf(event.target).value } });
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-unset]");
  if (button) change(button.form ?? button.closest("form"), { unset: [button.dataset.unset] });
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
document.addEventListener("click", async (event) => {
  if (!event.target.closest("#token-copy")) return;
  await navigator.clipboard?.writeText(document.querySelector(".token-text code").textContent);
  toast(words.copied);
});
