// Calling out: `fetch` that waits, tries again and gives up as it should, and the machines it is made
// of. Every decision is the module's.

import type { Duration, LimiterOptions } from "./steadfast.js";

/** What became of a call. */
export type OutcomeLabel =
  /** It worked. */
  | "success"
  /** It failed, and may work if it is done again. */
  | "transient"
  /** No answer came in time. */
  | "timed_out"
  /** The other side is well and asks for fewer calls. */
  | "throttled"
  /** It failed, and would fail again. */
  | "failure"
  /** It failed, and a layer below has already retried it, or must not. */
  | "exhausted"
  /** "throttled", and a layer below has already retried it, or must not. */
  | "throttled_below"
  /** The caller's mistake, or a no that is meant: it says nothing about the other side's health. */
  | "ignored"
  /** The caller did not wait for the answer. */
  | "cancelled"
  /** It was never sent. */
  | "rejected";

export interface Outcome {
  label: OutcomeLabel;
  /** How long the other side asks to wait; for "transient", "throttled" and "throttled_below". */
  retryAfterNs?: bigint | null;
}

/**
 * What an answer of HTTP means: 1xx to 3xx success; 408, 425 and 429 throttled; other 4xx ignored;
 * 501 and 505 failure, and so is what is no status; other 5xx transient. `Retry-After` is read, as
 * seconds and as a date, and `retried-below`, by which a server says that it has retried already, or
 * that nobody is to.
 */
export function httpOutcome(
  response: Pick<Response, "status" | "headers">,
  options?: { /** Milliseconds since 1970; `Date.now()` unless set. */ unixNow?: number },
): Required<Outcome>;

/** May such a request be sent twice? GET, HEAD, OPTIONS, TRACE, PUT, DELETE, or one with a key. */
export function mayRepeat(method: string, hasIdempotencyKey?: boolean): boolean;

/** When something is tried again. */
export interface RetryNumbers {
  /** How many, the first included; 4 unless set. 1 is no retry. */
  attempts?: number;
  /** How delays grow; "exponential" unless set. */
  backoff?: "exponential" | "fixed" | "linear" | "fibonacci" | "immediate";
  /** The first delay; 200 ms unless set. */
  base?: Duration;
  /** How many times as long each delay is; 2 unless set. At least 1.01 or 1, to three decimals. */
  factor?: number;
  /** The longest delay; 10 s unless set. */
  cap?: Duration;
  /** How chance spreads them; "full", from nothing to the whole delay, unless set. */
  jitter?: "none" | "full" | "equal" | "decorrelated" | "additive";
  /** How long after the start the last attempt may begin; no limit unless set. */
  maxElapsed?: Duration;
  /** The longest wait that a server may ask for; 60 s unless set. Beyond it there is no retry. */
  maxServerDelay?: Duration;
  /**
   * What all calls under this policy may retry together, in tokens; 500 unless set, at least 10, and
   * null for no limit. A retry takes 5, after a timeout 10, and gives them back if it works; a call
   * that works at once gives 1.
   */
  budget?: number | null;
}

export interface RetryOptions extends RetryNumbers, LimiterOptions {
  /** Whole numbers 0 to 4294967295 for the jitter; the platform's generator unless set. */
  random?: () => number;
}

export class RetryPolicy {
  constructor(options?: RetryOptions);
  /** A call whose first attempt begins now. */
  start(options?: { within?: Duration; repeatable?: boolean }): Retry;
  /** How many attempts there may be, the first included. */
  readonly attempts: number;
  /** Tokens left; null without a budget. */
  budgetLeft(): number | null;
  free(): void;
}

/** Whether there is another attempt, and after how long; if not, why. */
export type Step =
  | { again: true; delayMs: number; delayNs: bigint; reason: null }
  | { again: false; delayMs: null; delayNs: null; reason: StopReason };

export type StopReason =
  | "succeeded"
  | "not_retryable"
  | "not_repeatable"
  | "attempts_spent"
  | "elapsed_spent"
  | "deadline_too_near"
  | "budget_spent"
  | "server_delay_too_long"
  | "retried_below"
  | "cancelled"
  | "rejected"
  | "already_stopped";

/** The attempts of one call. */
export interface Retry {
  /**
   * Which attempt begins now, and how many milliseconds it may take: the shorter of `attemptTimeout`
   * and what is left; null is no limit. Null if the deadline has passed.
   */
  next(attemptTimeout?: Duration): { attempt: number; limitMs: number | null } | null;
  /** The attempt has come to this. After a stop, nothing changes any more. */
  step(outcome: OutcomeLabel | Outcome): Step;
  /** Makes room; call it whatever happens. A retry that `next` has not begun costs the budget nothing. */
  end(): void;
}

export type Phase =
  | "closed"
  | "open"
  | "half_open"
  | "forced_open"
  | "forced_closed"
  | "disabled"
  | "observe_only";

/** A breaker turned from one phase to another. */
export interface Change {
  from: Phase;
  to: Phase;
  cause: "failures" | "open_time_over" | "probe_failed" | "recovered" | "by_hand";
}

export interface BreakerNumbers {
  /** How many calls that fail one after the other open it; 5 unless set. */
  failures?: number;
  /** How long it stays open; 30 s unless set. */
  openFor?: Duration;
  /** If it reopens, twice as long each time, up to this; it does not grow unless set. */
  growingTo?: Duration;
  /** How many probes must work, one at a time, before it closes; 3 unless set. */
  closeAfter?: number;
  /** After how long a probe that does not come back is written off; 60 s unless set. */
  probeLease?: Duration;
}

/**
 * A circuit breaker for each target, of which `capacity.targets` may be unwell at once; further ones
 * are let through.
 */
export class Breakers {
  constructor(options?: BreakerNumbers & LimiterOptions & { seed?: bigint });
  tryEnter(target: string): Permit | Refused;
  standing(target: string): {
    phase: Phase;
    /** When a call may pass: 0 is now, null is that nobody knows. */
    retryAfterMs: number | null;
    /** Failures in a row; in half-open, probes that worked. */
    counted: number;
    /** How many results found no place in this set. */
    unguarded: number;
  };
  /** By hand: closes it and forgets, holds it open, holds it closed. What that changed. */
  reset(target: string): Change | null;
  forceOpen(target: string): Change | null;
  forceClosed(target: string): Change | null;
  free(): void;
}

/** The right to make one call. Its result counts once, and not after the breaker has moved on. */
export interface Permit {
  readonly granted: true;
  /** What giving it changed: the first probe turns the breaker half-open. */
  readonly change: Change | null;
  /** Is it a probe, of a breaker that is half-open? Then do not retry it. */
  readonly isProbe: boolean;
  /** The call has come to this; what that changed. */
  record(outcome: OutcomeLabel | Outcome): Change | null;
  /** The call was given up; after `record` this does nothing. Call it whatever happens. */
  cancel(): void;
}

export interface Refused {
  readonly granted: false;
  readonly reason: "open" | "half_open" | "forced_open";
  readonly retryAfterMs: number | null;
}

export interface Freshness {
  /** From this age on an answer is of no use; 300 s unless set. */
  maxAge?: Duration;
  /** Up to this age an answer is as good as asking; never unless set. */
  freshFor?: Duration;
}

/** The last good answers, `capacity.answers` at most; the oldest makes room. */
export class StaleCache<V> {
  constructor(options?: Freshness & LimiterOptions);
  put(key: string, value: V): void;
  get(key: string): { value: V; ageMs: number; isFresh: boolean } | null;
  forget(key: string): boolean;
  readonly size: number;
  free(): void;
}

export interface FetchOptions extends LimiterOptions {
  /** How long an attempt may take, its body included; 5 s unless set. */
  attemptTimeout?: Duration;
  /** How long the whole may take, waits included; 30 s unless set. */
  within?: Duration;
  /** Null for a single attempt. */
  retry?: RetryNumbers | null;
  /** It hears one verdict a call, after its retries. Null for none. */
  breaker?: BreakerNumbers | null;
  /** Keeps good answers to GET; nothing is kept unless set. */
  stale?: Freshness;
  /** What a breaker is for; the URL's origin unless set. */
  target?: (request: Request) => string;
  /**
   * Which answers are the same; null is not kept. Unless set, GET by URL and `Accept`, and nothing
   * with `Authorization`, `Cookie`, `Range` or a condition such as `If-None-Match`, nor an answer
   * with `Cache-Control: private` or `Set-Cookie`. The cookies that a browser adds are not seen:
   * where users change within a page, and for users told apart by another header, let the key name
   * the user. Of each the last is kept, and serves a request whose headers are the same where its
   * `Vary` names them. Answers with `Cache-Control: no-store` or `Vary: *` are never kept.
   */
  cacheKey?: (request: Request) => string | null;
  /**
   * Names each call to POST, PATCH and the like in a header `Idempotency-Key`, as a string in quotes
   * (draft-ietf-httpapi-idempotency-key-header), the same for all its attempts: then it may be
   * repeated, if the server knows the header. True for `crypto.randomUUID()`; a function makes the
   * key, 1 to 1024 printable ASCII characters without the quotes, or null for none. False unless
   * set. A header that the request has stays; GET, HEAD, OPTIONS, TRACE, PUT and DELETE get none. In
   * a browser it makes a call to another origin one that must be asked for first ("preflight").
   */
  idempotencyKey?: boolean | ((request: Request) => string | null);
  /** Is told what happens, as it happens. Let it be short; what it throws ends the call. */
  observe?: (event: FetchEvent) => void;
  fetch?: typeof globalThis.fetch;
  /** Milliseconds since 1970, for dates in `Retry-After`; `Date.now` unless set. */
  unixClock?: () => number;
  /** Calls back after so many milliseconds; what it returns prevents that. */
  timer?: (ms: number, act: () => void) => () => void;
  random?: () => number;
}

export type FetchEvent = { target: string } & (
  | {
      type: "attempt";
      /** Which one, from 1. */
      attempt: number;
      /** How many the policy allows. */
      maxAttempts: number;
      outcome: OutcomeLabel;
      /** Of its answer; null if none came whole. */
      status: number | null;
      /** What was thrown by `fetch` or `read`, or that its time was over; null if nothing was. */
      error: unknown;
      delayMs: number | null;
      reason: StopReason | "probe" | null;
    }
  | ({ type: "breaker" } & Change)
  | { type: "rejected"; reason: Refused["reason"] | "too_many_calls"; retryAfterMs: number | null }
  | { type: "served"; source: ServedFrom; ageMs: number }
);

/** The other side now; an answer that is still fresh; the last good one; the caller's `or`. */
export type ServedFrom = "primary" | "cached" | "stale" | "default";

/** An answer, where it came from and how old it is. */
export interface Served<V> {
  value: V;
  source: ServedFrom;
  ageMs: number;
  attempts: number;
  /** Why it is not the primary's. */
  error: CallError | null;
}

export interface CallOptions<V> {
  /** Makes the value of a good answer; `(response) => response.json()` unless set. */
  read?: (response: Response) => V | Promise<V>;
  /** What there is if all else fails; not asked if the answer is a no that is meant, a 404 say. */
  or?: (error: CallError) => V | Promise<V>;
  /** May it be sent twice? By its method and `Idempotency-Key` unless set. */
  repeatable?: boolean;
  /**
   * As that of all calls, and before it. Text is the key itself: for a call that is to be the same
   * as an earlier one, a payment that is tried again after a restart, say.
   */
  idempotencyKey?: string | boolean | ((request: Request) => string | null);
}

/**
 * `fetch` with a deadline, a timeout for each attempt, retries, a breaker for each target and the
 * last good answer. Answers are taken into memory whole.
 */
export class ResilientFetch {
  constructor(options?: FetchOptions);
  /**
   * Rejects with a `CallError` if it comes to nothing; with the signal's reason if the caller leaves;
   * with what `Request` throws if the request is none.
   */
  fetch<V = any>(
    input: RequestInfo | URL,
    init?: RequestInit,
    options?: CallOptions<V>,
  ): Promise<Served<V>>;
  /** How a target's breaker stands; null without breakers. */
  standing(target: string): ReturnType<Breakers["standing"]> | null;
  /**
   * By hand, for a target as `target` names it, an origin such as "https://example.com" unless set:
   * closes its breaker and forgets, holds it open, holds it closed. What that changed, which
   * `observe` is told as well. A call that is under way goes on, and its result changes nothing.
   * Throws without breakers.
   */
  reset(target: string): Change | null;
  forceOpen(target: string): Change | null;
  forceClosed(target: string): Change | null;
  budgetLeft(): number | null;
  free(): void;
}

/** Why a call came to nothing; `cause` is the error of its last attempt. */
export class CallError extends Error {
  /**
   * Why there was no further attempt, or what the breaker is. A probe is one attempt. Of too many
   * calls `capacity.calls` are under way, of all together, and this one has found no place.
   */
  readonly reason: StopReason | "probe" | "deadline_exceeded" | Refused["reason"] | "too_many_calls";
  /** What came of the last attempt. */
  readonly outcome: OutcomeLabel;
  readonly attempts: number;
  /** When to come back, if that is known, and no longer than the policy waits. */
  readonly retryAfterMs: number | null;
  /** The last answer, which can be read, if there was one. */
  readonly response: Response | null;
}
