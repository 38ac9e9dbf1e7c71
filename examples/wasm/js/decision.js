// A yes or a no.

import { SteadfastStateError, SteadfastTypeError } from "./errors.js";
import { answer, checked, NO } from "./module.js";

/** The words that the module's bodies have for its reasons. */
const REASONS = ["rate_limit_exceeded", "cost_above_capacity", "store_full"];

/** What the module takes for the reason of a yes. */
const GRANTED = 0xffff_ffff;

/** What a limiter needs of its own decision to tell it over HTTP. */
export let insideOf;

export class Decision {
  #limiter;
  #now;
  #key;
  #reason = GRANTED;
  #wait = 0n;
  #cost;
  #capacity = 0;

  /** Takes the status that the module returned, and what it left if that is a no. */
  constructor(status, kind, limiter, now, cost, key) {
    this.#limiter = limiter;
    this.#now = now;
    this.#cost = cost;
    this.#key = key;
    if (checked(status, kind) === NO) {
      const [reason, wait, , capacity] = answer();
      this.#reason = Number(reason);
      this.#wait = wait;
      this.#capacity = Number(capacity);
    }
  }

  get granted() {
    return this.#reason === GRANTED;
  }

  get reason() {
    return this.granted ? null : REASONS[this.#reason];
  }

  get cost() {
    return this.#cost;
  }

  get retryAfterNs() {
    return this.#wait === 0n ? null : this.#wait;
  }

  get retryAfterMs() {
    // Up to a whole number, since a timer cuts a fraction off and would be early.
    return this.#wait === 0n ? null : Number((this.#wait + 999_999n) / 1_000_000n);
  }

  static {
    insideOf = (value, limiter) => {
      if (!(typeof value === "object" && value !== null && #limiter in value)) {
        throw new SteadfastTypeError("decision", value, "what tryAcquire() and peek() return");
      }
      if (value.#limiter !== limiter) {
        throw new SteadfastStateError("decision", "another limiter's", "this limiter's");
      }
      return {
        now: value.#now,
        key: value.#key,
        denied: [value.#reason, value.#wait, value.#cost, value.#capacity],
      };
    };
  }
}
