// Not to call who does not answer: a circuit breaker for each target.

import { SteadfastTypeError } from "./errors.js";
import { answer, checked, hash, NO, NO_PLACE, wasm, YES } from "./module.js";
import * as options from "./options.js";
import { outcomeNumbers } from "./outcome.js";
import { Place } from "./place.js";

/** In the order of the module's numbers. */
const PHASES = [
  "closed",
  "open",
  "half_open",
  "forced_open",
  "forced_closed",
  "disabled",
  "observe_only",
];
const CAUSES = [
  "failures",
  "failure_rate",
  "slow_rate",
  "open_time_over",
  "probe_failed",
  "probe_slow",
  "recovered",
  "by_hand",
];

/** What the module takes for "nobody knows". */
const NEVER = 0xffff_ffff_ffff_ffffn;

const wait = (nanos) => (nanos === NEVER ? null : options.timerMillis(nanos));

export const BREAKER_OPTIONS = ["failures", "openFor", "growingTo", "closeAfter", "probeLease"];

export class Breakers {
  #place;

  constructor(given = {}) {
    options.options("options", given, [...BREAKER_OPTIONS, "clock", "seed"]);
    const numbers = [
      options.whole("failures", given.failures ?? 5, 1),
      options.duration("openFor", given.openFor ?? "30s"),
      options.perhaps("growingTo", given.growingTo),
      options.whole("closeAfter", given.closeAfter ?? 3, 1),
      options.duration("probeLease", given.probeLease ?? "60s"),
    ];
    const clock = options.clock(given.clock);
    const secret = options.secret(given.seed);
    const { breakers_new, breakers_free } = wasm();
    const handle = breakers_new(...numbers, ...secret);
    this.#place = new Place("breakers", handle, breakers_free, clock);
    this.#place.belongsTo(this);
  }

  #key(target) {
    if (typeof target !== "string") throw new SteadfastTypeError("target", target, "a string");
    const { handle, kind } = this.#place;
    return hash(wasm().breakers_key_start, handle, target, kind);
  }

  tryEnter(target) {
    const { handle, kind } = this.#place;
    const now = this.#place.now();
    const status = wasm().breakers_try_enter(handle, this.#key(target), now);
    // What can be too many is calls.
    if (checked(status, status === NO_PLACE ? "call" : kind) === NO) {
      const [phase, nanos] = answer();
      return { granted: false, reason: PHASES[phase], retryAfterMs: wait(nanos) };
    }
    const [permit, from, isProbe] = answer();
    const { breaker_record } = wasm();
    const change =
      from === 0n ? null : { from: PHASES[from], to: "half_open", cause: "open_time_over" };
    return new Permit(Number(permit), breaker_record, this.#place, change, isProbe === 1n);
  }

  standing(target) {
    const { handle, kind } = this.#place;
    const now = this.#place.now();
    checked(wasm().breakers_standing(handle, this.#key(target), now), kind);
    const [phase, nanos, counted, unguarded] = answer();
    return {
      phase: PHASES[phase],
      retryAfterMs: wait(nanos),
      counted: Number(counted),
      unguarded: Number(unguarded),
    };
  }

  #byHand(target, what) {
    const { handle, kind } = this.#place;
    const now = this.#place.now();
    const status = wasm().breakers_by_hand(handle, this.#key(target), now, what);
    return changed(checked(status, status === NO_PLACE ? "target" : kind));
  }

  reset(target) {
    return this.#byHand(target, 0);
  }

  forceOpen(target) {
    return this.#byHand(target, 1);
  }

  forceClosed(target) {
    return this.#byHand(target, 2);
  }

  free() {
    this.#place.free();
  }
}

/** What the module says of a change, if there was one. */
function changed(status) {
  if (status !== YES) return null;
  const [from, to, cause] = answer();
  return { from: PHASES[from], to: PHASES[to], cause: CAUSES[cause] };
}

/** A yes: the right to make one call. A second result of it means nothing. */
class Permit {
  #place;
  #breakers;

  constructor(permit, record, breakers, change, isProbe) {
    // To give the permit back is to record that the call was given up, which needs no true time.
    const cancel = (handle) => record(handle, 0, 7, 0n);
    this.#place = new Place("permit", permit, cancel, () => breakers.now());
    this.#place.belongsTo(this);
    this.#breakers = breakers;
    this.change = change;
    this.isProbe = isProbe;
  }

  get granted() {
    return true;
  }

  record(outcome) {
    const numbers = outcomeNumbers(outcome);
    // Whoever frees the breakers has no more use for results.
    if (this.#place.isFree || this.#breakers.isFree) return null;
    const { handle, kind } = this.#place;
    const now = this.#place.now();
    const change = changed(checked(wasm().breaker_record(handle, now, ...numbers), kind));
    // The module has taken it; nobody holds it any more.
    this.#place.free();
    return change;
  }

  cancel() {
    this.#place.free();
  }
}
