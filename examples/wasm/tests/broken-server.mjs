// An HTTP server that breaks in every way, each on a path of its own, and a world without real time:
// waits between attempts pass at once, and an attempt that hangs is cut when the server says so.

import { once } from "node:events";
import { createServer } from "node:http";

/** A clock, timers, and a `fetch` that tells the timers of attempts from those of waits. */
export function world(now = 1_000) {
  const timers = new Set();
  let newest;
  const run = (timer) => {
    if (!timers.delete(timer)) return;
    made.now += timer.ms;
    timer.act();
  };
  const made = {
    now,
    unix: 1_700_000_000_000,
    waits: [],
    clock: () => made.now,
    unixClock: () => made.unix,
    /** Half of what chance may add. */
    random: () => 2 ** 31,
    timer(ms, act) {
      const timer = { ms, act, ofAttempt: false };
      timers.add(timer);
      newest = timer;
      // The timer of an attempt is set just before it begins.
      queueMicrotask(() => {
        if (timer.ofAttempt || !timers.has(timer)) return;
        made.waits.push(ms);
        if (made.waiting === undefined) run(timer);
        else made.waiting(() => run(timer));
      });
      return () => timers.delete(timer);
    },
    fetch(...request) {
      if (newest !== undefined) newest.ofAttempt = true;
      return fetch(...request);
    },
    /** The attempts under way have taken as long as they may. */
    expire: () => [...timers].filter((timer) => timer.ofAttempt).forEach(run),
    /** How many timers are set. */
    get timers() {
      return timers.size;
    },
    /** What a ResilientFetch needs of it. */
    get options() {
      const { clock, unixClock, random, timer } = made;
      return { clock, unixClock, random, timer, fetch: made.fetch };
    },
  };
  return made;
}

const json = (response, status, body, headers = {}) =>
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));

/** Each path's turn; `n` is which request to it this is, from 1. */
const PATHS = {
  "/ok": ({ response, n }) => json(response, 200, { n }),
  "/fail": ({ response }) => json(response, 500, { error: "broken" }),
  "/missing": ({ response }) => json(response, 404, { error: "no such order" }),
  "/flaky": ({ response, n }) => (n % 2 === 1 ? json(response, 503, {}) : json(response, 200, { n })),
  "/slow": ({ response, world }) => {
    world.now += 3_000;
    json(response, 200, { slow: true });
  },
  "/hang": ({ world }) => world.expire(),
  "/hang-once": ({ response, n, world }) => (n === 1 ? world.expire() : json(response, 200, { n })),
  "/hang-for-ever": () => {},
  "/reset": ({ request }) => request.socket.destroy(),
  "/half-once": ({ response, n }) => {
    if (n > 1) return json(response, 200, { n });
    response.writeHead(200, { "content-length": 1_000 });
    response.write('{"n":', () => response.destroy());
    return undefined;
  },
  "/hang-in-body": ({ response, world }) => {
    response.writeHead(200, { "content-length": 1_000 });
    response.write('{"n":', () => setImmediate(world.expire));
  },
  "/garbage": ({ response }) => response.end("<html>"),
  "/limited": ({ response, n }) =>
    n === 1 ? json(response, 429, {}, { "retry-after": "2" }) : json(response, 200, { n }),
  "/limited-until": ({ response, n }) => {
    const date = "Tue, 14 Nov 2023 22:13:27 GMT"; // 1,700,000,007
    return n === 1 ? json(response, 503, {}, { "retry-after": date }) : json(response, 200, { n });
  },
  "/limited-long": ({ response }) => json(response, 429, {}, { "retry-after": "120" }),
  "/retried": ({ response }) => json(response, 503, {}, { "retried-below": "4" }),
  "/secret": ({ response }) => json(response, 200, { secret: true }, { "cache-control": "no-store" }),
  "/nothing": ({ response }) => response.writeHead(204).end(),
};

/** A server of those; `mend(path, turn)` lets a path do otherwise. */
export async function brokenServer(world) {
  const asked = [];
  const mended = new Map();
  const server = createServer((request, response) => {
    const path = request.url.split("?")[0];
    const { "idempotency-key": key } = request.headers;
    asked.push({ path, url: request.url, at: world.now, key });
    const n = asked.filter((each) => each.path === path).length;
    const turn = mended.get(path) ?? PATHS[path];
    request.resume();
    turn({ request, response, n, world });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    asked,
    of: (path) => asked.filter((each) => each.path === path).length,
    mend: (path, turn) => mended.set(path, turn),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
