// A stream's figures, charts and the second that is pointed at.

import { Charts, seriesToken, stopwatch } from "./charts.js";
import { said } from "./page.js";
import { nearest, stagesOf, upTo } from "./rows.js";
import { Summary } from "./summary.js";

const MAX_SAMPLES = 12_000;
const MAX_NAME = 40;
const LOST = ["packets_dropped", "frames_dropped", "send_dropped", "fec_recovered"];

const language = document.documentElement.lang;
const numbers = [0, 1, 2].map((digits) => new Intl.NumberFormat(language, {
  minimumFractionDigits: digits, maximumFractionDigits: digits,
}));
const percents = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });

const milliseconds = (value) => numbers[value < 10 ? 2 : 1].format(value);
/** A name from outside: not endless, and nothing that turns the line around. */
const tame = (name) => {
  const plain = name.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "");
  return plain.length > MAX_NAME ? `${plain.slice(0, MAX_NAME)}…` : plain;
};
const keyOf = (sample) => `${sample.session_id} ${sample.client ?? ""}`;

export class View {
  constructor(element) {
    this.element = element;
    this.words = element.querySelector("template").dataset;
    this.devices = JSON.parse(element.querySelector("script").textContent);
    this.streams = new Map();
    this.held = null; // the sample that the slider holds; null follows the last
    const places = Object.fromEntries(
      [...element.querySelectorAll("[data-chart]")].map((it) => [it.dataset.chart, it]),
    );
    this.charts = new Charts(places, {
      onPoint: (second) => this.#point(second),
      onWindow: () => this.#fitSlider(),
    });
    this.#listen();
  }

  stage(name) {
    return this.words[`stage${name.charAt(0).toUpperCase()}${name.slice(1)}`] ?? tame(name);
  }

  part(name) { return this.element.querySelector(`[data-part="${name}"]`); }

  get stream() { return this.streams.get(this.chosen); }
  get percentile() { return this.element.querySelector("[name=percentile]:checked").value; }

  /** Show a capture as the API tells it. */
  load({ meta, samples }) {
    const [before, chosen] = [this.streams, this.chosen];
    const isAnother = this.started !== meta.started_unix_ms;
    this.started = meta.started_unix_ms;
    this.streams = new Map();
    for (const sample of samples) this.#streamOf(sample).samples.push(sample);
    for (const [key, stream] of this.streams) {
      stream.stages = stagesOf(stream.samples);
      stream.summary = new Summary(stream.stages, stream.samples);
      stream.target = before.get(key)?.target ?? 0;
    }
    // The summary is of the stream that was sampled last.
    if (samples.length) this.streams.get(keyOf(samples.at(-1))).target = meta.fps;
    if (!this.stream) this.chosen = samples.length ? keyOf(samples.at(-1)) : undefined;
    if (isAnother || this.chosen !== chosen) this.#letGo();
    this.#fillChoice();
    this.show();
  }

  /** What was pointed at and zoomed to is gone. */
  #letGo() {
    this.held = null;
    this.charts.zoomed = null;
  }

  /** Add one more sample. False: it is of a stream that the view does not know. */
  add(sample) {
    const stream = this.streams.get(keyOf(sample));
    if (!stream) return false;
    stream.samples.push(sample);
    const stages = stagesOf([sample], stream.stages);
    const anew = stages.length > stream.stages.length || stream.samples.length > MAX_SAMPLES;
    if (anew) {
      if (stream.samples.length > MAX_SAMPLES) {
        stream.samples.splice(0, MAX_SAMPLES / 10);
        this.held = null;
      }
      stream.stages = stages;
      stream.summary = new Summary(stages, stream.samples);
    } else {
      stream.summary.add(sample);
    }
    if (stream !== this.stream) return true;
    if (anew) {
      this.show();
    } else {
      this.charts.append();
      this.#tell();
      if (!this.charts.zoomed) this.#fitSlider();
    }
    return true;
  }

  /** Draw the chosen stream anew. */
  show() {
    const { stream } = this;
    this.element.hidden = !stream;
    if (!stream) return;
    this.#makeStages();
    this.charts.show(stream.samples, stream.stages, this.percentile, stream.target);
    this.#tell();
  }

  #streamOf(sample) {
    const key = keyOf(sample);
    if (!this.streams.has(key)) {
      const name = tame(this.devices[sample.client] ?? sample.client ?? "");
      this.streams.set(key, { samples: [], session: sample.session_id, name });
    }
    return this.streams.get(key);
  }

  #fillChoice() {
    const choice = this.part("stream");
    choice.closest("label").hidden = this.streams.size < 2;
    choice.replaceChildren(...[...this.streams].map(([key, { session, name }]) => {
      const label = said(this.words.stream, { session, name });
      return new Option(label, key, key === this.chosen, key === this.chosen);
    }));
  }

  #listen() {
    const { element } = this;
    element.addEventListener("change", ({ target }) => {
      if (target.name === "percentile") this.show();
      if (target.name === "span") this.charts.setSpan(Number(target.value));
      if (target.dataset.part === "stream") {
        this.chosen = target.value;
        this.#letGo();
        this.show();
      }
    });
    const slider = this.part("slider");
    slider.addEventListener("input", () => {
      this.held = slider.value === slider.max ? null : Number(slider.value);
      this.#mark();
    });
    this.part("closer").addEventListener("click", () => {
      const [from, to] = this.charts.window;
      const middle = this.#pointed().t_ms / 1_000;
      this.charts.zoom(middle - (to - from) / 4, middle + (to - from) / 4);
      this.#mark();
    });
    this.part("all").addEventListener("click", () => this.charts.showAll());
    this.part("worst-at").addEventListener("click", () => {
      this.held = this.stream.summary.worst;
      this.charts.showAll();
      this.#mark();
    });
  }

  #point(second) {
    if (second === null) return this.#mark();
    this.#mark(nearest(this.stream.samples, second * 1_000));
  }

  #pointed(index = this.held) {
    const last = this.stream.samples.length - 1;
    return this.stream.samples[Math.min(index ?? last, last)];
  }

  /** The slider goes over what is shown, sample by sample. */
  #fitSlider() {
    if (!this.stream) return;
    const { samples } = this.stream;
    const [from, to] = this.charts.window;
    const slider = this.part("slider");
    slider.min = nearest(samples, from * 1_000);
    slider.max = nearest(samples, to * 1_000);
    this.part("all").disabled = !this.charts.zoomed;
    const { each } = this.charts.rows;
    const thinned = this.part("thinned");
    thinned.hidden = each === 1;
    thinned.textContent = said(this.words.thinned, { count: each });
    this.#mark();
  }

  /** Put the cursor at a sample and say what it has. */
  #mark(index = this.held) {
    const sample = this.#pointed(index);
    const slider = this.part("slider");
    const at = stopwatch(sample.t_ms / 1_000);
    slider.value = index ?? slider.max;
    this.charts.point(sample.t_ms / 1_000);
    this.part("at").textContent = at;
    const sums = ["p50_us", "p99_us"].map((it) => upTo(sample, this.stream.stages, it));
    this.cells.forEach(([median, worst], place) => {
      [median, worst].forEach((cell, which) => {
        const total = place === this.stream.stages.length;
        const value = sums[which].at(total ? -1 : place) ?? 0;
        cell.textContent = milliseconds(total || !place ? value : value - sums[which][place - 1]);
      });
    });
    const values = {
      fps: numbers[1].format(sample.fps),
      repeat_fps: numbers[1].format(sample.repeat_fps),
      mbps: numbers[1].format(sample.mbps),
      bitrate_kbps: numbers[1].format(sample.bitrate_kbps / 1_000),
      ...Object.fromEntries(LOST.map((name) => [name, numbers[0].format(sample[name])])),
    };
    for (const cell of this.element.querySelectorAll("[data-of]")) {
      cell.textContent = values[cell.dataset.of];
    }
    slider.setAttribute("aria-valuetext", said(this.words.moment, {
      at, ms: milliseconds(sums[0].at(-1) ?? 0), fps: values.fps,
    }));
  }

  #makeStages() {
    const { stages } = this.stream;
    const key = this.part("key");
    const swatch = (index, tag) => {
      const made = document.createElement(tag);
      made.className = `swatch ${seriesToken(index)}`;
      made.textContent = this.stage(stages[index]);
      return made;
    };
    key.replaceChildren(...stages.map((_, index) => swatch(index, "li")));
    const rows = [...stages, null].map((name, index) => {
      const row = document.createElement("tr");
      const head = row.appendChild(document.createElement("th"));
      head.scope = "row";
      if (name === null) head.textContent = this.words.together;
      else head.append(swatch(index, "span"));
      const cells = [0, 1].map(() => row.appendChild(document.createElement("td")));
      for (const cell of cells) cell.className = "number";
      return { row, cells };
    });
    this.cells = rows.map(({ cells }) => cells);
    this.part("stages").replaceChildren(...rows.map(({ row }) => row));
  }

  /** The figures above the charts. */
  #tell() {
    const { samples, target, summary } = this.stream;
    const put = (name, value, note = "") => {
      this.part(name).textContent = value;
      this.part(`${name}-note`).textContent = note;
    };
    const share = (part, whole) => percents.format(whole ? part / whole : 0);
    const { most } = summary;
    put("typical", `${milliseconds(summary.median_ms)} ms`, most ? said(this.words.most, {
      stage: this.stage(most.stage), share: percents.format(most.share),
    }) : "");
    this.part("worst").textContent = `${milliseconds(summary.worst_ms)} ms`;
    this.part("worst-at").textContent = said(this.words.worstAt, {
      at: stopwatch(samples[summary.worst].t_ms / 1_000),
    });
    const fps = numbers[1].format(summary.fresh / summary.count);
    put("fps", target ? said(this.words.of, { value: fps, all: numbers[0].format(target) }) : fps,
      said(this.words.repeated, {
        share: share(summary.repeated, summary.repeated + summary.fresh),
      }));
    put("mbps", `${numbers[1].format(summary.mbps / summary.count)} Mbit/s`,
      said(this.words.wanted, { mbps: numbers[1].format(summary.wanted / summary.count) }));
    put("lost", numbers[0].format(summary.lost), summary.lost
      ? said(this.words.rebuilt, { share: share(summary.rebuilt, summary.lost) }) : "");
    put("never", numbers[0].format(summary.never), summary.refused
      ? said(this.words.refused, { count: numbers[0].format(summary.refused) }) : "");
    const quiet = !(summary.lost || summary.never || summary.refused);
    this.part("losses").hidden = quiet;
    this.part("no-losses").hidden = !quiet;
  }
}
