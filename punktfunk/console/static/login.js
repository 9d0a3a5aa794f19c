// The login page: a link that `punktfunk console` made has its code behind the #, which browsers
// keep to themselves. It is taken out of the address at once, and used up.

import { root } from "./page.js";

const form = document.getElementById("login");

async function useUp(code) {
  const response = await fetch(`${root}login/code`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  if (response.ok) return location.replace(root + form.elements.next.value);
  const problem = document.getElementById("problem");
  problem.textContent = response.status === 429 ? form.dataset.busy : form.dataset.used;
  problem.hidden = false;
}

const code = new URLSearchParams(location.hash.slice(1)).get("code");
if (code) {
  history.replaceState(null, "", location.pathname + location.search);
  useUp(code);
}
