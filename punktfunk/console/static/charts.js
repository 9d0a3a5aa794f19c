// The charts of a stream: one below the other, with one time, one cursor and one zoom.

import { MAX_ROWS, indexAt, rowsOf, upTo } from "./rows.js";

const SIZES_PX = { latency: 260, rate: 150, goodput: 150, losses: 130 };
const AXIS_PX = 48;
const LEAST_SPAN_S = 4;
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600];

const language = document.documentElement.lang;
const shortNumber = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });

/** Seconds as a stopwatch shows them. */
export function stopwatch(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** What a token of console.css is in this theme; canvases know no tokens. */
class Palette {
  constructor(place) {
    this.probe = place.appendChild(document.createElement("span"));
    this.probe.className = "palette";
    this.known = new Map();
  }

  get(token, alpha = 1) {
    let colour = this.known.get(token);
    if (!colour) {
      this.probe.style.color = `var(--${token})`;
      colour = getComputedStyle(this.probe).color;
      this.known.set(token, colour);
    }
    return alpha === 1 ? colour : colour.replace("rgb(", "rgba(").replace(")", `, ${alpha})`);
  }
}

/** The token of a stage's colour, by its place. */
export const seriesToken = (index) => `series-${index % 8 + 1}`;

export class Charts {
  /**
   * places: elements for `latency`, `rate`, `goodput` and `losses`.
   * onPoint: told the second under the pointer, null when it has left.
   * onWindow: told when another part is shown.
   */
  constructor(places, { onPoint, onWindow }) {
    this.places = places;
    this.onPoint = onPoint;
    this.onWindow = onWindow;
    this.samples = [];
    this.stages = [];
    this.zoomed = null;
    this.span = 0;
    this.charts = [];
    this.palette = new Palette(places.latency.parentElement);
    this.sizes = new ResizeObserver(() => this.#resize());
    for (const place of Object.values(places)) this.sizes.observe(place);
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
      matchMedia(query).addEventListener("change", () => this.#repaint());
    }
    document.fonts.ready.then(() => this.#repaint());
  }

  /** Draw a stream. target: its pictures a second, 0 when nobody knows. */
  show(samples, stages, percentile, target) {
    this.samples = samples;
    this.stages = stages;
    this.target = target;
    this.columns = columnsOf(stages, percentile);
    for (const chart of this.charts) chart.destroy();
    this.charts = samples.length ? this.#make() : [];
    this.#draw();
  }

  /** One more sample is at the end of `samples`. */
  append() {
    if (this.zoomed) return;
    const mayGrow = !this.span && this.rows && this.rows.length < 2 * MAX_ROWS;
    if (!mayGrow) return this.#draw();
    this.rows.add(this.samples.at(-1));
    this.#put();
  }

  /** Show the last seconds only, 0 for everything. */
  setSpan(seconds) {
    this.span = seconds;
    this.showAll();
  }

  /** Show this part only, in seconds. */
  zoom(from, to) {
    const [first, last] = this.#whole();
    const middle = (from + to) / 2;
    const half = Math.max(LEAST_SPAN_S, to - from) / 2;
    this.zoomed = [Math.max(first, middle - half), Math.min(last, middle + half)];
    this.#draw();
  }

  showAll() {
    this.zoomed = null;
    this.#draw();
  }

  /** The seconds that are shown. */
  get window() {
    const [first, last] = this.#whole();
    if (this.zoomed) return this.zoomed;
    const from = this.span ? Math.max(first, last - this.span) : first;
    return [from, Math.max(last, from + LEAST_SPAN_S)];
  }

  /** Put the cursor of every chart at a second. */
  point(second) {
    for (const chart of this.charts) {
      const left = chart.valToPos(second, "x");
      const inside = left >= 0 && left <= chart.over.clientWidth;
      chart.setCursor({ left: inside ? left : -10, top: inside ? 0 : -10 }, false);
    }
  }

  #whole() {
    const { samples } = this;
    return samples.length ? [samples[0].t_ms / 1_000, samples.at(-1).t_ms / 1_000] : [0, 0];
  }

  #draw() {
    const [from, to] = this.window;
    const first = Math.max(0, indexAt(this.samples, from * 1_000) - 1);
    this.rows = rowsOf(this.samples, this.columns, first, indexAt(this.samples, to * 1_000 + 1));
    this.#put();
    this.onWindow();
  }

  #put() {
    const [min, max] = this.window;
    const { seconds, values } = this.rows;
    for (const chart of this.charts) {
      chart.batch(() => {
        chart.setData([seconds, ...chart.names.map((name) => values[name])], false);
        chart.setScale("x", { min, max });
      });
    }
  }

  #resize() {
    for (const chart of this.charts) {
      const width = chart.root.parentElement.clientWidth;
      if (width && width !== chart.width) chart.setSize({ width, height: chart.height });
    }
  }

  #repaint() {
    this.palette.known.clear();
    for (const chart of this.charts) chart.redraw();
  }

  #make() {
    const line = (name, token, more = {}) => ({
      name, width: 1.5, stroke: () => this.palette.get(token), ...more,
    });
    const bound = (name) => ({ name, width: 0 });
    const band = (token) => [{ series: [2, 3], fill: () => this.palette.get(token, 0.25) }];
    const dashed = { dash: [5, 4], width: 1.25 };
    // The whole is painted first; each part of it covers what is below.
    const stack = this.stages.map((_, index) => line(`stage ${index}`, seriesToken(index), {
      width: 0, fill: () => this.palette.get(seriesToken(index)),
    })).reverse();
    const interval_ms = this.target ? 1_000 / this.target : 0;
    return [
      this.#chart("latency", [...stack, line("worst", "ink", { width: 1, alpha: 0.7 })], { mark: interval_ms }),
      this.#chart("rate", [
        line("fps", "series-3"), bound("fps most"), bound("fps least"), line("repeated", "series-8"),
      ], { bands: band("series-3"), mark: this.target }),
      this.#chart("goodput", [
        line("goodput", "series-1"), bound("goodput most"), bound("goodput least"),
        line("target", "ink", dashed),
      ], { bands: band("series-1") }),
      this.#chart("losses", [
        line("packets", "series-4"), line("frames", "series-2"), line("send", "series-5"),
        line("recovered", "series-3", dashed),
      ], { least: 4 }),
    ];
  }

  /** mark: a value with a dashed line; least: how far the axis reaches at least. */
  #chart(kind, series, { bands = [], mark = 0, least = 1 }) {
    const place = this.places[kind];
    const axis = {
      stroke: () => this.palette.get("soft"),
      font: '12px "Hanken Grotesk", system-ui, sans-serif',
      grid: { stroke: () => this.palette.get("line"), width: 1 },
      ticks: { show: false },
      border: { show: false },
    };
    const chart = new uPlot({
      width: place.clientWidth || 600,
      height: SIZES_PX[kind],
      padding: [10, 6, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 5 },
        bind: { dblclick: () => () => this.showAll() },
      },
      scales: {
        x: { time: false },
        y: { range: (_, __, most) => [0, Math.max(least, 1.1 * Math.max(most ?? 0, mark))] },
      },
      axes: [
        { ...axis, incrs: STEPS_S, space: 70, size: 26, values: (_, at) => at.map(stopwatch) },
        { ...axis, size: AXIS_PX, space: 32, values: (_, at) => at.map(shortNumber.format) },
      ],
      series: [{}, ...series.map(({ name, ...more }) => ({ points: { show: false }, ...more }))],
      bands,
      hooks: {
        draw: [(it) => mark && this.#mark(it, mark)],
        setCursor: [(it) => this.onPoint(it.cursor.left >= 0 ? it.posToVal(it.cursor.left, "x") : null)],
        setSelect: [(it) => this.#select(it)],
      },
    }, [[], ...series.map(() => [])], place);
    chart.names = series.map(({ name }) => name);
    return chart;
  }

  #mark(chart, value) {
    const { ctx, bbox } = chart;
    const top = chart.valToPos(value, "y", true);
    ctx.save();
    ctx.strokeStyle = this.palette.get("ink");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, top);
    ctx.lineTo(bbox.left + bbox.width, top);
    ctx.stroke();
    ctx.restore();
  }

  #select(chart) {
    const { left, width } = chart.select;
    if (width < 5) return;
    const [from, to] = [chart.posToVal(left, "x"), chart.posToVal(left + width, "x")];
    chart.setSelect({ left: 0, width: 0 }, false);
    this.zoom(from, to);
  }
}

function columnsOf(stages, percentile) {
  const mean = (of) => ({ of, fold: "mean" });
  const most = (of) => ({ of, fold: "max" });
  const least = (of) => ({ of, fold: "min" });
  const stacked = stages.map((_, index) => [
    `stage ${index}`, mean((it) => upTo(it, stages, percentile)[index]),
  ]);
  const fps = (it) => it.fps;
  const goodput = (it) => it.mbps;
  return {
    ...Object.fromEntries(stacked),
    worst: most((it) => upTo(it, stages, percentile).at(-1) ?? 0),
    fps: mean(fps), "fps most": most(fps), "fps least": least(fps),
    repeated: mean((it) => it.repeat_fps),
    goodput: mean(goodput), "goodput most": most(goodput), "goodput least": least(goodput),
    target: { of: (it) => it.bitrate_kbps / 1_000, fold: "last" },
    packets: most((it) => it.packets_dropped),
    frames: most((it) => it.frames_dropped),
    send: most((it) => it.send_dropped),
    recovered: most((it) => it.fec_recovered),
  };
}
