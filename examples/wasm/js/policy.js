// An algorithm and its numbers.

import { SteadfastTypeError } from "./errors.js";
import * as options from "./options.js";

/** Only this file makes policies. */
const INSIDE = Symbol("inside");

/** What the module takes for a policy: algorithm, count, period in nanoseconds, burst. */
export let numbersOf;

export class Policy {
  #numbers;

  constructor(inside, numbers) {
    if (inside !== INSIDE) {
      throw new SteadfastTypeError("Policy", "new Policy()", "Policy.tokenBucket() and the others");
    }
    this.#numbers = numbers;
  }

  static tokenBucket(given) {
    return new Policy(INSIDE, [0, ...counted(given, ["burst"])]);
  }

  static fixedWindow(given) {
    const numbers = counted(given, ["aligned"]);
    const aligned = options.flag("aligned", given.aligned, false);
    return new Policy(INSIDE, [aligned ? 2 : 1, ...numbers]);
  }

  static slidingWindow(given) {
    return new Policy(INSIDE, [3, ...counted(given, [])]);
  }

  static intervalBucket(given) {
    return new Policy(INSIDE, [4, ...counted(given, ["burst"])]);
  }

  static {
    numbersOf = (value) => {
      if (typeof value === "object" && value !== null && #numbers in value) return value.#numbers;
      const allowed = 'a Policy, such as Policy.tokenBucket({ count: 100, per: "1m" })';
      throw new SteadfastTypeError("policy", value, allowed);
    };
  }
}

function counted(given, more) {
  options.options("options", given, ["count", "per", ...more]);
  const count = options.whole("count", given.count, 1);
  const per = options.duration("per", given.per);
  const burst = given.burst === undefined ? count : options.whole("burst", given.burst, 1);
  return [count, per, burst];
}
