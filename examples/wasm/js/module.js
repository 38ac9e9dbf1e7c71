// The WebAssembly module: loading it, and what goes through its memory.

import { SteadfastRangeError, SteadfastStateError, SteadfastTypeError } from "./errors.js";
import { written } from "./options.js";

let exported;
let loading;

/** How much fits, once the module is loaded. */
export const capacity = {
  limiters: 0,
  keyedLimiters: 0,
  keys: 0,
  retryPolicies: 0,
  breakers: 0,
  targets: 0,
  caches: 0,
  answers: 0,
  calls: 0,
};

/** Loads the module, once; after a failure it may be tried again. */
export default function init(source) {
  loading ??= load(source).catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(source = new URL("./steadfast.wasm", import.meta.url)) {
  exported = (await instantiate(await source)).exports;
  fill(exported.limits(), ["limiters", "keyedLimiters", "keys"]);
  fill(exported.calling_limits(), ["retryPolicies", "breakers", "caches", "calls"]);
  fill(exported.calling_places(), ["targets", "answers"]);
  Object.freeze(capacity);
}

function fill(status, names) {
  checked(status);
  const words = answer();
  names.forEach((name, at) => {
    capacity[name] = Number(words[at]);
  });
}

async function instantiate(source) {
  if (source instanceof WebAssembly.Module) return WebAssembly.instantiate(source);
  if (source instanceof URL && source.protocol === "file:") {
    // Node does not fetch files.
    const { readFile } = await import("node:fs/promises");
    source = await readFile(source);
  } else if (source instanceof URL || typeof source === "string") {
    source = await fetch(source);
  }
  if (source instanceof Response) {
    if (!source.ok) throw new SteadfastStateError("source", `status ${source.status}`, "200");
    source = await source.arrayBuffer();
  }
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
    return (await WebAssembly.instantiate(source)).instance;
  }
  const allowed = "a URL, bytes, a Response or a WebAssembly.Module";
  throw new SteadfastTypeError("source", source, allowed);
}

/** The module's functions. */
export function wasm() {
  if (exported === undefined) {
    throw new SteadfastStateError("module", "not loaded", "after `await init()`");
  }
  return exported;
}

// What the functions return; `src/exchange.rs` says what each is.
export const NO = 0;
export const YES = 1;
const BAD_FIELD = -1;
export const NO_PLACE = -2;
const FREED = -3;

/** How the name of a field ends whose numbers are nanoseconds. */
const NANOS = " (ns)";

/** A status that is no error. */
export function checked(status, kind = "limiter") {
  if (status >= NO) return status;
  if (status === BAD_FIELD) {
    const [length, value, min, max] = answer();
    const field = text(Number(length));
    if (!field.endsWith(NANOS)) {
      throw new SteadfastRangeError(field, Number(value), `${min}..=${max}`);
    }
    // As it may be written in an option.
    const allowed = `"${written(min)}" to "${written(max)}"`;
    throw new SteadfastRangeError(field.slice(0, -NANOS.length), written(value), allowed);
  }
  if (status === NO_PLACE) {
    const [places] = answer();
    const allowed = `0..=${places} at once; free() one`;
    throw new SteadfastRangeError(`${kind}s`, Number(places) + 1, allowed);
  }
  if (status === FREED) throw new SteadfastStateError(kind, "freed", "before free()");
  // What options.js lets through leaves no other.
  throw new SteadfastStateError("status", status, "those that module.js knows");
}

const ANSWERS = 4;
const BUFFER = 4_096;

/** The words that a call left. */
export const answer = () =>
  new BigUint64Array(exported.memory.buffer, exported.exchange(), ANSWERS);

const buffer = () => exported.exchange() + ANSWERS * BigUint64Array.BYTES_PER_ELEMENT;

/** The text that a call left; all of it is ASCII. */
export const text = (length) =>
  String.fromCharCode(...new Uint8Array(exported.memory.buffer, buffer(), length));

/** Leaves ASCII text for a call. */
export function leave(ascii) {
  const bytes = new Uint8Array(exported.memory.buffer, buffer(), ascii.length);
  for (let at = 0; at < ascii.length; at += 1) bytes[at] = ascii.charCodeAt(at);
}

/**
 * The hash by which a table knows a key, or a set of breakers a target. Piece by piece, so that a key
 * of any length fits, and by UTF-16 units, so that no two different strings become the same bytes.
 */
export function hash(start, handle, key, kind) {
  const { key_piece, key_end } = exported;
  checked(start(handle), kind);
  const units = new Uint16Array(exported.memory.buffer, buffer(), BUFFER / 2);
  for (let from = 0; from < key.length; from += units.length) {
    const count = Math.min(units.length, key.length - from);
    for (let at = 0; at < count; at += 1) units[at] = key.charCodeAt(from + at);
    checked(key_piece(2 * count), kind);
  }
  return key_end();
}
