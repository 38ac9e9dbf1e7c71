// A place in the module: a handle, and the clock by which its machine is asked.

import { SteadfastStateError } from "./errors.js";
import { checked } from "./module.js";
import * as options from "./options.js";

/** Gives the places of those back that were forgotten without `free()`. */
const forgotten = new FinalizationRegistry((free) => free());

export class Place {
  #free;
  #handle;
  #clock;

  constructor(kind, handle, free, clock) {
    this.kind = kind;
    this.#handle = checked(handle, kind);
    this.#free = () => free(handle);
    this.#clock = clock;
  }

  /** When `owner` is collected, the place is freed; so nothing here refers to it. */
  belongsTo(owner) {
    forgotten.register(owner, this.#free, this);
  }

  free() {
    if (this.#handle === undefined) return;
    forgotten.unregister(this);
    this.#free();
    this.#handle = undefined;
  }

  get isFree() {
    return this.#handle === undefined;
  }

  get handle() {
    if (this.#handle === undefined) throw new SteadfastStateError(this.kind, "freed", "before free()");
    return this.#handle;
  }

  now() {
    return options.millis("clock()", this.#clock());
  }
}
