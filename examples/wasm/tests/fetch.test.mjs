// `fetch` against a real server that breaks in every way, in a world without real time.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import init, {
  Breakers,
  CallError,
  capacity,
  ResilientFetch,
  RetryPolicy,
  SteadfastRangeError,
  SteadfastTypeError,
} from "../js/steadfast.js";
import { brokenServer, world } from "./broken-server.mjs";
import { stage, thrown } from "./stage.mjs";

await init();

test("an answer is an answer", async (context) => {
  const { ask, server, here } = await stage(context);
  assert.deepEqual(await ask("/ok"), {
    value: { n: 1 },
    source: "primary",
    ageMs: 0,
    attempts: 1,
    error: null,
  });
  const status = await ask("/nothing", {}, { read: (response) => response.status });
  assert.equal(status.value, 204);
  assert.equal((await ask("/slow")).value.slow, true);
  assert.deepEqual([server.asked.length, here.waits], [3, []]);
});

test("what breaks once is asked again, after the policy's delay", async (context) => {
  const { ask, here } = await stage(context);
  for (const path of ["/flaky", "/half-once", "/hang-once"]) {
    here.waits.length = 0;
    const { value, attempts } = await ask(path);
    assert.deepEqual([value.n, attempts], [2, 2], path);
    // Half of 200 ms, and one that a timer may be early.
    assert.deepEqual(here.waits, [101], path);
  }
});

test("a retry is never earlier than the server asks for", async (context) => {
  const { ask, here, server, client } = await stage(context);
  assert.equal((await ask("/limited")).attempts, 2);
  assert.equal((await ask("/limited-until")).attempts, 2);
  assert.deepEqual(here.waits, [2_001, 7_001]);
  const error = await thrown(ask("/limited-long"), ["throttled", "server_delay_too_long", 1]);
  // Nobody is told to wait for longer than the policy believes.
  assert.equal(error.retryAfterMs, null);
  assert.equal(error.response.status, 429);
  // Whoever asks for fewer calls is well.
  assert.equal(client.standing(server.origin).counted, 0);
});

test("an attempt that hangs is cut, and the whole ends by its deadline", async (context) => {
  const { ask, here, server } = await stage(context, { within: "12s" });
  for (const path of ["/hang", "/hang-in-body"]) {
    const began = here.now;
    const error = await thrown(ask(path), ["timed_out", "deadline_too_near", 3]);
    assert.equal(error.cause.name, "TimeoutError");
    assert.equal(here.now - began, 12_000, path);
    assert.equal(server.of(path), 3);
  }
});

test("all attempts are made, and the last error is told", async (context) => {
  const { ask, server } = await stage(context, { retry: { attempts: 3 } });
  const error = await thrown(ask("/fail?key=secret"), ["transient", "attempts_spent", 3]);
  assert.deepEqual(await error.response.json(), { error: "broken" });
  const told = /^GET http:.*\/fail: transient \(status 500\), attempts_spent after 3 attempts$/;
  assert.match(error.message, told);
  const reset = await thrown(ask("/reset"), ["transient", "attempts_spent", 3]);
  assert.ok(reset.cause instanceof Error);
  assert.deepEqual([server.of("/fail"), server.of("/reset")], [3, 3]);
});

test("what would not help is not repeated", async (context) => {
  const { ask, server } = await stage(context);
  const post = { method: "POST", body: "1" };
  const keyed = { ...post, headers: { "idempotency-key": "7" } };
  const missing = await thrown(ask("/missing"), ["ignored", "not_retryable", 1]);
  assert.deepEqual(await missing.response.json(), { error: "no such order" });
  await thrown(ask("/garbage"), ["failure", "not_retryable", 1]);
  await thrown(ask("/retried"), ["exhausted", "retried_below", 1]);
  await thrown(ask("/fail", post), ["transient", "not_repeatable", 1]);
  assert.equal((await ask("/flaky", keyed)).attempts, 2);
  assert.equal(server.asked.length, 6);
  await thrown(ask("/fail", {}, { repeatable: false }), ["transient", "not_repeatable", 1]);
});

test("a status that is none is a failure, and is not asked for again", async (context) => {
  const { ask, server } = await stage(context);
  for (const status of [600, 999]) {
    server.mend("/odd", ({ response }) => response.writeHead(status).end("no"));
    const error = await thrown(ask("/odd"), ["failure", "not_retryable", 1]);
    assert.deepEqual([error.response.status, await error.response.text()], [status, "no"]);
  }
});

test("a probe that is not asked again says why", async (context) => {
  const breaker = { failures: 1, openFor: "1s" };
  const { ask, here, client, server } = await stage(context, { breaker, retry: { attempts: 1 } });
  const probed = async (path, request, more) => {
    await thrown(ask("/fail"), ["transient", "attempts_spent", 1]);
    here.now += 1_000;
    const { outcome, reason } = await ask(path, request, more).catch((error) => error);
    client.reset(server.origin);
    return [outcome, reason];
  };
  assert.deepEqual(await probed("/fail"), ["transient", "probe"]);
  // These would not be asked again if they were no probes either.
  assert.deepEqual(await probed("/garbage"), ["failure", "not_retryable"]);
  assert.deepEqual(await probed("/missing"), ["ignored", "not_retryable"]);
  for (const path of ["/fail", "/garbage"]) {
    assert.equal((await probed(path, { method: "POST" }))[1], "not_repeatable", path);
  }
});

test("a breaker opens, refuses without asking, and closes when its probes work", async (context) => {
  const breaker = { failures: 2, openFor: "30s", closeAfter: 2 };
  const { ask, here, server, client } = await stage(context, { retry: null, breaker });
  const other = await brokenServer(here);
  context.after(() => other.close());
  const phase = () => client.standing(server.origin).phase;

  await thrown(ask("/fail"), ["transient", "attempts_spent", 1]);
  await thrown(ask("/missing"), ["ignored", "not_retryable", 1]);
  await thrown(ask("/reset"), ["transient", "attempts_spent", 1]);
  assert.equal(phase(), "open");
  here.now += 29_999;
  const asked = server.asked.length;
  const rejected = await thrown(ask("/ok"), ["rejected", "open", 0]);
  assert.equal(rejected.retryAfterMs, 1);
  assert.equal(server.asked.length, asked);
  // Another server's breaker is another.
  assert.equal((await client.fetch(`${other.origin}/ok`)).source, "primary");

  here.now += 1;
  assert.equal(phase(), "half_open");
  await thrown(ask("/fail"), ["transient", "probe", 1]);
  assert.equal(phase(), "open");
  here.now += 30_000;
  // One probe is out, in the hands of a server that does not answer: the next call is refused.
  let arrived;
  const here_ = new Promise((resolve) => (arrived = resolve));
  server.mend("/hang-for-ever", arrived);
  const leaving = new AbortController();
  const probe = ask("/hang-for-ever", { signal: leaving.signal });
  const { response } = await here_;
  await thrown(ask("/ok"), ["rejected", "half_open", 0]);
  // Who leaves frees the probe, and what comes back later means nothing.
  leaving.abort();
  await assert.rejects(probe, { name: "AbortError" });
  response.writeHead(500).end();
  assert.equal(phase(), "half_open");
  for (const expected of ["half_open", "closed"]) {
    assert.equal((await ask("/ok")).source, "primary");
    assert.equal(phase(), expected);
  }
});

test("a probe is one attempt", async (context) => {
  const given = { retry: { attempts: 3 }, breaker: { failures: 1, openFor: "1s" } };
  const { ask, here, server } = await stage(context, given);
  await thrown(ask("/fail"), ["transient", "attempts_spent", 3]);
  here.now += 1_000;
  await thrown(ask("/fail"), ["transient", "probe", 1]);
  assert.equal(server.of("/fail"), 4);
  here.now += 1_000;
  assert.equal((await ask("/ok")).attempts, 1);
});

test("a wait that ends after the deadline is the end, and the breaker hears why", async (context) => {
  const { ask, here, server, client } = await stage(context, { within: "8s" });
  here.waiting = (over) => {
    here.now += 10_000;
    over();
  };
  const error = await thrown(ask("/fail"), ["timed_out", "deadline_exceeded", 1]);
  assert.equal(error.response.status, 500);
  assert.deepEqual([server.of("/fail"), client.standing(server.origin).counted], [1, 1]);
  await thrown(ask("/limited"), ["timed_out", "deadline_exceeded", 1]);
  assert.equal(client.standing(server.origin).counted, 1);
});

test("a result from before the breaker opened does not close it", async (context) => {
  const breaker = { failures: 1 };
  const { ask, server, client } = await stage(context, { retry: null, breaker });
  let arrived;
  const there = new Promise((resolve) => (arrived = resolve));
  server.mend("/hang-for-ever", arrived);
  const late = ask("/hang-for-ever");
  const { response } = await there;
  await thrown(ask("/fail"), ["transient", "attempts_spent", 1]);
  response.writeHead(200).end("{}");
  assert.equal((await late).source, "primary");
  assert.equal(client.standing(server.origin).phase, "open");
});

test("who leaves hears of it at once, wherever the call is", { timeout: 30_000 }, async (context) => {
  const { ask, here, server, client } = await stage(context, { breaker: { failures: 1 } });
  const reason = new Error("closed the tab");
  // In an attempt.
  let leaving = new AbortController();
  const hungUp = new Promise((resolve) => {
    server.mend("/hang-for-ever", ({ response }) => {
      response.once("close", resolve);
      leaving.abort(reason);
    });
  });
  await assert.rejects(ask("/hang-for-ever", { signal: leaving.signal }), reason);
  // The server hears of it as well.
  await hungUp;
  // In a wait.
  leaving = new AbortController();
  here.waiting = () => leaving.abort(reason);
  await assert.rejects(ask("/fail", { signal: leaving.signal }), reason);
  here.waiting = undefined;
  assert.equal(server.of("/fail"), 1);
  // Before it began.
  await assert.rejects(ask("/ok", { signal: leaving.signal }), reason);
  assert.equal(server.of("/ok"), 0);
  assert.equal(client.standing(server.origin).phase, "closed");
});

test("all calls together retry no more than their budget", async (context) => {
  const retry = { budget: 20 };
  const { ask, server, client } = await stage(context, { retry, breaker: null });
  for (let i = 0; i < 20; i += 1) await assert.rejects(ask("/fail"), CallError);
  // Five tokens a retry.
  assert.equal(server.of("/fail"), 20 + 4);
  assert.equal(client.budgetLeft(), 0);
  await thrown(ask("/fail"), ["transient", "budget_spent", 1]);
});

test("a fetch and a reader that do not listen are cut as well", async (context) => {
  const deaf = world();
  const client = new ResilientFetch({ ...deaf.options, retry: null });
  context.after(() => client.free());
  const hang = () => {
    queueMicrotask(() => setImmediate(deaf.expire));
    return new Promise(() => {});
  };
  const deafFetch = new ResilientFetch({
    ...deaf.options,
    retry: null,
    fetch: (...request) => {
      deaf.fetch("data:,").catch(() => {});
      return hang(request);
    },
  });
  context.after(() => deafFetch.free());
  await thrown(deafFetch.fetch("http://127.0.0.1:9/"), ["timed_out", "attempts_spent", 1]);
  const server = await brokenServer(deaf);
  context.after(() => server.close());
  const reading = client.fetch(`${server.origin}/ok`, {}, { read: hang });
  await thrown(reading, ["timed_out", "attempts_spent", 1]);
});

test("with real timers a server that hangs costs what was given", { timeout: 30_000 }, async (context) => {
  const server = await brokenServer(world());
  context.after(() => server.close());
  const hungUp = [];
  server.mend("/hang-for-ever", ({ response }) => hungUp.push(once(response, "close")));
  const client = new ResilientFetch({ attemptTimeout: 40, within: 150, retry: { base: 10 } });
  context.after(() => client.free());
  const began = performance.now();
  const error = await client.fetch(`${server.origin}/hang-for-ever`).catch((each) => each);
  const took = performance.now() - began;
  assert.equal(error.outcome, "timed_out", error.stack);
  assert.ok(error.attempts >= 2, `${error.attempts}`);
  assert.ok(took >= 75 && took < 20_000, `${took}`);
  // The server hears of each that was cut.
  assert.ok(hungUp.length >= 2, `${hungUp.length}`);
  await Promise.all(hungUp);
});

test("whatever the server does, deadlines hold and every place is given back", async (context) => {
  const breaker = { failures: 4, openFor: "1s", closeAfter: 2 };
  const retry = { attempts: 5, budget: null };
  const given = { breaker, retry, within: "8s", attemptTimeout: "2s", stale: { maxAge: "5s" } };
  const { ask, here, server } = await stage(context, given);
  let seed = 7;
  const dice = (sides) => {
    // The "minimal standard" of Park and Miller.
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % sides;
  };
  const turns = ["/ok", "/fail", "/slow", "/hang", "/reset", "/garbage", "/missing", "/limited-long"];
  const sources = new Set();
  for (let i = 0; i < 400; i += 1) {
    const path = turns[dice(turns.length)];
    const began = here.now;
    const leaving = new AbortController();
    if (dice(10) === 0) setImmediate(() => leaving.abort(new Error("left")));
    try {
      const served = await ask(`${path}?${i}`, { signal: leaving.signal }, dice(2) ? { or: () => 0 } : {});
      sources.add(served.source);
    } catch (error) {
      sources.add(error instanceof CallError ? error.outcome : error.message);
    }
    // A server that is slow moves the clock itself.
    assert.ok(here.now - began <= 8_000 + 3_000, `${path} ${here.now - began}`);
    const asked = server.asked.filter(({ url }) => url === `${path}?${i}`);
    assert.ok(asked.length <= 5, `${path} ${asked.length}`);
    for (const { at } of asked) assert.ok(at - began < 8_000 || path === "/slow", `${path} ${at}`);
    here.now += dice(700);
  }
  const seen = ["primary", "default", "ignored", "transient", "timed_out", "rejected", "left", "failure"];
  for (const each of seen) assert.ok(sources.has(each), `${each} of ${[...sources]}`);

  const policy = new RetryPolicy();
  const calls = Array.from({ length: capacity.calls }, () => policy.start());
  assert.throws(() => policy.start(), { name: "SteadfastRangeError", field: "calls" });
  for (const call of calls) call.end();
  policy.free();
  const breakers = new Breakers();
  const permits = Array.from({ length: capacity.calls }, () => breakers.tryEnter("one"));
  assert.throws(() => breakers.tryEnter("one"), { name: "SteadfastRangeError", field: "calls" });
  for (const permit of permits) permit.cancel();
  breakers.free();
});

test("a call for which there is no place has what is behind it", async (context) => {
  const { ask, server, client } = await stage(context, { stale: {} });
  const alone = await stage(context, { breaker: null });
  await ask("/ok");
  const policy = new RetryPolicy();
  const breakers = new Breakers();
  const fill = {
    sessions: () => Array.from({ length: capacity.calls }, () => policy.start()),
    permits: () => Array.from({ length: capacity.calls }, () => breakers.tryEnter("one")),
  };
  for (const [what, empty] of [["sessions", "end"], ["permits", "cancel"]]) {
    const held = fill[what]();
    const error = await thrown(ask("/slow"), ["rejected", "too_many_calls", 0]);
    assert.match(error.message, /calls = 1025, allowed 0..=1024 at once/);
    assert.equal((await ask("/ok")).source, "stale");
    assert.equal((await ask("/slow", {}, { or: () => 5 })).value, 5);
    // Nobody has failed.
    assert.equal(client.standing(server.origin).counted, 0);
    if (what === "sessions") await thrown(alone.ask("/ok"), ["rejected", "too_many_calls", 0]);
    for (const each of held) each[empty]();
    assert.equal((await ask("/ok")).source, "primary");
  }
  policy.free();
  breakers.free();
});

test("what is wrong with a request or an option is said before anything is counted", async (context) => {
  const { client, server } = await stage(context);
  await assert.rejects(client.fetch("no url"), TypeError);
  await assert.rejects(client.fetch(server.origin, { headers: { "a b": "c" } }), TypeError);
  await assert.rejects(client.fetch(server.origin, {}, { reed: 1 }), SteadfastTypeError);
  await assert.rejects(client.fetch(server.origin, {}, { read: 1 }), SteadfastTypeError);
  // What is not quite a no would be a payment that is sent four times.
  for (const repeatable of [0, "", "no", null, NaN]) {
    const paying = client.fetch(`${server.origin}/fail`, { method: "POST" }, { repeatable });
    await assert.rejects(paying, { name: "SteadfastTypeError", field: "repeatable" });
  }
  assert.equal(server.asked.length, 0);
  for (const [given, field, kind] of [
    [{ within: 0 }, "within", SteadfastRangeError],
    [{ within: "8 s" }, "within", SteadfastRangeError],
    [{ attemptTimeout: {} }, "attemptTimeout", SteadfastTypeError],
    [{ retries: {} }, "options.retries", SteadfastTypeError],
    [{ retry: { attempt: 3 } }, "retry.attempt", SteadfastTypeError],
    [{ retry: { attempts: 0 } }, "attempts", SteadfastRangeError],
    [{ retry: { base: "1m" } }, "cap", SteadfastRangeError],
    [{ breaker: 3 }, "breaker", SteadfastTypeError],
    [{ breaker: { failures: 0 } }, "failures", SteadfastRangeError],
    [{ stale: { maxAge: 5, freshFor: 6 } }, "fresh_for", SteadfastRangeError],
    [{ observe: 1 }, "observe", SteadfastTypeError],
    [{ idempotencyKey: "one for all" }, "idempotencyKey", SteadfastTypeError],
    [{ idempotencyKey: 1 }, "idempotencyKey", SteadfastTypeError],
  ]) {
    // More often than there are places: a constructor that throws keeps none.
    for (let i = 0; i < 40; i += 1) {
      assert.throws(() => new ResilientFetch(given), (error) => {
        assert.ok(error instanceof kind, error.stack);
        assert.equal(error.field, field);
        return true;
      });
    }
  }
});
