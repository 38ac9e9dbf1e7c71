// The limiters of the WebAssembly module, for JavaScript, and all else that a caller imports. What is
// here checks what it is given and carries it over; every yes, every wait and every header is the
// module's.

import { Decision, insideOf } from "./decision.js";
import { SteadfastStateError, SteadfastTypeError } from "./errors.js";
import { answer, checked, hash, leave, text, wasm } from "./module.js";
import * as options from "./options.js";
import { Place } from "./place.js";
import { numbersOf, Policy } from "./policy.js";

export { Breakers } from "./breakers.js";
export { SteadfastRangeError, SteadfastStateError, SteadfastTypeError } from "./errors.js";
export { capacity, default } from "./module.js";
export { httpOutcome, mayRepeat } from "./outcome.js";
export { CallError, ResilientFetch } from "./resilient-fetch.js";
export { RetryPolicy } from "./retry.js";
export { StaleCache } from "./stale-cache.js";
export { Policy };

/** What one limiter and a limiter a key have in common. */
class LimiterPlace extends Place {
  /** The words of a standing. */
  standing(status) {
    checked(status, this.kind);
    const [limit, window, remaining, fullIn] = answer();
    return {
      limit: Number(limit),
      remaining: Number(remaining),
      windowMs: Number(window) / 1e6,
      fullInMs: Number(fullIn) / 1e6,
    };
  }

  /** The headers that `write` leaves. */
  headers(given, write) {
    options.options("options", given, ["name", "unixNow"]);
    const name = options.name(given.name);
    const unixNow = options.millis("unixNow", given.unixNow ?? Date.now());
    leave(name);
    const lines = text(checked(write(this.handle, unixNow, name.length), this.kind));
    // A name, a colon, a space, a value, a line break.
    const pairs = lines.split("\n").filter(Boolean).map((line) => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)];
    });
    return Object.fromEntries(pairs);
  }

  /** Status, headers and body of a no. */
  refusal(denied, headers) {
    const body = text(checked(wasm().refusal(...denied), this.kind));
    const [status] = answer();
    const type = text(checked(wasm().content_type(), this.kind));
    return { status: Number(status), headers: { ...headers, "content-type": type }, body };
  }
}

/** What options of one object are the policy's, and what the limiter's. */
function apart(given, own) {
  // Whether it is an object at all, the policy says.
  if (typeof given !== "object" || given === null || Array.isArray(given)) return [given, {}];
  const entries = Object.entries(given);
  const isOwn = ([key]) => own.includes(key);
  return [
    Object.fromEntries(entries.filter((entry) => !isOwn(entry))),
    Object.fromEntries(entries.filter(isOwn)),
  ];
}

const cost = (value) => options.whole("cost", value, 0);

const OWN = ["clock"];

/** One limiter. */
export class RateLimiter {
  #place;

  constructor(policy, given = {}) {
    const numbers = numbersOf(policy);
    const clock = options.clock(options.options("options", given, OWN).clock);
    const { limiter_new, limiter_free } = wasm();
    this.#place = new LimiterPlace("limiter", limiter_new(...numbers), limiter_free, clock);
    this.#place.belongsTo(this);
  }

  static #of(algorithm, given) {
    const [policy, own] = apart(given, OWN);
    return new RateLimiter(Policy[algorithm](policy), own);
  }

  static tokenBucket(given) {
    return RateLimiter.#of("tokenBucket", given);
  }

  static fixedWindow(given) {
    return RateLimiter.#of("fixedWindow", given);
  }

  static slidingWindow(given) {
    return RateLimiter.#of("slidingWindow", given);
  }

  static intervalBucket(given) {
    return RateLimiter.#of("intervalBucket", given);
  }

  #ask(ask, tokens) {
    const { handle, kind } = this.#place;
    const now = this.#place.now();
    return new Decision(ask(handle, now, cost(tokens)), kind, this, now, tokens);
  }

  tryAcquire(tokens = 1) {
    return this.#ask(wasm().limiter_try_acquire, tokens);
  }

  peek(tokens = 1) {
    return this.#ask(wasm().limiter_peek, tokens);
  }

  standing() {
    const { handle } = this.#place;
    return this.#place.standing(wasm().limiter_standing(handle, this.#place.now()));
  }

  reconfigure(policy) {
    const { handle, kind } = this.#place;
    const numbers = numbersOf(policy);
    checked(wasm().limiter_reconfigure(handle, this.#place.now(), ...numbers), kind);
  }

  headers(decision, given = {}) {
    const { now, denied } = insideOf(decision, this);
    return this.#place.headers(given, (handle, unixNow, name) =>
      wasm().limiter_headers(handle, now, unixNow, name, ...denied),
    );
  }

  refusal(decision, given = {}) {
    const denied = no(decision, this);
    return this.#place.refusal(denied, this.headers(decision, given));
  }

  free() {
    this.#place.free();
  }
}

const KEYED_OWN = ["clock", "seed", "whenFull"];

/** A limiter a key, for a fixed number of keys at once. */
export class KeyedLimiter {
  #place;

  constructor(policy, given = {}) {
    const numbers = numbersOf(policy);
    options.options("options", given, KEYED_OWN);
    const clock = options.clock(given.clock);
    const whenFull = options.whenFull(given.whenFull);
    const secret = options.secret(given.seed);
    const { table_new, table_free } = wasm();
    const handle = table_new(...numbers, whenFull, ...secret);
    this.#place = new LimiterPlace("keyed limiter", handle, table_free, clock);
    this.#place.belongsTo(this);
  }

  static #of(algorithm, given) {
    const [policy, own] = apart(given, KEYED_OWN);
    return new KeyedLimiter(Policy[algorithm](policy), own);
  }

  static tokenBucket(given) {
    return KeyedLimiter.#of("tokenBucket", given);
  }

  static fixedWindow(given) {
    return KeyedLimiter.#of("fixedWindow", given);
  }

  static slidingWindow(given) {
    return KeyedLimiter.#of("slidingWindow", given);
  }

  static intervalBucket(given) {
    return KeyedLimiter.#of("intervalBucket", given);
  }

  #hash(key) {
    if (typeof key !== "string") throw new SteadfastTypeError("key", key, "a string");
    return hash(wasm().key_start, this.#place.handle, key, this.#place.kind);
  }

  #ask(ask, key, tokens) {
    const { handle, kind } = this.#place;
    const now = this.#place.now();
    cost(tokens);
    const hashed = this.#hash(key);
    return new Decision(ask(handle, hashed, now, tokens), kind, this, now, tokens, hashed);
  }

  tryAcquire(key, tokens = 1) {
    return this.#ask(wasm().table_try_acquire, key, tokens);
  }

  peek(key, tokens = 1) {
    return this.#ask(wasm().table_peek, key, tokens);
  }

  standing(key) {
    const { handle } = this.#place;
    const now = this.#place.now();
    return this.#place.standing(wasm().table_standing(handle, this.#hash(key), now));
  }

  forget(key) {
    const { handle, kind } = this.#place;
    return checked(wasm().table_forget(handle, this.#hash(key)), kind) === 1;
  }

  counts() {
    const { handle, kind } = this.#place;
    checked(wasm().table_counts(handle, this.#place.now()), kind);
    const [active, crowded, evicted] = answer();
    return { active: Number(active), crowded: Number(crowded), evicted: Number(evicted) };
  }

  reconfigure(policy) {
    const { handle, kind } = this.#place;
    const numbers = numbersOf(policy);
    checked(wasm().table_reconfigure(handle, this.#place.now(), ...numbers), kind);
  }

  headers(decision, given = {}) {
    const { now, key, denied } = insideOf(decision, this);
    return this.#place.headers(given, (handle, unixNow, name) =>
      wasm().table_headers(handle, key, now, unixNow, name, ...denied),
    );
  }

  refusal(decision, given = {}) {
    const denied = no(decision, this);
    return this.#place.refusal(denied, this.headers(decision, given));
  }

  free() {
    this.#place.free();
  }
}

/** What a no said, as the module takes it. */
function no(decision, limiter) {
  const { denied } = insideOf(decision, limiter);
  if (decision.granted) throw new SteadfastStateError("decision", "a yes", "a no");
  return denied;
}
