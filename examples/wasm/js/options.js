// What a caller passes, looked at before it goes to the module. The module looks again at every
// range; here it is about what JavaScript would silently make a number of: "10", null, true.

import { SteadfastRangeError, SteadfastTypeError } from "./errors.js";

const U32_MAX = 4_294_967_295;
const U64_MAX = 18_446_744_073_709_551_615n;

/** From large to small, in nanoseconds: the units that a limits file knows. */
const UNITS = [
  ["d", 86_400_000_000_000n],
  ["h", 3_600_000_000_000n],
  ["m", 60_000_000_000n],
  ["s", 1_000_000_000n],
  ["ms", 1_000_000n],
  ["us", 1_000n],
  ["ns", 1n],
];

const DURATION =
  'text such as "15m" or "1h30m" (units d, h, m, s, ms, us, ns, from large to small), ' +
  "or milliseconds above 0; up to 584 years";

/** An object whose keys are all known: a misspelt option is not an option that is left out. */
export function options(field, value, known) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SteadfastTypeError(field, value, `an object of ${known.join(", ")}`);
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw new SteadfastTypeError(`${field}.${key}`, value[key], `only ${known.join(", ")}`);
    }
  }
  return value;
}

/** A whole number of 32 bits, from `min`. */
export function whole(field, value, min) {
  const allowed = `whole numbers ${min}..=${U32_MAX}`;
  if (typeof value !== "number") throw new SteadfastTypeError(field, value, allowed);
  if (!(Number.isInteger(value) && value >= min && value <= U32_MAX)) {
    throw new SteadfastRangeError(field, value, allowed);
  }
  return value;
}

/** A length of time in nanoseconds, exact where it is text. */
export function duration(field, value) {
  const nanos = typeof value === "number" ? ofMillis(value) : ofText(field, value);
  if (nanos === undefined || nanos < 1n || nanos > U64_MAX) {
    throw new SteadfastRangeError(field, value, DURATION);
  }
  return nanos;
}

/** To the nearest nanosecond, since 0.3 is a little less than three tenths. */
function ofMillis(millis) {
  if (!Number.isFinite(millis) || millis < 0) return undefined;
  const whole = Math.trunc(millis);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((millis - whole) * 1e6));
}

function ofText(field, text) {
  if (typeof text !== "string") throw new SteadfastTypeError(field, text, DURATION);
  // Longer texts have no meaning, and need not be looked at.
  if (text.length === 0 || text.length > 80) return undefined;
  let nanos = 0n;
  let larger = -1;
  let end = 0;
  for (const { 0: part, 1: digits, 2: name, index } of text.matchAll(/([0-9]+)([a-z]+)/g)) {
    const unit = UNITS.findIndex(([known]) => known === name);
    if (index !== end || unit <= larger) return undefined;
    nanos += BigInt(digits) * UNITS[unit][1];
    larger = unit;
    end = index + part.length;
  }
  return end === text.length ? nanos : undefined;
}

/** The same as text: what `duration` reads as these nanoseconds; none at all as `0s`. */
export function written(nanos) {
  let text = "";
  for (const [name, unit] of UNITS) {
    if (nanos >= unit) text += `${nanos / unit}${name}`;
    nanos %= unit;
  }
  return text || "0s";
}

/** Nanoseconds as the milliseconds of a timer, up: a timer cuts a fraction off and would be early. */
export const timerMillis = (nanos) => Number((nanos + 999_999n) / 1_000_000n);

/** A length of time that may be left out, which the module is told as zero. */
export const perhaps = (field, value) => (value === undefined ? 0n : duration(field, value));

/** One of these words, as its place among them. */
export function word(field, value, words) {
  const allowed = words.map((known) => `"${known}"`).join(", ");
  if (typeof value !== "string") throw new SteadfastTypeError(field, value, allowed);
  const found = words.indexOf(value);
  if (found < 0) throw new SteadfastRangeError(field, value, allowed);
  return found;
}

/** True or false; `otherwise` if it is left out. */
export function flag(field, value, otherwise) {
  if (value === undefined) return otherwise;
  if (typeof value !== "boolean") throw new SteadfastTypeError(field, value, "true or false");
  return value;
}

/** A function; `otherwise` if it is left out. */
export function callable(field, value, otherwise, allowed) {
  if (value === undefined) return otherwise;
  if (typeof value !== "function") throw new SteadfastTypeError(field, value, allowed);
  return value;
}

/** A function that returns numbers of 32 bits; by default the platform's generator. */
export const random = (value) =>
  callable(
    "random",
    value,
    () => crypto.getRandomValues(new Uint32Array(1))[0],
    "a function that returns whole numbers 0..=4294967295",
  );

/** A function that tells the time; by default milliseconds since the page or program started. */
export function clock(value) {
  const otherwise = () => performance.now();
  return callable("clock", value, otherwise, "a function that returns milliseconds");
}

/** A reading of such a function. */
export function millis(field, value) {
  const allowed = "milliseconds from 0 to 18446744073709 (584 years)";
  if (typeof value !== "number") throw new SteadfastTypeError(field, value, allowed);
  if (!(value >= 0 && value < 18_446_744_073_709.55)) {
    throw new SteadfastRangeError(field, value, allowed);
  }
  return value;
}

/** The name of a limit, as headers carry it. */
export function name(value) {
  if (value === undefined) return "default";
  const allowed = "1 to 128 printable ASCII characters";
  if (typeof value !== "string") throw new SteadfastTypeError("name", value, allowed);
  if (!/^[ -~]{1,128}$/.test(value)) throw new SteadfastRangeError("name", value, allowed);
  return value;
}

/** 128 bits that strangers do not know, as two numbers of 64. */
export function secret(value) {
  const words = new BigUint64Array(2);
  if (value === undefined) {
    crypto.getRandomValues(words);
  } else if (typeof value !== "bigint") {
    throw new SteadfastTypeError("seed", value, "a bigint of up to 128 bits");
  } else if (value < 0n || value >> 128n !== 0n) {
    throw new SteadfastRangeError("seed", value, "a bigint of up to 128 bits");
  } else {
    words[0] = BigInt.asUintN(64, value);
    words[1] = value >> 64n;
  }
  return words;
}

const WHEN_FULL = ["overflow", "deny", "allow", "evict-least-used"];

/** What happens to a newcomer when the table is full, as the module's number. */
export function whenFull(value) {
  return value === undefined ? 0 : word("whenFull", value, WHEN_FULL);
}
