// What was answered earlier, by a resilient `fetch`: for whom it is kept, and how long it serves.

import assert from "node:assert/strict";
import { test } from "node:test";

import init from "../js/steadfast.js";
import { stage, thrown } from "./stage.mjs";

await init();

test("the last good answer serves until it is too old, and says its age", async (context) => {
  const { ask, here, server } = await stage(context, { retry: null, stale: { maxAge: "60s" } });
  assert.equal((await ask("/ok")).source, "primary");
  server.mend("/ok", ({ request }) => request.socket.destroy());
  here.now += 59_999;
  const stale = await ask("/ok", {}, { or: () => assert.fail("there is an answer") });
  assert.deepEqual([stale.value, stale.source, stale.ageMs], [{ n: 1 }, "stale", 59_999]);
  assert.equal(stale.error.outcome, "transient");
  // Each has a value of its own.
  stale.value.n = 7;
  assert.equal((await ask("/ok")).value.n, 1);
  here.now += 1;
  await thrown(ask("/ok"), ["transient", "attempts_spent", 1]);
  const served = await ask("/ok", {}, { or: (error) => ({ n: -error.attempts }) });
  assert.deepEqual([served.value, served.source], [{ n: -1 }, "default"]);
  // A breaker that is open serves it as well.
  for (let i = 0; i < 5; i += 1) await ask("/ok", {}, { or: () => null });
  const refused = await ask("/ok", {}, { or: () => null });
  assert.deepEqual([refused.attempts, refused.error.reason], [0, "open"]);
});

test("a no that is meant comes through", async (context) => {
  const { ask, server } = await stage(context, { stale: {} });
  await ask("/ok");
  server.mend("/ok", ({ response }) => response.writeHead(404).end());
  await thrown(ask("/ok", {}, { or: () => 5 }), ["ignored", "not_retryable", 1]);
});

test("what is not for everybody is not kept", async (context) => {
  const { ask, server } = await stage(context, { retry: null, stale: {}, breaker: null });
  const alone = { headers: { authorization: "Bearer 1" } };
  await ask("/ok", alone);
  await ask("/secret");
  const post = { method: "POST" };
  await ask("/slow", post);
  server.mend("/slow", ({ request }) => request.socket.destroy());
  await thrown(ask("/slow", post), ["transient", "not_repeatable", 1]);
  for (const path of ["/ok", "/secret"]) server.mend(path, ({ request }) => request.socket.destroy());
  await thrown(ask("/ok", alone), ["transient", "attempts_spent", 1]);
  await thrown(ask("/ok"), ["transient", "attempts_spent", 1]);
  await thrown(ask("/secret"), ["transient", "attempts_spent", 1]);
});

test("an answer that says that it is one user's is kept only under a key of yours", async (context) => {
  const given = { retry: null, stale: {}, breaker: null };
  const ofAll = await stage(context, given);
  const ofOne = await stage(context, { ...given, cacheKey: ({ headers }) => headers.get("x-user") });
  const told = [
    { "cache-control": "max-age=60, Private" },
    { "cache-control": 'private="x-user"' },
    { "set-cookie": "session=7" },
  ];
  for (const headers of told) {
    for (const { ask, server } of [ofAll, ofOne]) {
      server.mend("/own", ({ request, response }) =>
        response.writeHead(200, headers).end(JSON.stringify(request.headers["x-user"])));
      assert.equal((await ask("/own", { headers: { "x-user": "ann" } })).value, "ann");
      server.mend("/own", ({ request }) => request.socket.destroy());
    }
    const bob = { headers: { "x-user": "bob" } };
    await thrown(ofAll.ask("/own", bob), ["transient", "attempts_spent", 1]);
    await thrown(ofOne.ask("/own", bob), ["transient", "attempts_spent", 1]);
    const again = await ofOne.ask("/own", { headers: { "x-user": "ann" } });
    assert.deepEqual([again.value, again.source], ["ann", "stale"]);
  }
});

test("what was kept is not for a request that is answered otherwise", async (context) => {
  const stale = { maxAge: "10m", freshFor: "1m" };
  const { ask, server } = await stage(context, { stale, retry: null, breaker: null });
  const read = async (response) => [response.status, await response.text()];
  const asked = (name, value) => ask("/told", { headers: { [name]: value } }, { read });
  const turn = (status, name, vary) =>
    server.mend("/told", ({ request, response }) => {
      response.writeHead(status, vary === undefined ? {} : { vary });
      response.end(status === 304 ? undefined : request.headers[name]);
    });

  // A part is not the next part, and not the whole.
  turn(206, "range");
  assert.deepEqual((await asked("range", "items=0-9")).value, [206, "items=0-9"]);
  assert.deepEqual((await asked("range", "items=10-19")).value, [206, "items=10-19"]);
  // "Not modified" says nothing to who has nothing.
  for (const name of ["if-none-match", "if-modified-since", "if-match", "if-unmodified-since"]) {
    turn(304, name);
    assert.deepEqual((await asked(name, '"7"')).value, [304, ""]);
    server.mend("/told", ({ response }) => response.writeHead(500).end());
    assert.equal((await ask("/told", {}, { or: () => "nothing kept" })).value, "nothing kept", name);
  }

  // What the answer says that it hangs on.
  turn(200, "accept-language", "Accept-Encoding, Accept-Language");
  const [german, english] = ["de", "en"].map((tongue) => () => asked("accept-language", tongue));
  assert.deepEqual((await german()).value, [200, "de"]);
  assert.equal((await german()).source, "cached");
  const { value, source } = await english();
  assert.deepEqual([value, source], [[200, "en"], "primary"]);
  server.mend("/told", ({ response }) => response.writeHead(500).end());
  await thrown(german(), ["transient", "attempts_spent", 1]);
  for (const vary of ["*", "accept, *", "accept language", "\u00e4"]) {
    turn(200, "accept-language", vary);
    for (let i = 0; i < 2; i += 1) assert.equal((await german()).source, "primary", vary);
  }
});

test("an answer that is fresh is taken instead of asking", async (context) => {
  const stale = { maxAge: "60s", freshFor: "10s" };
  const { ask, here, server } = await stage(context, { stale });
  await ask("/ok");
  here.now += 9_999;
  const { value, source, ageMs, attempts } = await ask("/ok");
  assert.deepEqual([value.n, source, ageMs, attempts], [1, "cached", 9_999, 0]);
  here.now += 1;
  assert.equal((await ask("/ok")).value.n, 2);
  assert.equal(server.of("/ok"), 2);
});
