// Trying again: whether, and after how long.

import { SteadfastRangeError } from "./errors.js";
import { answer, checked, NO, text, wasm, YES } from "./module.js";
import * as options from "./options.js";
import { outcomeNumbers } from "./outcome.js";
import { Place } from "./place.js";

const BACKOFFS = ["exponential", "fixed", "linear", "fibonacci", "immediate"];
const JITTERS = ["none", "full", "equal", "decorrelated", "additive"];

/** What a length of time is that has no end. */
const ENDLESS = 0xffff_ffff_ffff_ffffn;

/** What of the options is the policy itself. */
export const RETRY_OPTIONS = [
  "attempts",
  "backoff",
  "base",
  "factor",
  "cap",
  "jitter",
  "maxElapsed",
  "maxServerDelay",
  "budget",
];

export class RetryPolicy {
  #place;
  #random;
  #attempts;

  constructor(given = {}) {
    options.options("options", given, [...RETRY_OPTIONS, "clock", "random"]);
    this.#attempts = options.whole("attempts", given.attempts ?? 4, 1);
    const numbers = [
      this.#attempts,
      options.word("backoff", given.backoff ?? "exponential", BACKOFFS),
      thousandths("factor", given.factor ?? 2),
      options.duration("base", given.base ?? "200ms"),
      options.duration("cap", given.cap ?? "10s"),
      options.word("jitter", given.jitter ?? "full", JITTERS),
      options.perhaps("maxElapsed", given.maxElapsed),
      options.duration("maxServerDelay", given.maxServerDelay ?? "60s"),
      given.budget === null ? 0 : options.whole("budget", given.budget ?? 500, 10),
    ];
    const clock = options.clock(given.clock);
    this.#random = options.random(given.random);
    const { retry_new, retry_free } = wasm();
    this.#place = new Place("retry policy", retry_new(...numbers), retry_free, clock);
    this.#place.belongsTo(this);
  }

  start(given = {}) {
    options.options("options", given, ["within", "repeatable"]);
    const within = options.perhaps("within", given.within);
    const repeatable = options.flag("repeatable", given.repeatable, true) ? 1 : 0;
    const { retry_start, retry_end } = wasm();
    const policy = this.#place;
    const handle = retry_start(policy.handle, policy.now(), within, repeatable);
    const session = new Place("call", handle, retry_end, () => policy.now());
    return new Retry(session, this.#random);
  }

  get attempts() {
    return this.#attempts;
  }

  budgetLeft() {
    const { handle, kind } = this.#place;
    const status = checked(wasm().retry_budget(handle, this.#place.now()), kind);
    return status === NO ? null : Number(answer()[0]);
  }

  free() {
    this.#place.free();
  }
}

/** A factor in thousandths. */
function thousandths(field, value) {
  const parts = typeof value === "number" ? Math.round(value * 1_000) : value;
  if (Number.isFinite(parts) && Math.abs(parts / 1_000 - value) > 1e-9) {
    throw new SteadfastRangeError(field, value, "numbers with up to three decimals");
  }
  return options.whole(field, parts, 1_000);
}

/** One call's attempts; made by `start()`. */
class Retry {
  #place;
  #random;

  constructor(place, random) {
    this.#place = place;
    this.#random = random;
    place.belongsTo(this);
  }

  next(attemptTimeout) {
    const { handle, kind } = this.#place;
    const wanted = options.perhaps("attemptTimeout", attemptTimeout);
    if (checked(wasm().retry_limit(handle, this.#place.now(), wanted), kind) === NO) return null;
    const [attempt, limit] = answer();
    const limitMs = limit === ENDLESS ? null : options.timerMillis(limit);
    return { attempt: Number(attempt), limitMs };
  }

  step(outcome) {
    const { handle, kind } = this.#place;
    const numbers = outcomeNumbers(outcome);
    const random = options.whole("random()", this.#random(), 0);
    const status = wasm().retry_step(handle, this.#place.now(), ...numbers, random);
    if (checked(status, kind) === YES) {
      const [delayNs] = answer();
      return { again: true, delayMs: options.timerMillis(delayNs), delayNs, reason: null };
    }
    const reason = text(Number(answer()[0]));
    return { again: false, delayMs: null, delayNs: null, reason };
  }

  end() {
    this.#place.free();
  }
}
