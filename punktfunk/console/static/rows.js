// Samples as rows of charts. Where there are more samples than a screen has room for, several
// make a row; where nothing was streamed, a row without values parts the lines.

export const MAX_ROWS = 1_000;
const GAP_MS = 3_500;

const FOLDS = {
  mean: (before, value, count) => before + (value - before) / count,
  min: (before, value) => Math.min(before, value),
  max: (before, value) => Math.max(before, value),
  last: (_, value) => value,
};

export class Rows {
  /**
   * columns: by name, `{ of: (sample) => number, fold: "mean" | "min" | "max" | "last" }`.
   * each: how many samples make a row.
   */
  constructor(columns, each) {
    this.each = each;
    this.seconds = [];
    this.values = {};
    this.columns = Object.entries(columns).map(([name, { of, fold }]) => {
      const values = this.values[name] = [];
      return { of, fold: FOLDS[fold], values };
    });
    this.inLast = 0;
    this.lastMs = null;
  }

  get length() { return this.seconds.length; }

  add(sample) {
    if (this.lastMs !== null && sample.t_ms - this.lastMs > GAP_MS) {
      this.#push(this.lastMs + 1, () => null);
      this.inLast = 0;
    }
    this.lastMs = sample.t_ms;
    if (this.inLast === 0 || this.inLast === this.each) {
      this.#push(sample.t_ms, (column) => column.of(sample));
      this.inLast = 1;
      return;
    }
    this.inLast += 1;
    const last = this.seconds.length - 1;
    this.seconds[last] = sample.t_ms / 1_000;
    for (const { of, fold, values } of this.columns) {
      values[last] = fold(values[last], of(sample), this.inLast);
    }
  }

  #push(ms, valueOf) {
    this.seconds.push(ms / 1_000);
    for (const column of this.columns) column.values.push(valueOf(column));
  }
}

/** Rows of the samples from one index up to another, no more than fit. */
export function rowsOf(samples, columns, from = 0, to = samples.length) {
  const rows = new Rows(columns, Math.max(1, Math.ceil((to - from) / MAX_ROWS)));
  for (let index = from; index < to; index += 1) rows.add(samples[index]);
  return rows;
}

/** Index of the first sample that is not before a time. */
export function indexAt(samples, ms) {
  let low = 0;
  let high = samples.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (samples[middle].t_ms < ms) low = middle + 1; else high = middle;
  }
  return low;
}

/** Index of the sample that is nearest to a time. */
export function nearest(samples, ms) {
  const after = Math.min(indexAt(samples, ms), samples.length - 1);
  const before = Math.max(0, after - 1);
  return ms - samples[before].t_ms < samples[after].t_ms - ms ? before : after;
}

/** Names of the stages, in the order in which samples have them. */
export function stagesOf(samples, known = []) {
  const names = [...known];
  for (const { stages } of samples) {
    if (stages.length <= names.length && stages.every(({ name }) => names.includes(name))) continue;
    let place = 0;
    for (const { name } of stages) {
      const found = names.indexOf(name);
      if (found < 0) names.splice(place, 0, name);
      place = (found < 0 ? place : found) + 1;
    }
  }
  return names;
}

/** Milliseconds up to and with each stage. */
export function upTo(sample, stages, percentile) {
  let sum = 0;
  return stages.map((name) => {
    sum += (sample.stages.find((it) => it.name === name)?.[percentile] ?? 0) / 1_000;
    return sum;
  });
}
