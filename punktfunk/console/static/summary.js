// What a stream was like in all, kept up to date sample by sample.

import { upTo } from "./rows.js";

export class Summary {
  /** stages: names of all that the samples have. */
  constructor(stages, samples) {
    this.stages = stages;
    this.count = 0;
    this.fresh = this.repeated = this.mbps = this.wanted = 0;
    this.lost = this.rebuilt = this.never = this.refused = 0;
    this.medians_ms = [];
    this.stages_ms = stages.map(() => 0);
    this.worst_ms = 0;
    this.worst = 0;
    for (const sample of samples) this.add(sample);
  }

  add(sample) {
    this.fresh += sample.fps;
    this.repeated += sample.repeat_fps;
    this.mbps += sample.mbps;
    this.wanted += sample.bitrate_kbps / 1_000;
    this.lost += sample.packets_dropped;
    this.rebuilt += sample.fec_recovered;
    this.never += sample.frames_dropped;
    this.refused += sample.send_dropped;
    if (sample.fps) this.#addTimes(sample);
    this.count += 1;
  }

  #addTimes(sample) {
    const sums = upTo(sample, this.stages, "p50_us");
    this.medians_ms.push(sums.at(-1) ?? 0);
    sums.forEach((sum, place) => { this.stages_ms[place] += sum - (sums[place - 1] ?? 0); });
    const slowest = upTo(sample, this.stages, "p99_us").at(-1) ?? 0;
    if (slowest > this.worst_ms) [this.worst_ms, this.worst] = [slowest, this.count];
  }

  /** Milliseconds of half of the seconds. */
  get median_ms() {
    const sorted = Float64Array.from(this.medians_ms).sort();
    return sorted[sorted.length >> 1] ?? 0;
  }

  /** The stage that takes most, and its share; null without times. */
  get most() {
    const all = this.stages_ms.reduce((sum, it) => sum + it, 0);
    const most = Math.max(...this.stages_ms);
    return all ? { stage: this.stages[this.stages_ms.indexOf(most)], share: most / all } : null;
  }
}
