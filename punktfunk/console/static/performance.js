// The performance page: a recording, or the capture that runs.

import { watchLooks } from "./live.js";
import { headers, logIn, root, toast, words } from "./page.js";
import { View } from "./view.js";

const LEAST_WAIT_MS = 2_000;
const MOST_WAIT_MS = 30_000;

async function read(path) {
  let response;
  try {
    response = await fetch(root + path, { headers: headers() });
  } catch {
    throw new Error(words.failed);
  }
  if (response.status === 401) logIn();
  const answer = await response.json().catch(() => null); // a proxy's page, say
  if (!response.ok || !answer) throw new Error(answer?.error ?? words.failed);
  return { answer, token: response.headers.get("Last-Event-ID") };
}

/** A recording, which stays as it is. */
async function showRecording(view, path) {
  const problem = document.getElementById("view-problem");
  try {
    view.load((await read(path)).answer);
    document.getElementById("view-waiting").hidden = true;
    document.getElementById("view-empty").hidden = Boolean(view.stream);
  } catch (error) {
    document.getElementById("view-waiting").hidden = true;
    problem.textContent = error.message;
    problem.hidden = false;
  }
}

/** The capture that runs: all of it once, and then what is added. */
class Following {
  constructor(view) {
    this.view = view;
    this.turn = 0;
    this.wait_ms = LEAST_WAIT_MS;
    this.toldWhy = false;
    document.body.addEventListener("pf-stats", () => this.start());
    addEventListener("pagehide", () => this.stop());
    watchLooks(() => this.stop(), () => this.start());
    this.start();
  }

  async start() {
    this.stop();
    const { turn } = this;
    try {
      const { answer: status } = await read("api/v1/stats/capture/status");
      if (turn !== this.turn) return;
      if (!status.armed) return this.#show({ meta: { fps: 0 }, samples: [] });
      const { answer, token } = await read("api/v1/stats/capture/live");
      if (turn !== this.turn) return;
      this.#show(answer);
      this.#follow(turn, token);
    } catch (error) {
      if (turn !== this.turn) return;
      if (!this.toldWhy) toast(error.message, "bad");
      this.toldWhy = true;
      this.#again(turn);
    }
  }

  stop() {
    this.turn += 1;
    this.source?.close();
  }

  #show(capture) {
    this.toldWhy = false;
    this.view.load(capture);
    const waiting = document.getElementById("waiting");
    if (waiting) waiting.hidden = Boolean(this.view.stream);
  }

  #follow(turn, token) {
    this.source = new EventSource(`${root}api/v1/stats/stream?after=${encodeURIComponent(token)}`);
    this.source.addEventListener("open", () => { this.wait_ms = LEAST_WAIT_MS; });
    this.source.addEventListener("sample", ({ data }) => {
      if (!this.view.add(JSON.parse(data))) this.start();
    });
    this.source.addEventListener("gap", () => this.#again(turn));
    this.source.addEventListener("error", ({ target }) => {
      if (target.readyState === EventSource.CLOSED) this.#again(turn);
    });
  }

  #again(turn) {
    setTimeout(() => { if (turn === this.turn) this.start(); }, this.wait_ms);
    this.wait_ms = Math.min(2 * this.wait_ms, MOST_WAIT_MS);
  }
}

const element = document.getElementById("view");
export const view = new View(element);
if (element.dataset.recording) {
  showRecording(view, element.dataset.recording);
} else {
  new Following(view);
}
