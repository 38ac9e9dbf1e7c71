// What became of a call, as retry and breaker see it.

import { SteadfastTypeError } from "./errors.js";
import { answer, checked, leave, wasm, YES } from "./module.js";
import * as options from "./options.js";

/** In the order of the module's numbers. */
const LABELS = [
  "success",
  "transient",
  "timed_out",
  "throttled",
  "failure",
  "exhausted",
  "ignored",
  "cancelled",
  "rejected",
  "throttled_below",
];

/** An outcome as the module takes it: its number, and the wait that the other side asks for. */
export function outcomeNumbers(value) {
  if (typeof value === "string") return [options.word("outcome", value, LABELS), 0n];
  if (typeof value !== "object" || value === null) {
    throw new SteadfastTypeError("outcome", value, "a label, or what httpOutcome() returns");
  }
  const { label, retryAfterNs = null } = value;
  const number = options.word("outcome.label", label, LABELS);
  if (retryAfterNs === null) return [number, 0n];
  if (typeof retryAfterNs !== "bigint" || retryAfterNs < 0n || retryAfterNs >> 64n !== 0n) {
    throw new SteadfastTypeError("outcome.retryAfterNs", retryAfterNs, "null or a bigint of 64 bits");
  }
  return [number, retryAfterNs];
}

/** Of a header that is there twice, and so reads as one with commas, the first: a number, or a date,
 * in which one comma stands behind the day. */
const first = (text) => {
  const [start, rest] = text.split(",", 2);
  return rest !== undefined && /^[A-Za-z]+$/.test(start) ? `${start},${rest}` : start;
};

/**
 * The text of a header; one that is too long to mean anything counts as absent, and of one that is
 * there twice the first counts.
 */
const header = (headers, name) => {
  const value = first(headers.get(name) ?? "");
  return value.length <= 64 && /^[ -~]*$/.test(value) ? value : "";
};

export function httpOutcome(response, given = {}) {
  const { status, headers } = response ?? {};
  if (typeof headers?.get !== "function") {
    throw new SteadfastTypeError("response", response, "a Response");
  }
  options.whole("response.status", status, 0);
  options.options("options", given, ["unixNow"]);
  const unixNow = options.millis("unixNow", given.unixNow ?? Date.now());
  const retryAfter = header(headers, "retry-after");
  const retriedBelow = header(headers, "retried-below");
  const { http_outcome } = wasm();
  leave(retryAfter + retriedBelow);
  const number = checked(http_outcome(status, unixNow, retryAfter.length, retriedBelow.length));
  const [wait] = answer();
  return { label: LABELS[number], retryAfterNs: wait === 0n ? null : wait };
}

export function mayRepeat(method, hasIdempotencyKey = false) {
  if (typeof method !== "string") throw new SteadfastTypeError("method", method, "a string");
  // Longer ones are none that anybody knows.
  const known = /^[!-~]{1,64}$/.test(method) ? method : "?";
  const { http_may_repeat } = wasm();
  leave(known);
  return checked(http_may_repeat(known.length, hasIdempotencyKey ? 1 : 0)) === YES;
}
