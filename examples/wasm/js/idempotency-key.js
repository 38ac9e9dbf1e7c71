// One name for all attempts of a call, by which the other side knows them for one: `Idempotency-Key`
// as draft-ietf-httpapi-idempotency-key-header has it, which is a string of RFC 9651 (section 3.3.3)
// and so stands in quotes.

import { SteadfastRangeError, SteadfastTypeError } from "./errors.js";
import { mayRepeat } from "./outcome.js";

const HEADER = "idempotency-key";

/** As many as every reader of such a header takes. */
const KEY = "1 to 1024 printable ASCII characters";

/** 128 bits of chance; a page that did not come by https has no `randomUUID`. */
const byChance = () => crypto.randomUUID?.() ?? hex(crypto.getRandomValues(new Uint8Array(16)));

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** What makes the key of a request, by the option of a client; undefined if nothing does. */
export function keysOfAll(value) {
  // The same text for every call would make one of them all.
  const allowed = "true, false or a function of a Request; text is for one call";
  return typeof value === "string" ? wrong(value, allowed) : maker(value, allowed);
}

/** By that of one call, which comes before `keys`, those of its client. */
export function keysOfOne(value, keys) {
  if (value === undefined) return keys;
  if (typeof value === "string") return () => value;
  return maker(value, "true, false, text or a function of a Request");
}

function maker(value, allowed) {
  if (value === undefined || value === false) return undefined;
  if (value === true) return byChance;
  return typeof value === "function" ? value : wrong(value, allowed);
}

function wrong(value, allowed) {
  throw new SteadfastTypeError("idempotencyKey", value, allowed);
}

/** Gives a request a key, if it needs one and has none. */
export function setKey(request, keys) {
  const { headers, method } = request;
  if (keys === undefined || headers.has(HEADER) || mayRepeat(method)) return;
  const key = keys(request);
  if (key !== null) headers.set(HEADER, quoted(key));
}

/** Does it carry one? A request that may not cross origins ("no-cors") takes none. */
export const hasKey = ({ headers }) => headers.has(HEADER);

function quoted(key) {
  if (typeof key !== "string") throw new SteadfastTypeError("idempotencyKey", key, `null or ${KEY}`);
  if (!/^[ -~]{1,1024}$/.test(key)) throw new SteadfastRangeError("idempotencyKey", key, KEY);
  return `"${key.replace(/["\\]/g, "\\$&")}"`;
}
