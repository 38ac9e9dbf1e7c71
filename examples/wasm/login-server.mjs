#!/usr/bin/env node
// A login that allows ten tries in 15 minutes to each address, on node:http alone.
//
//   node login-server.mjs [PORT]      127.0.0.1:3000 unless told otherwise; 0 takes a free port

import { createServer } from "node:http";

import { clientAddress } from "./client-address.mjs";
import init, { KeyedLimiter } from "./js/steadfast.js";

await init();

const logins = KeyedLimiter.fixedWindow({ count: 10, per: "15m" });

/** Middleware as Express has it: `app.post("/login", limitLogins, login)`. */
export function limitLogins(request, response, next) {
  const decision = logins.tryAcquire(clientAddress(request.socket.remoteAddress));
  if (!decision.granted) {
    const { status, headers, body } = logins.refusal(decision, { name: "login" });
    response.writeHead(status, headers).end(body);
    return;
  }
  for (const [name, value] of Object.entries(logins.headers(decision, { name: "login" }))) {
    response.setHeader(name, value);
  }
  next();
}

/** Users of an example. A real one keeps salted hashes. */
const USERS = new Map([
  ["alice", "correct horse"],
  ["bob", "battery staple"],
]);

/** A login is two short strings. */
const LARGEST_BODY = 4 * 1024;

async function login(request, response) {
  let text = "";
  // What is too long is read to its end and thrown away: to leave it unread resets the
  // connection, and the client then sees that instead of the answer.
  for await (const chunk of request.setEncoding("utf8")) {
    if (text.length <= LARGEST_BODY) text += chunk;
  }
  if (text.length > LARGEST_BODY) return answer(response, 413, { error: "too_large" });
  let given;
  try {
    given = JSON.parse(text);
  } catch {
    given = null;
  }
  const { user, password } = given ?? {};
  if (typeof user !== "string" || typeof password !== "string") {
    return answer(response, 400, { error: "bad_request", expected: { user: "...", password: "..." } });
  }
  if (USERS.get(user) !== password) return answer(response, 401, { error: "wrong_credentials" });
  return answer(response, 200, { welcome: user });
}

function answer(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

const server = createServer((request, response) => {
  if (request.url !== "/login") return answer(response, 404, { error: "not_found" });
  if (request.method !== "POST") {
    response.setHeader("allow", "POST");
    return answer(response, 405, { error: "method_not_allowed" });
  }
  return limitLogins(request, response, () => {
    // A client that hangs up before its body has come is the only way to fail.
    login(request, response).catch(() => response.destroy());
  });
});

const given = process.argv[2] ?? "3000";
const port = Number(given);
if (!/^\d+$/.test(given) || port > 65_535) {
  console.error(`port = ${given}, allowed 0..=65535`);
  process.exit(2);
}
server.on("error", (error) => {
  console.error(`cannot listen on port ${port}: ${error.message}`);
  process.exit(1);
});
server.listen(port, "127.0.0.1", () => {
  const address = `http://127.0.0.1:${server.address().port}`;
  console.log(`listening on ${address}; stop it with Ctrl-C. Guess passwords:

  for i in $(seq 11); do
    curl -i ${address}/login -d '{"user":"alice","password":"guess"}'
  done`);
});
