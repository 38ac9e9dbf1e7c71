// Rate limiters that decide as those of the Rust crate `steadfast` do, since they are those; and, in
// calling-out.d.ts, retries, breakers and a resilient `fetch`.
//
// Every number is checked: what is no number throws a SteadfastTypeError, what is out of range a
// SteadfastRangeError, and nothing has changed then.

export * from "./calling-out.js";

/** Where the module comes from. */
export type Source =
  | URL
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Response
  | WebAssembly.Module;

/**
 * Loads the module; once, so a second call waits for the first. Without a source it is
 * `steadfast.wasm` beside `steadfast.js`. A load that failed may be tried again.
 */
export default function init(source?: Source | Promise<Source>): Promise<void>;

/** How much fits at once, known after `init()`. */
export const capacity: {
  /** How many `RateLimiter`s. */
  readonly limiters: number;
  /** How many `KeyedLimiter`s. */
  readonly keyedLimiters: number;
  /** How many keys in each of them; about two thirds of that work without crowding. */
  readonly keys: number;
  /** How many `RetryPolicy`s; a `ResilientFetch` has one. */
  readonly retryPolicies: number;
  /** How many `Breakers`; a `ResilientFetch` has one. */
  readonly breakers: number;
  /** How many targets of each that are unwell at once. */
  readonly targets: number;
  /** How many `StaleCache`s; a `ResilientFetch` that keeps answers has one. */
  readonly caches: number;
  /** How many answers each keeps. */
  readonly answers: number;
  /** How many calls may be under way at once, of all together. */
  readonly calls: number;
};

/**
 * A length of time, 1 ns to 584 years: text such as `"15m"`, `"1h30m"`, `"500ms"` (units d, h, m,
 * s, ms, us, ns, from large to small; exact), or a number of milliseconds.
 */
export type Duration = string | number;

export interface Counted {
  /** How many, 1 to 4294967295. */
  count: number;
  /** In what time; filling a limiter may take at most 146 years. */
  per: Duration;
}

export interface TokenBucket extends Counted {
  /** How many may come at once; `count` unless set. */
  burst?: number;
}

export interface FixedWindow extends Counted {
  /**
   * Windows that turn at multiples of `per` of the clock, not from the first hit on. With
   * `clock: Date.now`, a `per` of `"1d"` turns at midnight UTC.
   */
  aligned?: boolean;
}

export type SlidingWindow = Counted;

export interface IntervalBucket extends Counted {
  /** How much the bucket holds; `count` unless set. */
  burst?: number;
}

/** An algorithm and its numbers. */
export class Policy {
  private constructor();
  /** `burst` at once, then `count` every `per`, refilled continuously. */
  static tokenBucket(options: TokenBucket): Policy;
  /** `count` in each window of `per`. Around the edge of two windows twice that may pass. */
  static fixedWindow(options: FixedWindow): Policy;
  /**
   * About `count` in every stretch of `per`: what counts is the current window and, of the one
   * before, the share that still overlaps.
   */
  static slidingWindow(options: SlidingWindow): Policy;
  /** A bucket into which `count` tokens fall at the end of each `per`. */
  static intervalBucket(options: IntervalBucket): Policy;
}

export interface LimiterOptions {
  /**
   * Tells the time in milliseconds from any start; `performance.now` unless set. It is read down
   * to the nanosecond. It may stand still, and it may go back, which makes nobody wait longer than
   * the policy's longest wait and 4.3 s.
   */
  clock?: () => number;
}

export interface KeyedOptions extends LimiterOptions {
  /**
   * What happens to a newcomer when its places are taken by active keys: newcomers share one
   * limiter (`"overflow"`, unless set), are denied, are let through, or take the place of the key
   * that has used least.
   */
  whenFull?: "overflow" | "deny" | "allow" | "evict-least-used";
  /** Up to 128 bits that strangers do not know, with which keys are hashed; random unless set. */
  seed?: bigint;
}

/** A yes or a no. */
export interface Decision {
  readonly granted: boolean;
  /** Why not, in the word that the body of a refusal has; null for a yes. */
  readonly reason: "rate_limit_exceeded" | "cost_above_capacity" | "store_full" | null;
  /** What was asked for. */
  readonly cost: number;
  /**
   * Whole milliseconds after which the same call succeeds if nobody comes first, rounded up; null
   * for a yes, and where waiting does not help.
   */
  readonly retryAfterMs: number | null;
  /** The same, exactly. */
  readonly retryAfterNs: bigint | null;
}

/** Where a limiter stands. */
export interface Standing {
  /** What a full limiter grants at once. */
  limit: number;
  /** What would be granted now. */
  remaining: number;
  /** In how many milliseconds it gives out `limit` again. */
  windowMs: number;
  /** In how many milliseconds it is full; 0 if it is. */
  fullInMs: number;
}

export interface HeaderOptions {
  /** What the limit is called, 1 to 128 printable ASCII characters; `"default"` unless set. */
  name?: string;
  /** Milliseconds since 1970, for `X-RateLimit-Reset`; `Date.now()` unless set. */
  unixNow?: number;
}

/** `x-ratelimit-limit`, `-remaining`, `-reset`, `ratelimit-policy`, `ratelimit`, `retry-after`. */
export type Headers = Record<string, string>;

/** How a no is told over HTTP. */
export interface Refusal {
  /** 429; 503 for a full table; 422 for a cost that can never pass. */
  status: number;
  /** As `headers()` gives them, and the body's `content-type`. */
  headers: Headers;
  /** JSON. */
  body: string;
}

/** One limiter. It starts full. */
export class RateLimiter {
  constructor(policy: Policy, options?: LimiterOptions);
  static tokenBucket(options: TokenBucket & LimiterOptions): RateLimiter;
  static fixedWindow(options: FixedWindow & LimiterOptions): RateLimiter;
  static slidingWindow(options: SlidingWindow & LimiterOptions): RateLimiter;
  static intervalBucket(options: IntervalBucket & LimiterOptions): RateLimiter;
  /** Takes `cost` (1 unless set), all or nothing. A cost of 0 takes nothing and is granted. */
  tryAcquire(cost?: number): Decision;
  /** What `tryAcquire` would say; takes nothing. */
  peek(cost?: number): Decision;
  standing(): Standing;
  /** Goes on under another policy; what was used stays used. */
  reconfigure(policy: Policy): void;
  /** The headers of an answer to one of this limiter's decisions; ask right after it. */
  headers(decision: Decision, options?: HeaderOptions): Headers;
  /** The whole answer to a no. */
  refusal(decision: Decision, options?: HeaderOptions): Refusal;
  /** Makes room for another limiter. Who forgets it is tidied up after by the garbage collector. */
  free(): void;
}

/** A limiter a key, for `capacity.keys` keys at once; a key that is full again needs no room. */
export class KeyedLimiter {
  constructor(policy: Policy, options?: KeyedOptions);
  static tokenBucket(options: TokenBucket & KeyedOptions): KeyedLimiter;
  static fixedWindow(options: FixedWindow & KeyedOptions): KeyedLimiter;
  static slidingWindow(options: SlidingWindow & KeyedOptions): KeyedLimiter;
  static intervalBucket(options: IntervalBucket & KeyedOptions): KeyedLimiter;
  /** Takes `cost` (1 unless set) from the key's limiter, all or nothing. Keys may be long. */
  tryAcquire(key: string, cost?: number): Decision;
  /** What `tryAcquire` would say; takes nothing, and no place. */
  peek(key: string, cost?: number): Decision;
  /** Of a key that has no place: full. */
  standing(key: string): Standing;
  /** Makes a key full; true if it was not new. */
  forget(key: string): boolean;
  /** Keys that are not full; newcomers that found no place; keys that gave theirs up. */
  counts(): { active: number; crowded: number; evicted: number };
  /** Goes on under another policy; what each key used stays used. */
  reconfigure(policy: Policy): void;
  headers(decision: Decision, options?: HeaderOptions): Headers;
  refusal(decision: Decision, options?: HeaderOptions): Refusal;
  free(): void;
}

/** What every error has beside its message, which says all three. */
interface Told {
  /** What was wrong. */
  readonly field: string;
  /** What it was. A length of time that a policy cannot have is text: `"1h30m"`. */
  readonly value: unknown;
  /** What is allowed. */
  readonly allowed: string;
}

/** A value of the wrong type. */
export class SteadfastTypeError extends TypeError implements Told {
  readonly field: string;
  readonly value: unknown;
  readonly allowed: string;
}

/** A value of the right type that is outside what is allowed; also one limiter too many. */
export class SteadfastRangeError extends RangeError implements Told {
  readonly field: string;
  readonly value: unknown;
  readonly allowed: string;
}

/** The right call at the wrong time: before `init()`, after `free()`, another's decision. */
export class SteadfastStateError extends Error implements Told {
  readonly field: string;
  readonly value: unknown;
  readonly allowed: string;
}
