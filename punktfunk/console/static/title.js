// The form for an entry of a person's own. Pictures are shown before they are sent, from the file
// itself; nothing is kept before Save.

import { Refused, ask, busyWith } from "./actions.js";
import { root, toast } from "./page.js";

const MOST_BYTES = 8 * 1_024 * 1_024;
const TYPES = ["image/png", "image/jpeg", "image/webp"];
const PREVIEW_PX = 600;

const form = document.getElementById("title-form");
const problem = form.querySelector(".saving .problem");
const words = form.dataset;
const chosen = new Map(); // by kind: a file, or null for a picture that is to go

function showKind() {
  const { value: kind } = form.elements.kind;
  for (const it of form.querySelectorAll("[data-kind]")) {
    it.hidden = it.dataset.kind !== kind;
    for (const field of it.querySelectorAll("[name]")) field.disabled = it.hidden;
  }
}

async function show(picture, file) {
  const said = picture.querySelector(".problem");
  said.hidden = true;
  const wrong = (why) => {
    said.textContent = why;
    said.hidden = false;
  };
  if (file.size > MOST_BYTES) return wrong(words.tooLong);
  let bitmap;
  try {
    if (!TYPES.includes(file.type)) throw new TypeError(file.type);
    bitmap = await createImageBitmap(file);
  } catch {
    return wrong(words.noPicture);
  }
  const canvas = picture.querySelector("canvas");
  const scale = Math.min(1, PREVIEW_PX / Math.max(bitmap.width, bitmap.height));
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  put(picture, file);
}

/** Takes a file, or null: no picture. */
function put(picture, file) {
  if (file || "there" in picture.dataset) chosen.set(picture.dataset.picture, file);
  else chosen.delete(picture.dataset.picture);
  picture.querySelector("canvas").hidden = !file;
  const before = picture.querySelector("img");
  if (before) before.hidden = true;
  picture.querySelector("[data-drop]").hidden = !file;
}

function entry() {
  const given = new FormData(form);
  const kind = given.get("kind");
  const art = {};
  for (const [name, value] of given) {
    if (name.startsWith("art.")) art[name.slice(4)] = value || null;
  }
  return {
    title: given.get("title"),
    launch: kind ? { kind, value: given.get("value") } : null,
    art,
  };
}

async function save() {
  problem.hidden = true;
  try {
    await keep();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    problem.textContent = error.message;
    problem.hidden = false;
    problem.scrollIntoView({ block: "nearest" });
  }
}

async function keep() {
  const id = form.dataset.entry;
  const place = "api/v1/library/custom";
  const kept = id ? await ask("PUT", `${place}/${id}`, entry()) : await ask("POST", place, entry());
  form.dataset.entry = kept.id; // if a picture is refused now, the next Save is for this entry
  for (const [kind, file] of chosen) {
    await ask(file ? "PUT" : "DELETE", `${place}/${kept.id}/art/${kind}`, file ?? undefined);
    chosen.delete(kind);
  }
  toast(words.saved);
  location.assign(`${root}library/custom:${kept.id}`);
}

form.addEventListener("change", (event) => {
  const { target } = event;
  if (target.name === "kind") showKind();
  if (target.type === "file" && target.files[0]) show(target.closest(".picture"), target.files[0]);
});
form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-drop]");
  if (!button) return;
  const picture = button.closest(".picture");
  picture.querySelector("[type=file]").value = "";
  put(picture, null);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  busyWith(form, save);
});
showKind();
