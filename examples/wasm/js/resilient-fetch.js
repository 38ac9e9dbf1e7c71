// `fetch` with one deadline, a timeout for each attempt, retries, a breaker for each target, and the
// last good answer if all that comes to nothing. Whether, when and how long, the module says; here is
// the waiting and the calling.

import { BREAKER_OPTIONS, Breakers } from "./breakers.js";
import { SteadfastRangeError, SteadfastStateError } from "./errors.js";
import { hasKey, keysOfAll, keysOfOne, setKey } from "./idempotency-key.js";
import { keptFor, mayBeKept, publicAnswer, variedBy } from "./kept.js";
import * as options from "./options.js";
import { httpOutcome, mayRepeat } from "./outcome.js";
import { RETRY_OPTIONS, RetryPolicy } from "./retry.js";
import { StaleCache } from "./stale-cache.js";

/** Why a call came to nothing. */
export class CallError extends Error {
  constructor(told, { reason, outcome, attempts, retryAfterMs = null, response = null, cause }) {
    super(told, { cause });
    this.reason = reason;
    this.outcome = outcome;
    this.attempts = attempts;
    this.retryAfterMs = retryAfterMs;
    this.response = response;
  }

  get name() {
    return "CallError";
  }
}

const KNOWN = [
  "attemptTimeout",
  "within",
  "retry",
  "breaker",
  "stale",
  "target",
  "cacheKey",
  "idempotencyKey",
  "observe",
  "fetch",
  "clock",
  "unixClock",
  "timer",
  "random",
];

export class ResilientFetch {
  #retry;
  #breakers;
  #kept;
  #attemptTimeout;
  #within;
  #target;
  #cacheKey;
  #keys;
  #observe;
  #fetch;
  #unixClock;
  #timer;

  constructor(given = {}) {
    options.options("options", given, KNOWN);
    const { clock, random } = given;
    this.#attemptTimeout = given.attemptTimeout ?? "5s";
    this.#within = given.within ?? "30s";
    options.duration("attemptTimeout", this.#attemptTimeout);
    options.duration("within", this.#within);
    this.#target = options.callable("target", given.target, origin, "a function of a Request");
    const key = "a function of a Request that returns a string or null";
    this.#cacheKey = options.callable("cacheKey", given.cacheKey, publicAnswer, key);
    this.#keys = keysOfAll(given.idempotencyKey);
    this.#observe = options.callable("observe", given.observe, () => {}, "a function of an event");
    const fetching = (...request) => globalThis.fetch(...request);
    this.#fetch = options.callable("fetch", given.fetch, fetching, "a function such as fetch");
    this.#unixClock = options.callable("unixClock", given.unixClock, Date.now, "a function such as Date.now");
    this.#timer = options.callable("timer", given.timer, timer, "a function of milliseconds and a callback");
    const { retry = {}, breaker = {}, stale } = given;
    if (retry !== null) options.options("retry", retry, RETRY_OPTIONS);
    if (breaker !== null) options.options("breaker", breaker, BREAKER_OPTIONS);
    if (stale !== undefined) options.options("stale", stale, ["maxAge", "freshFor"]);
    try {
      this.#retry = new RetryPolicy({ ...(retry ?? { attempts: 1 }), clock, random });
      if (breaker !== null) this.#breakers = new Breakers({ ...breaker, clock });
      if (stale !== undefined) this.#kept = new StaleCache({ ...stale, clock });
    } catch (error) {
      this.free();
      throw error;
    }
  }

  async fetch(input, init, given = {}) {
    options.options("options", given, ["read", "or", "repeatable", "idempotencyKey"]);
    const read = options.callable("read", given.read, asJson, "a function of a Response");
    const or = options.callable("or", given.or, undefined, "a function that returns a value");
    const said = options.flag("repeatable", given.repeatable, undefined);
    // What is wrong with the request itself is the caller's to hear, before anything is counted.
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    setKey(request, keysOfOne(given.idempotencyKey, this.#keys));
    const key = this.#kept === undefined ? null : this.#cacheKey(request);
    const call = {
      request,
      read,
      or,
      target: this.#target(request),
      kept: key === null ? undefined : this.#kept,
      key,
      repeatable: said ?? mayRepeat(request.method, hasKey(request)),
    };
    const kept = keptFor(call);
    if (kept?.isFresh) {
      const value = await read(rebuilt(kept.value));
      return this.#served({ value, source: "cached", ageMs: kept.ageMs }, call, 0);
    }
    const { value, error, attempts } = await this.#askIfThereIsRoom(call);
    if (error === undefined) return this.#served({ value, source: "primary", ageMs: 0 }, call, attempts);
    return this.#instead(error, call);
  }

  /** As below, unless so many calls are under way that there is no place for one more. */
  async #askIfThereIsRoom(call) {
    try {
      return await this.#ask(call);
    } catch (cause) {
      if (!(cause instanceof SteadfastRangeError && cause.field === "calls")) throw cause;
      const reason = "too_many_calls";
      this.#observe({ type: "rejected", target: call.target, reason, retryAfterMs: null });
      const told = `${named(call)}: too many calls are under way: ${cause.message}`;
      return { error: new CallError(told, { reason, outcome: "rejected", attempts: 0, cause }) };
    }
  }

  /** Asks the target, unless its breaker says no: the value, or why there is none. */
  async #ask(call) {
    const { target } = call;
    const permit = this.#breakers?.tryEnter(target);
    if (permit?.granted === false) {
      const { reason, retryAfterMs } = permit;
      this.#observe({ type: "rejected", target, reason, retryAfterMs });
      const told = `${named(call)}: the breaker is ${reason}`;
      return { error: new CallError(told, { reason, outcome: "rejected", attempts: 0, retryAfterMs }) };
    }
    let came;
    try {
      if (permit?.change) this.#observe({ type: "breaker", target, ...permit.change });
      came = await this.#attempts(call, permit?.isProbe ?? false);
      const change = permit?.record(came.heard ?? came.outcome);
      if (change) this.#observe({ type: "breaker", target, ...change });
    } finally {
      // If it was not recorded: the caller has left, or an observer has thrown.
      permit?.cancel();
    }
    if (came.reason === "succeeded") return came;
    const { reason, attempts, response, cause } = came;
    const { label, retryAfterNs = null } = came.outcome;
    const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
    const said = response === null ? label : `${label} (status ${response.status})`;
    const told = `${named(call)}: ${said}, ${reason} after ${tries}`;
    // A wait that the policy does not believe is not handed on.
    const believed = retryAfterNs !== null && reason !== "server_delay_too_long";
    const retryAfterMs = believed ? options.timerMillis(retryAfterNs) : null;
    const more = { reason, outcome: label, attempts, retryAfterMs, response, cause };
    return { error: new CallError(told, more) };
  }

  async #attempts({ request, read, target, kept, key, repeatable }, isProbe) {
    // Whether the other side is well again is asked once, not once and some retries.
    const session = this.#retry.start({ within: this.#within, repeatable: repeatable && !isProbe });
    let last = { outcome: { label: "cancelled" }, response: null, attempts: 0 };
    try {
      for (;;) {
        const next = session.next(this.#attemptTimeout);
        if (next === null) {
          // A timer may end late, and a clock may jump. What the breaker hears is what there was.
          const outcome = { label: "timed_out" };
          return { ...last, outcome, heard: last.outcome, reason: "deadline_exceeded" };
        }
        const came = await this.#attempt(request, read, next.limitMs);
        last = { ...came, attempts: next.attempt };
        const step = session.step(came.outcome);
        const { again, delayMs } = step;
        const { label } = came.outcome;
        const reason = isProbe && repeatable ? reasonOfProbe(step.reason, label) : step.reason;
        this.#observe({
          type: "attempt",
          target,
          attempt: next.attempt,
          maxAttempts: this.#retry.attempts,
          outcome: label,
          status: came.status ?? null,
          error: came.cause ?? null,
          delayMs,
          reason,
        });
        const varied = label === "success" && came.keep ? variedBy(request, came.keep) : null;
        if (varied !== null) kept?.put(key, { ...came.keep, varied });
        if (!again) return { ...last, reason };
        await this.#wait(delayMs, request.signal);
      }
    } finally {
      session.end();
    }
  }

  /** One attempt, cut short after `limitMs`. It throws only if the caller has left. */
  async #attempt(request, read, limitMs) {
    const { signal } = request;
    // An observer may have left, who is told between the attempts.
    signal.throwIfAborted();
    const cut = new AbortController();
    let timedOut = false;
    const late = () => {
      timedOut = true;
      cut.abort(new DOMException(`no answer within ${limitMs} ms`, "TimeoutError"));
    };
    const leave = () => cut.abort(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    const stop = limitMs === null ? () => {} : this.#timer(limitMs, late);
    // A `fetch` or a `read` that does not listen to the signal is cut as well.
    const ended = new Promise((_, reject) => {
      cut.signal.addEventListener("abort", () => reject(cut.signal.reason), { once: true });
    });
    try {
      return await Promise.race([this.#exchange(request, read, cut.signal), ended]);
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      return { outcome: { label: timedOut ? "timed_out" : "transient" }, response: null, cause };
    } finally {
      stop();
      signal.removeEventListener("abort", leave);
    }
  }

  /** Asks once, and takes in the whole answer: one that breaks off in its body has failed. */
  async #exchange(request, read, signal) {
    const response = await this.#fetch(request.clone(), { signal });
    const { status, statusText, headers } = response;
    // Before 200 are those that a browser hides, which have no body to be built anew.
    const body = status < 200 ? null : await response.arrayBuffer();
    const whole = status < 200 ? null : { status, statusText, headers, body };
    const outcome = httpOutcome(response, { unixNow: this.#unixClock() });
    const seen = whole === null ? response : rebuilt(whole);
    if (outcome.label !== "success") return { outcome, response: seen, status };
    try {
      const keep = mayBeKept(headers, this.#cacheKey === publicAnswer) ? whole : null;
      return { outcome, response: null, status, value: await read(seen), keep };
    } catch (cause) {
      // An answer that nobody can read: as if the other side had failed, and would again.
      return { outcome: { label: "failure" }, response: null, status, cause };
    }
  }

  /** What there is instead of an answer. A no that is meant stays a no. */
  async #instead(error, call) {
    const { read, or } = call;
    if (error.outcome !== "ignored") {
      const stale = keptFor(call);
      if (stale !== null) {
        const value = await read(rebuilt(stale.value));
        return this.#served({ value, source: "stale", ageMs: stale.ageMs, error }, call, error.attempts);
      }
      if (or !== undefined) {
        const value = await or(error);
        return this.#served({ value, source: "default", ageMs: 0, error }, call, error.attempts);
      }
    }
    throw error;
  }

  #served(told, { target }, attempts) {
    const { source, ageMs } = told;
    this.#observe({ type: "served", target, source, ageMs });
    return { error: null, ...told, attempts };
  }

  /** Ends after `ms`; throws if the caller leaves. */
  #wait(ms, signal) {
    signal.throwIfAborted();
    if (ms === 0) return undefined;
    return new Promise((resolve, reject) => {
      const leave = () => {
        stop();
        reject(signal.reason);
      };
      const over = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      signal.addEventListener("abort", leave, { once: true });
      // Node's timers may be a fraction of a millisecond early, and a retry must not be.
      const stop = this.#timer(ms + 1, over);
    });
  }

  standing(target) {
    return this.#breakers?.standing(target) ?? null;
  }

  reset(target) {
    return this.#byHand("reset", target);
  }

  forceOpen(target) {
    return this.#byHand("forceOpen", target);
  }

  forceClosed(target) {
    return this.#byHand("forceClosed", target);
  }

  #byHand(verb, target) {
    if (this.#breakers === undefined) {
      throw new SteadfastStateError("breaker", null, `the numbers of a breaker, for ${verb}()`);
    }
    const change = this.#breakers[verb](target);
    if (change !== null) this.#observe({ type: "breaker", target, ...change });
    return change;
  }

  budgetLeft() {
    return this.#retry.budgetLeft();
  }

  free() {
    this.#retry?.free();
    this.#breakers?.free();
    this.#kept?.free();
  }
}

/** A breaker for each server. */
const origin = (request) => new URL(request.url).origin;

/** To the module a probe is what may not be repeated; to the caller, only if it would have been. */
function reasonOfProbe(reason, label) {
  if (reason !== "not_repeatable") return reason;
  return label === "failure" ? "not_retryable" : "probe";
}

const asJson = (response) => response.json();

/** A request for a message: without what may be secret in its query. */
function named({ request }) {
  const { origin, pathname } = new URL(request.url);
  return `${request.method} ${origin}${pathname}`;
}

/** A `Response` that can be read, of one that was taken in. */
function rebuilt({ status, statusText, headers, body }) {
  const content = [204, 205, 304].includes(status) ? null : body;
  // None can be made with what is no status, and yet it came.
  const response = new Response(content, { status: Math.min(status, 599), statusText, headers });
  return status > 599 ? Object.defineProperty(response, "status", { value: status }) : response;
}

/** The longest that `setTimeout` takes. */
const LONGEST = 2 ** 31 - 1;

/** Calls `act` after `ms`; what is returned prevents that. */
function timer(ms, act) {
  let id;
  const begin = (left) => {
    const over = () => (left > LONGEST ? begin(left - LONGEST) : act());
    id = setTimeout(over, Math.min(left, LONGEST));
  };
  begin(ms);
  return () => clearTimeout(id);
}
