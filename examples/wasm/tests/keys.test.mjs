// Calls that may be repeated since they carry an idempotency key.

import assert from "node:assert/strict";
import { test } from "node:test";

import init, { SteadfastRangeError, SteadfastTypeError } from "../js/steadfast.js";
import { stage, thrown } from "./stage.mjs";

await init();

/** The keys that a path of a server was asked with. */
const keys = (server, path) => server.asked.filter((each) => each.path === path).map(({ key }) => key);

const UUID = /^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$/;

test("a POST with a key of its own may be repeated, and all its attempts have the same", async (context) => {
  const { ask, server } = await stage(context, { idempotencyKey: true, breaker: null });
  const post = { method: "POST", body: "1" };
  await thrown(ask("/fail", post), ["transient", "attempts_spent", 4]);
  await thrown(ask("/fail", { ...post, method: "PATCH" }), ["transient", "attempts_spent", 4]);
  const [first, , , , second, ...others] = keys(server, "/fail");
  for (const key of [first, second]) assert.match(key, UUID);
  assert.deepEqual(keys(server, "/fail"), [...Array(4).fill(first), ...Array(4).fill(second)]);
  assert.equal(others.length, 3);
  assert.notEqual(first, second);
  // Those that may be repeated as they are have none.
  for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]) {
    await ask("/nothing", { method }, { read: () => null });
  }
  assert.deepEqual(keys(server, "/nothing"), Array(5).fill(undefined));
});

test("a key that the caller has set stays", async (context) => {
  const asked = [];
  const idempotencyKey = ({ method, url }) => asked.push([method, url]);
  const { ask, server, client } = await stage(context, { idempotencyKey, breaker: null });
  const headers = { "Idempotency-Key": "mine" };
  assert.equal((await ask("/flaky", { method: "POST", headers })).attempts, 2);
  const request = new Request(`${server.origin}/flaky`, { method: "POST", headers });
  assert.equal((await client.fetch(request, {}, { idempotencyKey: "other" })).attempts, 2);
  assert.deepEqual(keys(server, "/flaky"), Array(4).fill("mine"));
  assert.deepEqual(asked, []);
});

test("a key comes from the call, a function or chance, and is written as a string in quotes", async (context) => {
  const { ask, server, client } = await stage(context, {
    breaker: null,
    idempotencyKey: ({ method, url }) => (url.endsWith("?none") ? null : `${method} ${new URL(url).search}`),
  });
  const post = { method: "POST" };
  const wanted = async (path, idempotencyKey, expected) => {
    const before = server.asked.length;
    const more = idempotencyKey === undefined ? {} : { idempotencyKey };
    const { attempts } = await ask(path, post, more).catch((error) => error);
    const seen = server.asked.slice(before).map(({ key }) => key);
    assert.deepEqual(seen, Array(attempts).fill(expected), path);
    return attempts;
  };
  assert.equal(await wanted("/flaky?7", undefined, '"POST ?7"'), 2);
  assert.equal(await wanted("/flaky", "order 7", '"order 7"'), 2);
  assert.equal(await wanted("/flaky", () => 'say "\\"', '"say \\"\\\\\\""'), 2);
  assert.equal(await wanted("/flaky", "x".repeat(1_024), `"${"x".repeat(1_024)}"`), 2);
  // Without a key it is one attempt.
  assert.equal(await wanted("/fail?none", undefined, undefined), 1);
  assert.equal(await wanted("/fail", false, undefined), 1);
  assert.equal(await wanted("/fail", () => null, undefined), 1);
  await ask("/ok", post, { idempotencyKey: true });
  assert.match(keys(server, "/ok")[0], UUID);
  // Whoever says that it may not be repeated is believed, though it has one.
  const once = { idempotencyKey: "7", repeatable: false };
  await thrown(ask("/fail", post, once), ["transient", "not_repeatable", 1]);
  // The caller's own request is not changed.
  const request = new Request(`${server.origin}/ok`, post);
  await client.fetch(request, {}, { idempotencyKey: "7" });
  assert.equal(keys(server, "/ok").at(-1), '"7"');
  assert.equal(request.headers.has("idempotency-key"), false);

  const before = server.asked.length;
  for (const [idempotencyKey, kind] of [
    ["", SteadfastRangeError],
    ["é", SteadfastRangeError],
    ["a\n", SteadfastRangeError],
    ["x".repeat(1_025), SteadfastRangeError],
    [7, SteadfastTypeError],
    [null, SteadfastTypeError],
    [() => undefined, SteadfastTypeError],
    [async () => "7", SteadfastTypeError],
  ]) {
    await assert.rejects(ask("/ok", post, { idempotencyKey }), (error) => {
      assert.ok(error instanceof kind, error.stack);
      assert.equal(error.field, "idempotencyKey");
      return true;
    });
  }
  assert.equal(server.asked.length, before);
});

test("a page without https has no randomUUID, and keys all the same", async (context) => {
  const { ask, server } = await stage(context, { idempotencyKey: true });
  context.after(() => delete crypto.randomUUID);
  Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
  for (let i = 0; i < 2; i += 1) await ask("/ok", { method: "POST" });
  const [one, other] = keys(server, "/ok");
  for (const key of [one, other]) assert.match(key, /^"[0-9a-f]{32}"$/);
  assert.notEqual(one, other);
});
