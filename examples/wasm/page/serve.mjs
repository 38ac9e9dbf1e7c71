#!/usr/bin/env node
// Serves the page on this machine.
//
//   node page/serve.mjs [PORT]      127.0.0.1:8080 unless told otherwise; 0 takes a free port

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " +
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
};

const server = createServer(async (request, response) => {
  const answer = (status, type, body) =>
    response.writeHead(status, { ...HEADERS, "content-type": type }).end(body);
  const [path] = request.url.split("?");
  if (path === "/") {
    response.writeHead(302, { location: "/page/" }).end();
    return;
  }
  // One folder, one file: no way out of the two that are served.
  const asked = path === "/page/" ? "/page/index.html" : path;
  const found = /^\/(?:page|js)\/[a-z-]+\.(?:css|html|js|mjs|wasm)$/.test(asked);
  try {
    if (!found) throw new Error("not a file of the page");
    const body = await readFile(new URL(`..${asked}`, import.meta.url));
    answer(200, TYPES[extname(asked)], body);
  } catch {
    answer(404, "text/plain; charset=utf-8", `${path.slice(0, 80)} is not here.\n`);
  }
});

const given = process.argv[2] ?? "8080";
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
  console.log(`listening on http://127.0.0.1:${server.address().port}/page/; stop it with Ctrl-C`);
});
