// The login server over real sockets, from outside.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";

import { clientAddress } from "../client-address.mjs";

const SERVER = fileURLToPath(new URL("../login-server.mjs", import.meta.url));
const WINDOW = 15 * 60;

let server;
let port;

before(async () => {
  server = spawn(process.execPath, [SERVER, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(server.stdout, "data");
  [, port] = /^listening on http:\/\/127\.0\.0\.1:(\d+);/.exec(said);
});

after(() => server.kill());

async function ask(from, body, { method = "POST", path = "/login", headers = {} } = {}) {
  const options = { host: "127.0.0.1", port, method, path, localAddress: from, headers };
  const asked = request(options);
  asked.end(body);
  const [response] = await once(asked, "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

const guess = JSON.stringify({ user: "alice", password: "guess" });
const right = JSON.stringify({ user: "alice", password: "correct horse" });

test("ten tries pass, the eleventh is refused, whoever it says it is", async () => {
  let first;
  for (let n = 1; n <= 10; n += 1) {
    const began = Date.now() / 1_000;
    const { status, headers, text } = await ask("127.0.0.1", n === 10 ? right : guess);
    const ended = Date.now() / 1_000;
    first ??= [began, ended];
    assert.equal(status, n === 10 ? 200 : 401);
    assert.deepEqual(JSON.parse(text), n === 10 ? { welcome: "alice" } : { error: "wrong_credentials" });
    assert.equal(headers["x-ratelimit-limit"], "10");
    assert.equal(headers["x-ratelimit-remaining"], String(10 - n));
    assert.equal(headers["ratelimit-policy"], '"login";q=10;w=900');
    const [, left, reset] = /^"login";r=(\d+);t=(\d+)$/.exec(headers.ratelimit);
    assert.equal(Number(left), 10 - n);
    // The window began with the first try.
    const until = WINDOW - (began - first[0]);
    assert.ok(Number(reset) <= WINDOW && Number(reset) >= Math.floor(until) - 1, reset);
    assert.equal(headers["retry-after"], undefined);
  }
  const liar = { "x-forwarded-for": "203.0.113.7", forwarded: "for=203.0.113.7" };
  for (const headers of [{}, liar]) {
    const before_ = Date.now() / 1_000;
    const no = await ask("127.0.0.1", right, { headers });
    const wait = Number(no.headers["retry-after"]);
    assert.equal(no.status, 429);
    assert.ok(wait > WINDOW - 60 && wait <= WINDOW, `${wait}`);
    assert.equal(no.headers["content-type"], "application/json");
    assert.equal(no.headers["x-ratelimit-limit"], "10");
    assert.equal(no.headers["x-ratelimit-remaining"], "0");
    assert.equal(no.headers["ratelimit-policy"], '"login";q=10;w=900');
    assert.equal(no.headers.ratelimit, `"login";r=0;t=${wait}`);
    const reset = Number(no.headers["x-ratelimit-reset"]);
    assert.ok(Math.abs(reset - before_ - wait) <= 2, `${reset} ${before_} ${wait}`);
    assert.equal(
      no.text,
      `{"error":"rate_limit_exceeded","message":"You have exceeded your quota. Try again in ${wait} seconds.","retry_after":${wait}}`,
    );
  }
});

test("another address has tries of its own", async () => {
  const { status, headers } = await ask("127.0.0.2", right);
  assert.equal(status, 200);
  assert.equal(headers["x-ratelimit-remaining"], "9");
});

test("what is no login costs a try and does not stop the server", async () => {
  const from = "127.0.0.3";
  assert.equal((await ask(from, undefined, { path: "/" })).status, 404);
  assert.equal((await ask(from, undefined, { method: "GET" })).status, 405);
  for (const body of ["", "null", "[]", "{", '"alice"', '{"user":1,"password":2}']) {
    assert.equal((await ask(from, body)).status, 400, body);
  }
  assert.equal((await ask(from, "x".repeat(100_000))).status, 413);
  const { headers } = await ask(from, right);
  assert.equal(headers["x-ratelimit-remaining"], "2");
});

test("a body that is too long is answered, and the connection goes on", async () => {
  // Over many, since a reset may come before the answer or after it.
  for (let n = 1; n <= 20; n += 1) {
    const from = `127.0.1.${n}`;
    assert.equal((await ask(from, "x".repeat(1_000_000))).status, 413);
    assert.equal((await ask(from, right)).status, 200);
  }
});

test("a client is its IPv4 address or its IPv6 network", () => {
  for (const [address, key] of [
    ["127.0.0.1", "127.0.0.1"],
    ["::ffff:127.0.0.1", "127.0.0.1"],
    ["::FFFF:192.0.2.7", "192.0.2.7"],
    ["::1", "0:0:0:0"],
    ["::", "0:0:0:0"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["2001:db8:0:0:1:2:3:4", "2001:db8:0:0"],
    ["2001:0DB8:00a0::ffff", "2001:db8:a0:0"],
    ["2001:db8:1:2:3::", "2001:db8:1:2"],
    ["1::2:3:4:5:6:7", "1:0:2:3"],
    ["64:ff9b::192.0.2.7", "64:ff9b:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
    [undefined, ""],
  ]) {
    assert.equal(clientAddress(address), key, address);
  }
});
