// Chromium without a window, driven over a pipe by the DevTools protocol.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--force-color-profile=srgb",
  "--remote-debugging-pipe",
];

/** How long one command may take: a hang must not be the end of a run. */
const PATIENCE_MS = 30_000;

export async function launch() {
  const profile = await mkdtemp(join(tmpdir(), "steadfast-page-"));
  const command = process.env.CHROMIUM ?? "chromium";
  const chromium = spawn(command, [...FLAGS, `--user-data-dir=${profile}`, "about:blank"], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const gone = once(chromium, "exit");
  const [, , , to, from] = chromium.stdio;
  const waiting = new Map();
  const listeners = new Set();
  let said = "";
  from.setEncoding("utf8").on("data", (data) => {
    const messages = (said + data).split("\0");
    said = messages.pop();
    for (const message of messages.map((text) => JSON.parse(text))) {
      const { id, error, result } = message;
      if (id === undefined) {
        for (const listener of listeners) listener(message);
        continue;
      }
      const { done, fail } = waiting.get(id) ?? {};
      waiting.delete(id);
      if (error === undefined) done?.(result);
      else fail?.(new Error(error.message));
    }
  });
  chromium.on("error", (error) => {
    for (const { fail } of waiting.values()) fail(error);
  });

  let last = 0;
  const send = (method, params = {}, sessionId) =>
    new Promise((done, fail) => {
      last += 1;
      const id = last;
      const tooLong = () => {
        waiting.delete(id);
        fail(new Error(`${method} took more than ${PATIENCE_MS} ms`));
      };
      const timer = setTimeout(tooLong, PATIENCE_MS);
      const ended = (then) => (value) => {
        clearTimeout(timer);
        then(value);
      };
      waiting.set(id, { done: ended(done), fail: ended(fail) });
      to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });

  return {
    /** A new tab of this size. */
    async open({ width, height, scale = 1, mobile = false, dark = false, reduced = false }) {
      const { targetId } = await send("Target.createTarget", { url: "about:blank" });
      const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
      const ask = (method, params) => send(method, params, sessionId);
      const problems = [];
      listeners.add((message) => {
        if (message.sessionId !== sessionId) return;
        const { exceptionDetails, entry } = message.params ?? {};
        if (message.method === "Runtime.exceptionThrown") problems.push(exceptionDetails.text);
        if (message.method === "Log.entryAdded") problems.push(`${entry.text} ${entry.url ?? ""}`);
      });
      await ask("Runtime.enable");
      await ask("Log.enable");
      await ask("Page.enable");
      await ask("Emulation.setDeviceMetricsOverride", {
        width,
        height,
        deviceScaleFactor: scale,
        mobile,
      });
      await ask("Emulation.setEmulatedMedia", {
        features: [
          { name: "prefers-color-scheme", value: dark ? "dark" : "light" },
          { name: "prefers-reduced-motion", value: reduced ? "reduce" : "no-preference" },
        ],
      });
      /** The value of an expression in the page. */
      const evaluate = async (expression) => {
        const params = { expression, returnByValue: true, awaitPromise: true };
        const { result, exceptionDetails } = await ask("Runtime.evaluate", params);
        if (exceptionDetails !== undefined) {
          throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        }
        return result.value;
      };
      const until = async (expression) => {
        const began = Date.now();
        while (!(await evaluate(expression))) {
          if (Date.now() - began > PATIENCE_MS) throw new Error(`never true: ${expression}`);
          await new Promise((next) => setTimeout(next, 20));
        }
      };
      return {
        problems,
        evaluate,
        until,
        async block(pattern) {
          await ask("Network.enable");
          await ask("Network.setBlockedURLs", { urls: [pattern] });
        },
        goto: (url) => ask("Page.navigate", { url }),
        async key(key, code = key) {
          const keys = { Tab: 9, Enter: 13, " ": 32, ArrowRight: 39, ArrowLeft: 37, ArrowDown: 40 };
          const params = { key, code, windowsVirtualKeyCode: keys[key] };
          const text = { Enter: "\r", " ": " " }[key];
          await ask("Input.dispatchKeyEvent", { type: "keyDown", ...params, text });
          await ask("Input.dispatchKeyEvent", { type: "keyUp", ...params });
        },
        /** The page as PNG, all of its length. */
        async picture() {
          const params = { format: "png", captureBeyondViewport: true };
          const { data } = await ask("Page.captureScreenshot", params);
          return Buffer.from(data, "base64");
        },
        close: () => send("Target.closeTarget", { targetId }),
      };
    },
    async close() {
      await send("Browser.close").catch(() => chromium.kill());
      await gone;
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}
