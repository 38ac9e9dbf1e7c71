// Three limiters that answer the same traffic, and what is remembered to be drawn. Whether a
// request passes, only the limiters say.

import { Policy, RateLimiter } from "../js/steadfast.js";
import { chance, TRAFFIC } from "./traffic.mjs";

/** How much of the past is shown. */
export const SHOWN_MS = 10_000;

/** How often what is left is noted, beside at each request. */
const NOTE_MS = 50;

/** The same rate and the same most at once for all three. */
export function policies({ rate, burst }) {
  const window = { count: burst, per: windowMs({ rate, burst }) };
  return {
    bucket: Policy.tokenBucket({ count: rate, per: 1_000, burst }),
    fixed: Policy.fixedWindow(window),
    sliding: Policy.slidingWindow(window),
  };
}

/** In how long `burst` come at `rate` a second. */
export const windowMs = ({ rate, burst }) => (1_000 * burst) / rate;

export class Race {
  /** Milliseconds of the race's own time. */
  now = 0;
  #settings;
  #times;
  #next;
  #pick;
  #noted = 0;

  constructor(settings) {
    this.#settings = { ...settings };
    this.#pick = chance(settings.seed);
    const clock = () => this.now;
    this.lanes = Object.entries(policies(settings)).map(([id, policy]) => ({
      id,
      limiter: new RateLimiter(policy, { clock }),
      admitted: 0,
      denied: 0,
      /** The most that passed within any stretch as long as a window. */
      most: 0,
      marks: [],
      levels: [],
      edges: [],
      recent: [],
    }));
    this.#restartTraffic();
    this.#note();
  }

  get settings() {
    return this.#settings;
  }

  /** Other numbers or other traffic from now on; what was used stays used. */
  change(changed) {
    this.#settings = { ...this.#settings, ...changed };
    const policy = policies(this.#settings);
    for (const lane of this.lanes) {
      lane.limiter.reconfigure(policy[lane.id]);
      // Stretches of another length are not compared.
      lane.most = 0;
      lane.recent = [];
    }
    this.#restartTraffic();
    this.#note();
  }

  #restartTraffic() {
    const { traffic, burst } = this.#settings;
    const from = Math.ceil(this.now);
    this.#times = TRAFFIC[traffic](from, this.#pick, burst, windowMs(this.#settings));
    this.#next = this.#times.next().value;
  }

  /** Lets `millis` pass. */
  advance(millis) {
    const until = this.now + millis;
    for (;;) {
      const next = Math.min(this.#next, this.#noted + NOTE_MS);
      if (next > until) break;
      this.now = next;
      if (this.#next <= next) {
        this.send();
        this.#next = this.#times.next().value;
      } else {
        this.#note();
      }
    }
    this.now = until;
    this.#note();
    this.#forget();
  }

  /** One request, now. */
  send() {
    for (const lane of this.lanes) {
      const { granted } = lane.limiter.tryAcquire();
      lane.marks.push({ at: this.now, granted });
      if (granted) {
        lane.admitted += 1;
        this.#count(lane);
      } else {
        lane.denied += 1;
      }
    }
    this.#note();
  }

  #count(lane) {
    const after = this.now - windowMs(this.#settings);
    lane.recent = lane.recent.filter((at) => at > after);
    lane.recent.push(this.now);
    lane.most = Math.max(lane.most, lane.recent.length);
  }

  #note() {
    this.#noted = this.now;
    for (const lane of this.lanes) {
      const { remaining, limit, fullInMs } = lane.limiter.standing();
      lane.left = remaining;
      lane.limit = limit;
      lane.levels.push({ at: this.now, left: remaining });
      // A fixed window is full again when it ends.
      const edge = this.now + fullInMs;
      if (lane.id === "fixed" && fullInMs > 0 && edge !== lane.edges.at(-1)) lane.edges.push(edge);
    }
  }

  #forget() {
    const before = this.now - SHOWN_MS;
    for (const lane of this.lanes) {
      lane.marks = lane.marks.filter(({ at }) => at >= before);
      lane.edges = lane.edges.filter((at) => at >= before);
      // One level from before is where the line comes from.
      const first = lane.levels.findLastIndex(({ at }) => at <= before);
      lane.levels = lane.levels.slice(Math.max(first, 0));
    }
  }

  /** Makes room for another race. */
  free() {
    for (const lane of this.lanes) lane.limiter.free();
  }
}
