// What JavaScript callers can do to the limiters, wrong and right.

import assert from "node:assert/strict";
import { test } from "node:test";

const face = await import("../js/steadfast.js");
const { default: init, capacity, KeyedLimiter, Policy, RateLimiter } = face;
const { SteadfastRangeError, SteadfastStateError, SteadfastTypeError } = face;

/** A clock that stands where it is put. */
function manual(now = 1_000) {
  const clock = () => clock.now;
  clock.now = now;
  return clock;
}

function thrown(act, kind, field, allowed) {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof kind, `${error.name}: ${error.message}`);
    assert.equal(error.name, kind.name);
    assert.equal(error.field, field);
    assert.ok(error.message.includes(error.allowed), error.message);
    assert.ok(error.message.length < 300, error.message);
    if (allowed !== undefined) assert.match(error.allowed, allowed);
    return error;
  }
  return assert.fail(`nothing was thrown about ${field}`);
}

test("before init everything says so", () => {
  thrown(() => RateLimiter.tokenBucket({ count: 1, per: "1s" }), SteadfastStateError, "module");
  thrown(() => KeyedLimiter.tokenBucket({ count: 1, per: "1s" }), SteadfastStateError, "module");
});

test("a load that fails says why and may be tried again", async () => {
  await assert.rejects(init(new Response("", { status: 404 })), SteadfastStateError);
  await assert.rejects(init(7), SteadfastTypeError);
  await assert.rejects(init(new Uint8Array(8)), WebAssembly.CompileError);
  await init();
  await init();
  assert.deepEqual(capacity, {
    limiters: 256,
    keyedLimiters: 8,
    keys: 1_024,
    retryPolicies: 32,
    breakers: 8,
    targets: 32,
    caches: 8,
    answers: 256,
    calls: 1_024,
  });
});

test("a token bucket grants its burst and then its rate", () => {
  const clock = manual();
  const limiter = RateLimiter.tokenBucket({ count: 5, per: "1s", burst: 10, clock });
  for (let i = 0; i < 10; i += 1) assert.ok(limiter.tryAcquire().granted);
  const no = limiter.tryAcquire();
  assert.deepEqual(
    [no.granted, no.reason, no.cost, no.retryAfterMs, no.retryAfterNs],
    [false, "rate_limit_exceeded", 1, 200, 200_000_000n],
  );
  clock.now += 199.999999;
  assert.equal(limiter.peek().retryAfterNs, 1n);
  assert.equal(limiter.peek().retryAfterMs, 1);
  clock.now = 1_200;
  const yes = limiter.tryAcquire();
  assert.deepEqual(
    [yes.granted, yes.reason, yes.retryAfterMs, yes.retryAfterNs],
    [true, null, null, null],
  );
  const standing = limiter.standing();
  assert.deepEqual(standing, { limit: 10, remaining: 0, windowMs: 2_000, fullInMs: 2_000 });
  limiter.free();
});

test("a window grants its limit, and a peek takes nothing", () => {
  const clock = manual();
  for (const algorithm of ["fixedWindow", "slidingWindow", "intervalBucket"]) {
    const limiter = RateLimiter[algorithm]({ count: 3, per: 60_000, clock });
    for (let i = 0; i < 9; i += 1) assert.ok(limiter.peek(3).granted);
    assert.ok(limiter.tryAcquire(2).granted);
    assert.ok(!limiter.peek(2).granted);
    assert.ok(limiter.tryAcquire().granted);
    assert.ok(limiter.tryAcquire(0).granted);
    assert.equal(limiter.tryAcquire().retryAfterMs >= 60_000, true);
    assert.equal(limiter.tryAcquire(4).reason, "cost_above_capacity");
    assert.equal(limiter.tryAcquire(4).retryAfterMs, null);
    limiter.free();
  }
});

test("an aligned window turns with the clock", () => {
  const clock = manual(59_000);
  const limiter = RateLimiter.fixedWindow({ count: 1, per: "1m", aligned: true, clock });
  assert.ok(limiter.tryAcquire().granted);
  assert.equal(limiter.tryAcquire().retryAfterMs, 1_000);
  limiter.free();
});

test("reconfiguring keeps what was used", () => {
  const clock = manual();
  const limiter = RateLimiter.tokenBucket({ count: 10, per: "1m", clock });
  limiter.tryAcquire(9);
  limiter.reconfigure(Policy.fixedWindow({ count: 12, per: "15m" }));
  assert.equal(limiter.standing().remaining, 3);
  limiter.free();
});

test("durations are read exactly, and what is none is told", () => {
  const window = (per) => {
    const limiter = RateLimiter.fixedWindow({ count: 1, per, clock: manual() });
    limiter.tryAcquire();
    const wait = limiter.tryAcquire().retryAfterNs;
    limiter.free();
    return wait;
  };
  assert.equal(window("15m"), 900_000_000_000n);
  assert.equal(window("1d2h3m4s5ms6us7ns"), 93_784_005_006_007n);
  assert.equal(window(0.3), 300_000n);
  assert.equal(window(1_500.5), 1_500_500_000n);
  assert.equal(window("0001s"), 1_000_000_000n);
  for (const per of ["", "15", "15 m", "m", "-1s", "1.5s", "1m1h", "1s1s", "1w", "0s", "1s ", "1S",
    "99999999999999999999d", "1".repeat(1_000_000), "600y", "٣s", 0, -1, 1e-9, NaN, Infinity, 2e13]) {
    thrown(() => Policy.fixedWindow({ count: 1, per }), SteadfastRangeError, "per", /15m/);
  }
  for (const per of [undefined, null, true, 5n, {}, [], Symbol("s"), () => "1s", new Date()]) {
    thrown(() => Policy.fixedWindow({ count: 1, per }), SteadfastTypeError, "per", /15m/);
  }
  // Longer than a policy may take is the core's to say.
  const longest = "53375d23h53m38s427ms387us904ns";
  const allowed = new RegExp(`^"1ns" to "${longest}"$`);
  for (const per of ["53375d23h53m38s427ms387us905ns", "60000d"]) {
    const { value } = thrown(() => window(per), SteadfastRangeError, "period", allowed);
    assert.equal(value, per);
  }
  assert.equal(window(longest), 2n ** 62n);
});

test("what is no count is refused, and so is one out of range", () => {
  const per = "1s";
  for (const field of ["count", "burst"]) {
    for (const value of ["10", null, true, 5n, {}, [10], Symbol("ten"), new Number(10)]) {
      const given = { count: 1, per, [field]: value };
      const error = thrown(() => Policy.tokenBucket(given), SteadfastTypeError, field);
      assert.equal(error.value, value);
    }
    for (const value of [NaN, 0, -1, 1.5, 2 ** 32, Infinity, -Infinity, -0, 1e300]) {
      const given = { count: 1, per, [field]: value };
      const error = thrown(() => Policy.tokenBucket(given), SteadfastRangeError, field);
      assert.ok(Object.is(error.value, value));
    }
  }
  thrown(() => Policy.tokenBucket({ per }), SteadfastTypeError, "count");
  thrown(() => Policy.tokenBucket({ count: 1, per, brust: 5 }), SteadfastTypeError, "options.brust");
  thrown(() => Policy.slidingWindow({ count: 1, per, burst: 5 }), SteadfastTypeError, "options.burst");
  thrown(() => Policy.fixedWindow({ count: 1, per, aligned: 1 }), SteadfastTypeError, "aligned");
  for (const given of [undefined, null, 5, "10/m", [10, "1m"]]) {
    thrown(() => Policy.tokenBucket(given), SteadfastTypeError, "options");
    thrown(() => RateLimiter.tokenBucket(given), SteadfastTypeError, "options");
    thrown(() => KeyedLimiter.tokenBucket(given), SteadfastTypeError, "options");
  }
  thrown(() => new Policy(), SteadfastTypeError, "Policy");
  for (const policy of [undefined, null, {}, { count: 1, per }, "1/s"]) {
    thrown(() => new RateLimiter(policy), SteadfastTypeError, "policy");
    thrown(() => new KeyedLimiter(policy), SteadfastTypeError, "policy");
  }
});

test("a bad cost or clock changes nothing", () => {
  const clock = manual();
  const limiter = RateLimiter.tokenBucket({ count: 10, per: "1m", clock });
  for (const cost of [-1, 1.5, NaN, Infinity, 2 ** 32]) {
    thrown(() => limiter.tryAcquire(cost), SteadfastRangeError, "cost", /0\.\.=4294967295/);
    thrown(() => limiter.peek(cost), SteadfastRangeError, "cost");
  }
  for (const cost of ["1", null, {}, 1n, true]) {
    thrown(() => limiter.tryAcquire(cost), SteadfastTypeError, "cost");
  }
  for (const now of [NaN, -1, Infinity, -Infinity, 18_446_744_073_710, 1e300]) {
    clock.now = now;
    for (const act of [() => limiter.tryAcquire(), () => limiter.standing(), () => limiter.peek()]) {
      thrown(act, SteadfastRangeError, "clock()", /584 years/);
    }
  }
  for (const now of ["5", null, undefined, new Date(), 5n]) {
    clock.now = now;
    thrown(() => limiter.tryAcquire(), SteadfastTypeError, "clock()");
  }
  thrown(
    () => RateLimiter.tokenBucket({ count: 1, per: "1s", clock: 5 }),
    SteadfastTypeError,
    "clock",
  );
  clock.now = 1_000;
  assert.equal(limiter.standing().remaining, 10);
  assert.ok(limiter.tryAcquire(10).granted);
  limiter.free();
});

test("a clock that goes back makes nobody wait longer than the longest wait and 4.3 s", () => {
  const clock = manual(1e9);
  const limiter = RateLimiter.tokenBucket({ count: 10, per: "1m", clock });
  limiter.tryAcquire(10);
  clock.now = 0;
  assert.ok(limiter.tryAcquire(10).retryAfterMs <= 60_000 + 4_300);
  clock.now = 18_446_744_073_709.5;
  assert.ok(limiter.tryAcquire(10).granted);
  limiter.free();
});

test("each key has a limiter of its own", () => {
  const clock = manual();
  const limiter = KeyedLimiter.fixedWindow({ count: 2, per: "15m", clock, seed: 1n });
  // Alike but for a length, a unit, or what an encoder would make of half a pair.
  const halves = ["\ud800", "\udc00", "\ufffd"];
  const keys = ["", "a", "a\0", "\0a", "a\0\0\0", "alice", "Alice", ...halves, "\u{1f600}",
    "x".repeat(2_047), "x".repeat(2_048), "x".repeat(2_049), "x".repeat(1_000_000),
    `${"x".repeat(999_999)}y`, "x".repeat(5_000_000)];
  for (const key of keys) {
    assert.deepEqual(
      [1, 2, 3].map(() => limiter.tryAcquire(key).granted),
      [true, true, false],
      `${key.length} ${key.slice(0, 9)}`,
    );
  }
  assert.deepEqual(limiter.counts(), { active: keys.length, crowded: 0, evicted: 0 });
  assert.equal(limiter.standing("alice").remaining, 0);
  assert.equal(limiter.standing("nobody").remaining, 2);
  assert.ok(limiter.forget("alice"));
  assert.ok(!limiter.forget("alice"));
  assert.ok(limiter.peek("alice", 2).granted);
  limiter.reconfigure(Policy.tokenBucket({ count: 5, per: "1m" }));
  assert.equal(limiter.standing("Alice").remaining, 3);
  for (const key of [undefined, null, 5, 5n, {}, ["a"], Symbol("a"), new String("a")]) {
    thrown(() => limiter.tryAcquire(key), SteadfastTypeError, "key", /a string/);
    thrown(() => limiter.standing(key), SteadfastTypeError, "key");
    thrown(() => limiter.forget(key), SteadfastTypeError, "key");
  }
  assert.ok(limiter.tryAcquire("next").granted);
  limiter.free();
});

test("a flood of keys fills the table and no more", () => {
  const clock = manual();
  const options = { count: 1, per: "1h", clock };
  const outcomes = {};
  for (const whenFull of ["overflow", "deny", "allow", "evict-least-used"]) {
    const limiter = KeyedLimiter.tokenBucket({ ...options, whenFull });
    let granted = 0;
    const reasons = new Set();
    for (let i = 0; i < 20_000; i += 1) {
      const decision = limiter.tryAcquire(`key ${i}`);
      if (decision.granted) granted += 1;
      else reasons.add(decision.reason);
    }
    outcomes[whenFull] = { granted, reasons: [...reasons] };
    assert.ok(limiter.counts().active <= capacity.keys);
    assert.ok(limiter.counts().active > 0.9 * capacity.keys);
    limiter.free();
  }
  const most = capacity.keys + 1;
  assert.ok(outcomes.overflow.granted <= most && outcomes["evict-least-used"].granted <= most);
  assert.ok(outcomes.deny.granted <= capacity.keys);
  assert.deepEqual(outcomes.deny.reasons, ["store_full"]);
  assert.equal(outcomes.allow.granted, 20_000);
  const given = { ...options, whenFull: "drop" };
  thrown(() => KeyedLimiter.tokenBucket(given), SteadfastRangeError, "whenFull", /"deny"/);
  thrown(() => KeyedLimiter.tokenBucket({ ...options, whenFull: 1 }), SteadfastTypeError, "whenFull");
  thrown(() => KeyedLimiter.tokenBucket({ ...options, seed: 1 }), SteadfastTypeError, "seed");
  thrown(() => KeyedLimiter.tokenBucket({ ...options, seed: -1n }), SteadfastRangeError, "seed");
  const wide = 1n << 128n;
  thrown(() => KeyedLimiter.tokenBucket({ ...options, seed: wide }), SteadfastRangeError, "seed");
});

test("one limiter too many is refused, and a freed one makes room", () => {
  const options = { count: 1, per: "1s", clock: manual() };
  for (const [Limiter, most, kind] of [
    [RateLimiter, capacity.limiters, "limiters"],
    [KeyedLimiter, capacity.keyedLimiters, "keyed limiters"],
  ]) {
    const ask = (limiter) => limiter.tryAcquire(...(Limiter === KeyedLimiter ? ["key"] : []));
    const all = Array.from({ length: most }, () => Limiter.tokenBucket(options));
    const error = thrown(() => Limiter.tokenBucket(options), SteadfastRangeError, kind);
    assert.equal(error.value, most + 1);
    const freed = all.pop();
    freed.free();
    freed.free();
    const next = Limiter.tokenBucket(options);
    // The place is another's now, and whoever had it cannot reach it.
    thrown(() => ask(freed), SteadfastStateError, kind.slice(0, -1), /before free/);
    assert.ok(ask(next).granted);
    for (const limiter of [...all, next]) {
      if (limiter !== next) assert.ok(ask(limiter).granted);
      limiter.free();
    }
  }
});

test("headers and bodies are the core's", () => {
  const clock = manual();
  const limiter = RateLimiter.fixedWindow({ count: 2, per: "1m", clock });
  const given = { name: 'the "big" one', unixNow: 1_700_000_000_000 };
  const yes = limiter.tryAcquire();
  assert.deepEqual(limiter.headers(yes, given), {
    "x-ratelimit-limit": "2",
    "x-ratelimit-remaining": "1",
    "x-ratelimit-reset": "1700000060",
    "ratelimit-policy": '"the \\"big\\" one";q=2;w=60',
    ratelimit: '"the \\"big\\" one";r=1;t=60',
  });
  thrown(() => limiter.refusal(yes), SteadfastStateError, "decision", /a no/);
  limiter.tryAcquire();
  clock.now += 500;
  const no = limiter.tryAcquire();
  assert.deepEqual(limiter.refusal(no, { unixNow: 1_700_000_000_000 }), {
    status: 429,
    headers: {
      "x-ratelimit-limit": "2",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": "1700000060",
      "ratelimit-policy": '"default";q=2;w=60',
      ratelimit: '"default";r=0;t=60',
      "retry-after": "60",
      "content-type": "application/json",
    },
    body: '{"error":"rate_limit_exceeded","message":"You have exceeded your quota. Try again in 60 seconds.","retry_after":60}',
  });
  const never = limiter.refusal(limiter.tryAcquire(3), { unixNow: 0 });
  assert.equal(never.status, 422);
  assert.equal(never.headers["retry-after"], undefined);
  assert.deepEqual(JSON.parse(never.body), {
    error: "cost_above_capacity",
    message: "This request costs 3, more than the limit of 2. Trying again will not help.",
    cost: 3,
    capacity: 2,
  });
  const around = Date.now() / 1_000 + 60;
  assert.ok(Math.abs(Number(limiter.headers(no)["x-ratelimit-reset"]) - around) < 5);
  limiter.headers(no, { name: "~".repeat(128) });
  limiter.headers(no, { name: '"'.repeat(128) });
  for (const name of ["", "a\r\nset-cookie: b", "é", "x".repeat(129), "x".repeat(1_000_000)]) {
    thrown(() => limiter.headers(no, { name }), SteadfastRangeError, "name", /printable/);
  }
  thrown(() => limiter.headers(no, { name: 5 }), SteadfastTypeError, "name");
  thrown(() => limiter.headers(no, { unixNow: "now" }), SteadfastTypeError, "unixNow");
  thrown(() => limiter.headers(no, { unixNow: NaN }), SteadfastRangeError, "unixNow");
  thrown(() => limiter.headers(no, null), SteadfastTypeError, "options");
  for (const decision of [undefined, null, {}, { granted: false }, true]) {
    thrown(() => limiter.headers(decision), SteadfastTypeError, "decision");
  }
  const other = RateLimiter.fixedWindow({ count: 2, per: "1m", clock });
  thrown(() => other.headers(no), SteadfastStateError, "decision", /this limiter's/);
  other.free();
  limiter.free();
  thrown(() => limiter.headers(no), SteadfastStateError, "limiter", /before free/);
});

test("a full table answers 503 without the headers of a limit", () => {
  const limiter = KeyedLimiter.tokenBucket({ count: 1, per: "1h", whenFull: "deny", clock: manual() });
  let no;
  for (let i = 0; no === undefined; i += 1) {
    const decision = limiter.tryAcquire(`${i}`);
    if (!decision.granted) no = decision;
  }
  const { status, headers, body } = limiter.refusal(no);
  assert.equal(status, 503);
  assert.deepEqual(headers, { "retry-after": "3600", "content-type": "application/json" });
  assert.equal(JSON.parse(body).error, "store_full");
  limiter.free();
});

test("a key's headers are those of that key", () => {
  const limiter = KeyedLimiter.fixedWindow({ count: 3, per: "1m", clock: manual() });
  limiter.tryAcquire("alice", 3);
  const bob = limiter.tryAcquire("bob");
  assert.equal(limiter.headers(bob)["x-ratelimit-remaining"], "2");
  assert.equal(limiter.refusal(limiter.tryAcquire("alice")).status, 429);
  limiter.free();
});

test("limiters that nobody holds any more make room", async () => {
  // Far more than fit at once; a turn of the event loop lets the collector tell of them.
  for (let i = 0; i < 40; i += 1) {
    for (let each = 0; each < 25; each += 1) RateLimiter.tokenBucket({ count: 1, per: "1s" });
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});
