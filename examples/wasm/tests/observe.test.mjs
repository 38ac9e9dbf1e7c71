// What an observer of `ResilientFetch` is told, and what is done to a breaker by hand.

import assert from "node:assert/strict";
import { test } from "node:test";

import init, { CallError, ResilientFetch, SteadfastStateError } from "../js/steadfast.js";
import { stage, thrown } from "./stage.mjs";

await init();

test("an observer sees what happened", async (context) => {
  const events = [];
  const observe = ({ target, ...event }) => events.push(event);
  const given = { observe, retry: { attempts: 2 }, breaker: { failures: 1, closeAfter: 1 } };
  const { ask, here } = await stage(context, given);
  await ask("/fail", {}, { or: () => 0 });
  await assert.rejects(ask("/ok"), CallError);
  here.now += 30_000;
  await ask("/ok");
  const attempt = { type: "attempt", attempt: 1, maxAttempts: 2, delayMs: null, error: null };
  const failed = { ...attempt, outcome: "transient", status: 500 };
  assert.deepEqual(events, [
    { ...failed, delayMs: 100, reason: null },
    { ...failed, attempt: 2, reason: "attempts_spent" },
    { type: "breaker", from: "closed", to: "open", cause: "failures" },
    { type: "served", source: "default", ageMs: 0 },
    { type: "rejected", reason: "open", retryAfterMs: 30_000 },
    { type: "breaker", from: "open", to: "half_open", cause: "open_time_over" },
    { ...attempt, outcome: "success", status: 200, reason: "succeeded" },
    { type: "breaker", from: "half_open", to: "closed", cause: "recovered" },
    { type: "served", source: "primary", ageMs: 0 },
  ]);
});

test("an observer sees the error of each attempt, and how many there may be", async (context) => {
  const events = [];
  const observe = (event) => events.push(event);
  const { ask } = await stage(context, { observe, breaker: null, retry: { attempts: 3 } });
  const seen = async (path, more) => {
    events.length = 0;
    const error = await ask(path, {}, more).then(() => null, (each) => each);
    const attempts = events.filter(({ type }) => type === "attempt");
    for (const { maxAttempts } of attempts) assert.equal(maxAttempts, 3);
    return { error, attempts };
  };
  const reset = await seen("/reset");
  assert.equal(reset.attempts.length, 3);
  for (const { error, status } of reset.attempts) {
    assert.ok(error instanceof TypeError, `${error}`);
    assert.equal(status, null);
  }
  assert.equal(reset.attempts[2].error, reset.error.cause);
  const hung = await seen("/hang-once");
  assert.deepEqual(hung.attempts.map(({ error, status }) => [error?.name, status]), [
    ["TimeoutError", null],
    [undefined, 200],
  ]);
  // An answer that broke off in its body has not come whole.
  const half = await seen("/half-once");
  assert.ok(half.attempts[0].error instanceof Error);
  assert.deepEqual(half.attempts.map(({ status }) => status), [null, 200]);
  // One that came whole, and that nobody can read.
  const garbage = await seen("/garbage");
  assert.equal(garbage.attempts.length, 1);
  assert.ok(garbage.attempts[0].error instanceof SyntaxError);
  assert.equal(garbage.attempts[0].status, 200);
  const missing = await seen("/missing");
  assert.deepEqual([missing.attempts[0].error, missing.attempts[0].status], [null, 404]);
  const once = new ResilientFetch({ observe, retry: null, fetch: () => Promise.reject(events) });
  context.after(() => once.free());
  events.length = 0;
  await assert.rejects(once.fetch("http://127.0.0.1:9/"), CallError);
  const [{ maxAttempts, error }] = events;
  assert.deepEqual([maxAttempts, error === events], [1, true]);
});

test("an observer that makes the caller leave prevents the attempt", async (context) => {
  const leaving = new AbortController();
  const observe = ({ type, to }) => {
    if (type === "breaker" && to === "half_open") leaving.abort(new Error("left"));
  };
  const breaker = { failures: 1, openFor: "1s" };
  const { ask, here, server, client } = await stage(context, { breaker, retry: null, observe });
  await thrown(ask("/fail"), ["transient", "attempts_spent", 1]);
  here.now += 1_000;
  await assert.rejects(ask("/ok", { signal: leaving.signal }), { message: "left" });
  assert.equal(server.of("/ok"), 0);
  // And it has given its probe back.
  assert.equal((await ask("/ok")).source, "primary");
  assert.equal(client.standing(server.origin).counted, 1);
});

test("a breaker is held and reset by hand, and the observer is told", async (context) => {
  const events = [];
  const observe = (event) => events.push(event);
  const { ask, server, client } = await stage(context, { observe });
  const { origin: target } = server;
  const by = { cause: "by_hand" };
  const opened = { from: "closed", to: "forced_open", ...by };
  assert.deepEqual(client.forceOpen(target), opened);
  assert.equal(client.forceOpen(target), null);
  assert.deepEqual(events, [{ type: "breaker", target, ...opened }]);
  const rejected = await thrown(ask("/ok"), ["rejected", "forced_open", 0]);
  assert.equal(rejected.retryAfterMs, null);
  assert.equal((await ask("/ok", {}, { or: () => 5 })).source, "default");
  assert.equal(server.asked.length, 0);
  events.length = 0;
  const closed = { from: "forced_open", to: "forced_closed", ...by };
  assert.deepEqual(client.forceClosed(target), closed);
  // Ten that fail do not open it.
  for (let i = 0; i < 10; i += 1) await assert.rejects(ask("/missing"), CallError);
  for (let i = 0; i < 10; i += 1) await assert.rejects(ask("/garbage"), CallError);
  assert.equal(client.standing(target).phase, "forced_closed");
  const reset = { from: "forced_closed", to: "closed", ...by };
  assert.deepEqual(client.reset(target), reset);
  const told = events.filter(({ type }) => type === "breaker");
  assert.deepEqual(told, [closed, reset].map((change) => ({ type: "breaker", target, ...change })));
  assert.equal(client.standing(target).counted, 0);

  assert.throws(() => client.forceOpen(5), { name: "SteadfastTypeError", field: "target" });
  assert.throws(() => client.reset(new URL(target)), { name: "SteadfastTypeError", field: "target" });
  const bare = new ResilientFetch({ breaker: null });
  context.after(() => bare.free());
  for (const verb of ["reset", "forceOpen", "forceClosed"]) {
    assert.throws(() => bare[verb](target), (error) => {
      assert.ok(error instanceof SteadfastStateError, error.stack);
      assert.equal(error.field, "breaker");
      return true;
    });
  }
});

test("a breaker that has opened is reset by hand, and what was under way changes nothing", async (context) => {
  const { ask, server, client } = await stage(context, { retry: null, breaker: { failures: 1 } });
  let arrived;
  const there = new Promise((resolve) => (arrived = resolve));
  server.mend("/hang-for-ever", arrived);
  const late = ask("/hang-for-ever");
  const { response } = await there;
  await thrown(ask("/fail"), ["transient", "attempts_spent", 1]);
  await thrown(ask("/ok"), ["rejected", "open", 0]);
  assert.equal(client.reset(server.origin).to, "closed");
  response.writeHead(500).end();
  await thrown(late, ["transient", "attempts_spent", 1]);
  assert.equal(client.standing(server.origin).phase, "closed");
  assert.equal((await ask("/ok")).source, "primary");
});
