// A world without real time, a server that breaks in it, and a `ResilientFetch` that calls it.

import assert from "node:assert/strict";

import { CallError, ResilientFetch } from "../js/steadfast.js";
import { brokenServer, world } from "./broken-server.mjs";

/** A world, its server and a client; all of it is gone when the test is over. */
export async function stage(context, given = {}) {
  const here = world();
  const server = await brokenServer(here);
  const client = new ResilientFetch({ ...here.options, ...given });
  context.after(() => {
    assert.equal(here.timers, 0, "a timer outlived its call");
    client.free();
    server.close();
  });
  const ask = (path, request, more) => client.fetch(`${server.origin}${path}`, request, more);
  return { here, server, client, ask };
}

export async function thrown(promise, expected) {
  const error = await promise.then(() => assert.fail("nothing was thrown"), (each) => each);
  assert.ok(error instanceof CallError, error.stack);
  const { reason, outcome, attempts } = error;
  assert.deepEqual([outcome, reason, attempts], expected, error.message);
  return error;
}
