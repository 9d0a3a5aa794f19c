// What was saved is where the form starts from: what another browser saves after that is shown, and
// not taken for something typed here.

document.addEventListener("pf-done", ({ target: form }) => {
  if (form.id !== "own-settings") return;
  for (const field of form.elements) {
    for (const option of field.options ?? []) option.defaultSelected = option.selected;
    if (field.matches("input")) field.defaultValue = field.value;
  }
  form.reset();
});
