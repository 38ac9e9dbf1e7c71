// The machines for calling out, by themselves: to the millisecond, and what is wrong with them.

import assert from "node:assert/strict";
import { test } from "node:test";

import init, {
  Breakers,
  capacity,
  httpOutcome,
  mayRepeat,
  RetryPolicy,
  StaleCache,
  SteadfastRangeError,
  SteadfastStateError,
  SteadfastTypeError,
} from "../js/steadfast.js";

await init();

function manual(now = 1_000) {
  const clock = () => clock.now;
  clock.now = now;
  return clock;
}

test("delays are the policy's, and chance is the caller's", () => {
  const clock = manual();
  const delays = (given, random = 0) => {
    const policy = new RetryPolicy({ attempts: 6, clock, random: () => random, ...given });
    const call = policy.start();
    const told = [];
    for (;;) {
      const { again, delayMs, reason } = call.step("transient");
      if (!again) {
        assert.equal(reason, "attempts_spent");
        break;
      }
      told.push(delayMs);
      clock.now += delayMs;
    }
    call.end();
    policy.free();
    return told;
  };
  const none = { base: 100, cap: "1s", jitter: "none" };
  assert.deepEqual(delays(none), [100, 200, 400, 800, 1_000]);
  assert.deepEqual(delays({ ...none, factor: 1.5 }), [100, 150, 225, 338, 507]);
  assert.deepEqual(delays({ ...none, backoff: "linear" }), [100, 200, 300, 400, 500]);
  assert.deepEqual(delays({ ...none, backoff: "fibonacci" }), [100, 100, 200, 300, 500]);
  assert.deepEqual(delays({ ...none, backoff: "fixed" }), [100, 100, 100, 100, 100]);
  assert.deepEqual(delays({ ...none, backoff: "immediate" }), [0, 0, 0, 0, 0]);
  assert.deepEqual(delays({ ...none, jitter: "full" }), [0, 0, 0, 0, 0]);
  assert.deepEqual(delays({ ...none, jitter: "equal" }, 2 ** 31), [75, 150, 300, 600, 750]);
  // The last number there is, rounded up to whole milliseconds.
  assert.deepEqual(delays({ ...none, jitter: "full" }, 2 ** 32 - 1), [100, 200, 400, 800, 1_000]);
});

test("a policy tells how many attempts it allows", () => {
  for (const [given, expected] of [[{}, 4], [{ attempts: 1 }, 1], [{ attempts: 9 }, 9]]) {
    const policy = new RetryPolicy(given);
    assert.equal(policy.attempts, expected);
    policy.free();
  }
});

test("of a header that is there twice the first counts", () => {
  const date = (name) => `${name}, 14 Nov 2023 22:13:27 GMT`;
  const told = (name, ...values) => {
    const headers = new Headers(values.map((value) => [name, value]));
    return httpOutcome({ status: 503, headers }, { unixNow: 1_700_000_000_000 });
  };
  for (const values of [["7", "9"], ["7 ", date("Tue")], [date("Tue"), "9"], [date("Tue"), date("Tue")], [date("Tue")]]) {
    assert.equal(told("retry-after", ...values).retryAfterNs, 7_000_000_000n, values);
  }
  for (const values of [["soon", "7"], ["Tue", "7"], [",7"]]) {
    assert.equal(told("retry-after", ...values).retryAfterNs, null, values);
  }
  assert.equal(told("retried-below", "4", "2").label, "exhausted");
});

test("a clock that goes back during a wait gives the next attempt no more time", () => {
  const clock = manual(10_000_000);
  const policy = new RetryPolicy({ clock, jitter: "none", base: "1s", budget: null });
  const call = policy.start({ within: "5s" });
  clock.now += 2_000;
  assert.equal(call.step("transient").delayMs, 1_000);
  clock.now -= 3_600_000;
  // Five seconds less the two that have passed; how long the wait took nobody knows.
  assert.deepEqual(call.next("1h"), { attempt: 2, limitMs: 3_000 });
  clock.now += 2_999;
  assert.deepEqual(call.next("1h"), { attempt: 2, limitMs: 1 });
  clock.now += 1;
  assert.equal(call.next("1h"), null);
  call.end();
  policy.free();
});

test("a session keeps its deadline, its limits and the server's word", () => {
  const clock = manual();
  const policy = new RetryPolicy({ clock, jitter: "none", base: "1s", budget: null });
  const call = policy.start({ within: "5s" });
  assert.deepEqual(call.next(), { attempt: 1, limitMs: 5_000 });
  assert.deepEqual(call.next("2s"), { attempt: 1, limitMs: 2_000 });
  clock.now += 2_000;
  const again = { again: true, delayMs: 1_000, delayNs: 1_000_000_000n, reason: null };
  assert.deepEqual(call.step("timed_out"), again);
  clock.now += 1_000;
  assert.deepEqual(call.next("2s"), { attempt: 2, limitMs: 2_000 });
  clock.now += 500;
  assert.deepEqual(call.next("2s"), { attempt: 2, limitMs: 1_500 });
  assert.equal(call.step("transient").reason, "deadline_too_near");
  // Late, or twice: it means nothing.
  assert.equal(call.step("transient").reason, "already_stopped");
  assert.equal(call.step("success").reason, "already_stopped");
  clock.now += 1_500;
  assert.equal(call.next(), null);
  call.end();
  call.end();
  assert.throws(() => call.step("transient"), SteadfastStateError);
  assert.throws(() => call.next(), SteadfastStateError);

  const asked = (retryAfterNs, given) => {
    const limited = new RetryPolicy({ clock, ...given });
    const session = limited.start();
    const { delayNs, reason } = session.step({ label: "throttled", retryAfterNs });
    session.end();
    limited.free();
    return delayNs ?? reason;
  };
  assert.equal(asked(1_500_000_001n), 1_500_000_001n);
  assert.equal(asked(60_000_000_000n), 60_000_000_000n);
  assert.equal(asked(60_000_000_001n), "server_delay_too_long");
  assert.equal(asked(60_000_000_001n, { maxServerDelay: "2m", maxElapsed: "1m" }), "elapsed_spent");
  assert.equal(policy.budgetLeft(), null);
  policy.free();
});

test("a retry that does not begin costs the budget nothing", () => {
  const clock = manual();
  const policy = new RetryPolicy({ clock, budget: 100 });
  const retried = ({ begins, late = false }) => {
    const call = policy.start({ within: "10s" });
    call.next();
    assert.equal(call.step("transient").again, true);
    assert.equal(policy.budgetLeft(), 95);
    if (late) clock.now += 10_000;
    if (begins) assert.equal(call.next() === null, late);
    call.end();
    return policy.budgetLeft();
  };
  assert.equal(retried({ begins: false }), 100);
  // The timer was late, and the deadline has passed.
  assert.equal(retried({ begins: true, late: true }), 100);
  // What has begun is paid for, however it ends.
  assert.equal(retried({ begins: true }), 95);
  policy.free();
});

test("every reason to stop has its word", () => {
  const clock = manual();
  const policy = new RetryPolicy({ clock, attempts: 1, budget: 10 });
  for (const [outcome, expected] of [
    ["success", "succeeded"],
    ["failure", "not_retryable"],
    ["exhausted", "retried_below"],
    ["throttled_below", "retried_below"],
    ["ignored", "not_retryable"],
    ["cancelled", "cancelled"],
    ["rejected", "rejected"],
    ["transient", "attempts_spent"],
  ]) {
    const call = policy.start();
    assert.equal(call.step(outcome).reason, expected);
    call.end();
  }
  for (const repeatable of [0, "no", null]) {
    assert.throws(() => policy.start({ repeatable }), { field: "repeatable" });
  }
  const once = policy.start({ repeatable: false });
  assert.equal(once.step("transient").reason, "not_repeatable");
  once.end();
  assert.equal(policy.budgetLeft(), 10);
  const call = policy.start();
  policy.free();
  assert.throws(() => call.step("transient"), SteadfastStateError);
  call.end();
});

test("a permit counts once, and not for what comes after", () => {
  const clock = manual();
  const breakers = new Breakers({ failures: 2, openFor: "1s", closeAfter: 2, clock, seed: 1n });
  const a = breakers.tryEnter("a");
  const late = breakers.tryEnter("a");
  assert.equal(a.record("timed_out"), null);
  // Twice is once.
  assert.equal(a.record("timed_out"), null);
  assert.equal(breakers.standing("a").counted, 1);
  const opened = { from: "closed", to: "open", cause: "failures" };
  assert.deepEqual(breakers.tryEnter("a").record("failure"), opened);
  assert.deepEqual(breakers.standing("a"), { phase: "open", retryAfterMs: 1_000, counted: 0, unguarded: 0 });
  clock.now += 999.5;
  assert.deepEqual(breakers.tryEnter("a"), { granted: false, reason: "open", retryAfterMs: 1 });
  assert.equal(breakers.tryEnter("b").granted, true);
  clock.now = 2_000;
  const probe = breakers.tryEnter("a");
  assert.deepEqual(probe.change, { from: "open", to: "half_open", cause: "open_time_over" });
  assert.equal(late.record("success"), null);
  const refused = breakers.tryEnter("a");
  assert.deepEqual([refused.granted, refused.reason, refused.retryAfterMs], [false, "half_open", 60_000]);
  probe.cancel();
  probe.cancel();
  assert.equal(probe.record("failure"), null);
  assert.equal(breakers.standing("a").phase, "half_open");
  assert.equal(breakers.tryEnter("a").record("success"), null);
  const closed = { from: "half_open", to: "closed", cause: "recovered" };
  assert.deepEqual(breakers.tryEnter("a").record("success"), closed);
  assert.deepEqual(breakers.forceOpen("a"), { from: "closed", to: "forced_open", cause: "by_hand" });
  assert.deepEqual(breakers.tryEnter("a"), { granted: false, reason: "forced_open", retryAfterMs: null });
  assert.equal(breakers.forceClosed("a").to, "forced_closed");
  assert.equal(breakers.reset("a").to, "closed");
  const out = breakers.tryEnter("a");
  breakers.free();
  assert.equal(out.record("failure"), null);
  out.cancel();
  assert.throws(() => breakers.tryEnter("a"), SteadfastStateError);
});

test("more targets than places are let through, and counted", () => {
  const breakers = new Breakers({ failures: 1, clock: manual() });
  const fail = (target) => breakers.tryEnter(target).record("failure");
  for (let i = 0; i < capacity.targets; i += 1) assert.equal(fail(`${i}`).to, "open");
  assert.equal(fail("one too many"), null);
  assert.equal(breakers.tryEnter("one too many").granted, true);
  assert.equal(breakers.standing("0").unguarded, 1);
  assert.throws(() => breakers.forceOpen("one too many"), { name: "SteadfastRangeError", field: "targets" });
  breakers.free();
});

test("permits that nobody holds any more make room", async () => {
  const breakers = new Breakers();
  for (let i = 0; i < 40; i += 1) {
    for (let each = 0; each < 100; each += 1) breakers.tryEnter("a");
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  breakers.free();
});

test("a kept answer has an age, an end, and one place among many", () => {
  const clock = manual();
  const cache = new StaleCache({ maxAge: "1m", freshFor: "10s", clock });
  assert.equal(cache.get("a"), null);
  cache.put("a", { n: 1 });
  clock.now += 0.5;
  assert.deepEqual(cache.get("a"), { value: { n: 1 }, ageMs: 0.5, isFresh: true });
  clock.now += 9_999.5;
  assert.equal(cache.get("a").isFresh, false);
  cache.put("a", { n: 2 });
  assert.deepEqual([cache.get("a").value.n, cache.get("a").ageMs, cache.size], [2, 0, 1]);
  // A clock that goes back makes nothing younger than it can be, nor of use for ever.
  clock.now = 0;
  assert.equal(cache.get("a").ageMs, 0);
  clock.now = 60_000;
  assert.equal(cache.get("a"), null);
  assert.equal(cache.size, 0);
  for (let i = 0; i < 2 * capacity.answers; i += 1) {
    clock.now += 1;
    cache.put(`${i}`, i);
  }
  assert.equal(cache.size, capacity.answers);
  assert.equal(cache.get(`${capacity.answers - 1}`), null);
  assert.equal(cache.get(`${capacity.answers}`).value, capacity.answers);
  assert.equal(cache.forget("300"), true);
  assert.equal(cache.forget("300"), false);
  assert.equal(cache.get("300"), null);
  cache.free();
  assert.throws(() => cache.get("400"), SteadfastStateError);
});

test("an answer of HTTP means what the core says it means", () => {
  const of = (status, headers = {}) =>
    httpOutcome(new Response(null, { status, headers }), { unixNow: 784_111_770_000 });
  const table = {
    success: [200, 204, 304],
    throttled: [408, 425, 429],
    ignored: [400, 401, 404, 410, 422, 451],
    transient: [500, 502, 503, 504, 507, 511, 520, 529, 599],
    failure: [501, 505],
  };
  for (const [label, all] of Object.entries(table)) {
    for (const status of all) assert.deepEqual(of(status), { label, retryAfterNs: null }, `${status}`);
  }
  const after = (value) => of(503, { "retry-after": value }).retryAfterNs;
  assert.equal(after("7"), 7_000_000_000n);
  assert.equal(after("Sun, 06 Nov 1994 08:49:37 GMT"), 7_000_000_000n);
  for (const nonsense of ["", "0", "-1", "1.5", "soon", "é", "9".repeat(5_000)]) {
    assert.equal(after(nonsense), null, nonsense.slice(0, 9));
  }
  assert.equal(of(503, { "retried-below": "3", "retry-after": "7" }).label, "exhausted");
  assert.equal(of(200, { "retried-below": "3" }).label, "success");
  assert.deepEqual(of(429, { "retried-below": "1", "retry-after": "7" }), {
    label: "throttled_below",
    retryAfterNs: 7_000_000_000n,
  });
  // What a browser hides has status 0.
  assert.equal(httpOutcome({ status: 0, headers: new Headers() }).label, "failure");
  assert.throws(() => httpOutcome({ status: "200", headers: new Headers() }), SteadfastTypeError);
  assert.throws(() => httpOutcome({ status: 200 }), SteadfastTypeError);
  assert.throws(() => httpOutcome(undefined), SteadfastTypeError);
  const repeatable = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];
  for (const method of [...repeatable, "POST", "PATCH", "get", "", "é", "x".repeat(9_999)]) {
    assert.equal(mayRepeat(method), repeatable.includes(method), method);
    assert.equal(mayRepeat(method, true), true);
  }
  assert.throws(() => mayRepeat(5), SteadfastTypeError);
});

test("bad input is told with its field and changes nothing", () => {
  const clock = manual();
  const refused = (act, kind, field, message) =>
    assert.throws(act, (error) => {
      assert.ok(error instanceof kind, error.stack);
      assert.equal(error.field, field);
      if (message !== undefined) assert.equal(error.message, message);
      assert.ok(error.message.includes(error.allowed));
      return true;
    });
  const retry = (given) => () => new RetryPolicy(given);
  const breakers = (given) => () => new Breakers(given);
  const cache = (given) => () => new StaleCache(given);
  refused(retry({ attempts: "4" }), SteadfastTypeError, "attempts");
  refused(retry({ attempts: 0 }), SteadfastRangeError, "attempts");
  refused(retry({ factor: 0.5 }), SteadfastRangeError, "factor");
  refused(retry({ factor: 1.2345 }), SteadfastRangeError, "factor");
  refused(retry({ factor: 1.005 }), SteadfastRangeError, "numerator");
  refused(retry({ factor: NaN }), SteadfastRangeError, "factor");
  refused(retry({ factor: "2" }), SteadfastTypeError, "factor");
  refused(retry({ backoff: "quadratic" }), SteadfastRangeError, "backoff");
  refused(retry({ jitter: true }), SteadfastTypeError, "jitter");
  refused(retry({ base: "0s" }), SteadfastRangeError, "base");
  const longest = '"53375d23h53m38s427ms387us904ns"';
  const capped = `cap = "10s", allowed "10s1ns" to ${longest}`;
  refused(retry({ base: "10s1ns" }), SteadfastRangeError, "cap", capped);
  refused(retry({ budget: 9 }), SteadfastRangeError, "budget");
  refused(retry({ random: 4 }), SteadfastTypeError, "random");
  refused(retry(null), SteadfastTypeError, "options");
  refused(breakers({ failures: 1.5 }), SteadfastRangeError, "failures");
  const shrinks = `growing_to = "1s", allowed "30s" to ${longest}`;
  refused(breakers({ growingTo: "1s" }), SteadfastRangeError, "growing_to", shrinks);
  refused(breakers({ closeAfter: 0 }), SteadfastRangeError, "closeAfter");
  refused(breakers({ seed: 5 }), SteadfastTypeError, "seed");
  const long = `max_age = "60000d", allowed "1ns" to ${longest}`;
  refused(cache({ maxAge: "60000d" }), SteadfastRangeError, "max_age", long);
  const fresh = 'fresh_for = "2ms", allowed "0s" to "1ms"';
  refused(cache({ maxAge: 1, freshFor: 2 }), SteadfastRangeError, "fresh_for", fresh);

  let number = 0.5;
  const policy = new RetryPolicy({ clock, random: () => number });
  const call = policy.start();
  refused(() => call.step("down"), SteadfastRangeError, "outcome");
  refused(() => call.step(5), SteadfastTypeError, "outcome");
  const wait = { label: "throttled", retryAfterNs: 5 };
  refused(() => call.step(wait), SteadfastTypeError, "outcome.retryAfterNs");
  refused(() => call.step("transient"), SteadfastRangeError, "random()");
  number = 1;
  clock.now = NaN;
  refused(() => call.step("transient"), SteadfastRangeError, "clock()");
  clock.now = 1_000;
  assert.equal(call.next().attempt, 1);
  call.end();
  policy.free();

  const guard = new Breakers({ failures: 1, clock });
  for (const target of [undefined, null, 5, {}]) {
    refused(() => guard.tryEnter(target), SteadfastTypeError, "target");
    refused(() => guard.standing(target), SteadfastTypeError, "target");
  }
  const permit = guard.tryEnter("a");
  refused(() => permit.record("down"), SteadfastRangeError, "outcome");
  clock.now = -1;
  refused(() => permit.record("failure"), SteadfastRangeError, "clock()");
  clock.now = 1_000;
  // It is still out, so it still counts.
  assert.equal(permit.record("failure").to, "open");
  guard.free();
});
