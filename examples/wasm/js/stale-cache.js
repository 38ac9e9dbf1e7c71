// The last good answers. Here are the answers; their age, and which has to go, is the module's to say.

import { SteadfastTypeError } from "./errors.js";
import { answer, checked, NO, wasm, YES } from "./module.js";
import * as options from "./options.js";
import { Place } from "./place.js";

export class StaleCache {
  #place;
  /** By the caller's key, the module's and the answer. */
  #kept = new Map();
  /** The caller's key by the module's. */
  #keys = new Map();
  #next = 0n;

  constructor(given = {}) {
    options.options("options", given, ["maxAge", "freshFor", "clock"]);
    const maxAge = options.duration("maxAge", given.maxAge ?? "300s");
    const freshFor = options.perhaps("freshFor", given.freshFor);
    const clock = options.clock(given.clock);
    const { cache_new, cache_free } = wasm();
    this.#place = new Place("cache", cache_new(maxAge, freshFor), cache_free, clock);
    this.#place.belongsTo(this);
  }

  put(key, value) {
    const { handle, kind } = this.#place;
    const number = this.#kept.get(string(key))?.number ?? this.#next++;
    const status = checked(wasm().cache_put(handle, number, this.#place.now()), kind);
    const [gone] = answer();
    if (status === YES && gone !== number) this.#drop(this.#keys.get(gone), gone);
    this.#kept.set(key, { number, value });
    this.#keys.set(number, key);
  }

  get(key) {
    const { handle, kind } = this.#place;
    const kept = this.#kept.get(string(key));
    if (kept === undefined) return null;
    const { number, value } = kept;
    if (checked(wasm().cache_look(handle, number, this.#place.now()), kind) === NO) {
      // Of no use any more, so it need not be held.
      this.forget(key);
      return null;
    }
    const [age, isFresh] = answer();
    return { value, ageMs: Number(age) / 1e6, isFresh: isFresh === 1n };
  }

  forget(key) {
    const { handle, kind } = this.#place;
    const kept = this.#kept.get(string(key));
    if (kept === undefined) return false;
    this.#drop(key, kept.number);
    return checked(wasm().cache_forget(handle, kept.number), kind) === YES;
  }

  #drop(key, number) {
    this.#kept.delete(key);
    this.#keys.delete(number);
  }

  get size() {
    return this.#kept.size;
  }

  free() {
    this.#place.free();
    this.#kept.clear();
    this.#keys.clear();
  }
}

function string(key) {
  if (typeof key !== "string") throw new SteadfastTypeError("key", key, "a string");
  return key;
}
