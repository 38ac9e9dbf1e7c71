// The page in a browser: what it shows is what a slow model says, in text and in pixels.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";

import { marksOf, xOf, yOf } from "../page/lane.mjs";
import { windowMs } from "../page/race.mjs";
import { chance, TRAFFIC } from "../page/traffic.mjs";
import { launch } from "./chromium.mjs";
import { played } from "./model.mjs";

const LANES = ["bucket", "fixed", "sliding"];
const DESKTOP = { width: 1_280, height: 900 };
const PHONE = { width: 390, height: 844, scale: 2, mobile: true };
const PICTURES = new URL("../target/pictures/", import.meta.url);

let server;
let browser;
let page;

before(async () => {
  const serve = fileURLToPath(new URL("../page/serve.mjs", import.meta.url));
  server = spawn(process.execPath, [serve, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(server.stdout, "data");
  [, page] = /^listening on (\S+);/.exec(said);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.kill();
});

async function visit(size, parameters) {
  const tab = await browser.open(size);
  await tab.goto(`${page}?${new URLSearchParams(parameters)}`);
  await tab.until("document.body?.dataset.ready === 'yes'");
  return tab;
}

/** When requests come up to `now`, from the page's own list. */
function timesOf(settings, now) {
  const times = [];
  const { seed, traffic, burst } = settings;
  for (const at of TRAFFIC[traffic](0, chance(seed), burst, windowMs(settings))) {
    if (at > now) return times;
    times.push(at);
  }
  return times;
}

const texts = (tab) =>
  tab.evaluate(`Object.fromEntries(${JSON.stringify(LANES)}.map((id) => [id, Object.fromEntries(
    ["admitted", "denied", "left", "most"].map((what) =>
      [what, document.getElementById(id + "-" + what).textContent]))]))`);

async function isAsModelled(tab, settings, now) {
  const times = timesOf(settings, now);
  const shown = await texts(tab);
  for (const id of LANES) {
    const { admitted, denied, left, limit, most } = played(settings, id, times, now);
    const expected = {
      admitted: String(admitted),
      denied: String(denied),
      left: `${left} of ${limit}`,
      most: String(most),
    };
    assert.deepEqual(shown[id], expected, `${id} ${JSON.stringify(settings)} at ${now} ms`);
  }
  return shown;
}

test("all traffic is answered as the model answers it", async () => {
  const seen = { admitted: 0, denied: 0 };
  for (const traffic of Object.keys(TRAFFIC)) {
    for (const [rate, burst, seed] of [[5, 10, 7], [3, 10, 1], [20, 30, 2], [1, 1, 3], [7, 4, 0]]) {
      const settings = { rate, burst, seed, traffic };
      const tab = await visit(DESKTOP, { ...settings, clock: "manual" });
      let now = 0;
      for (const step of [137, 1_000, 1, 2_862, 16_000]) {
        await tab.evaluate(`advance(${step})`);
        now += step;
        const shown = await isAsModelled(tab, settings, now);
        seen.admitted += Number(shown.bucket.admitted);
        seen.denied += Number(shown.bucket.denied);
      }
      assert.deepEqual(tab.problems, []);
      await tab.close();
    }
  }
  assert.ok(seen.admitted > 1_000 && seen.denied > 1_000, JSON.stringify(seen));
});

test("around an edge a fixed window admits nearly twice its limit, and the others do not", async () => {
  const settings = { rate: 5, burst: 10, seed: 7, traffic: "edge" };
  const tab = await visit(DESKTOP, { ...settings, clock: "manual" });
  await tab.evaluate("advance(9_600)");
  const shown = await isAsModelled(tab, settings, 9_600);
  assert.deepEqual(LANES.map((id) => Number(shown[id].most)), [12, 19, 10]);
  const marked = "[...document.querySelectorAll('dd.above')].map((each) => each.id)";
  assert.deepEqual(await tab.evaluate(marked), ["bucket-most", "fixed-most"]);
  await tab.close();
});

test("every mark and the level are drawn where they belong", async () => {
  for (const dark of [false, true]) {
    for (const traffic of ["edge", "bursty", "steady"]) {
      const settings = { rate: 5, burst: 10, seed: 7, traffic };
      const now = 9_600;
      const tab = await visit({ ...DESKTOP, dark }, { ...settings, clock: "manual" });
      await tab.evaluate(`advance(${now})`);
      const times = timesOf(settings, now);
      const colour = await tab.evaluate(`Object.fromEntries(["yes", "no", "level"].map((name) =>
        [name, getComputedStyle(document.body).getPropertyValue("--" + name).trim()]))`);
      for (const id of LANES) {
        const lane = played(settings, id, times, now);
        const width = await tab.evaluate(`document.getElementById("${id}-canvas").clientWidth`);
        const marks = marksOf(lane, now, width);
        assert.equal(marks.length, times.length);
        const flat = flatTimes(lane, now);
        assert.ok(flat.length > 5, `${flat.length}`);
        const levels = flat.map((at) => ({ x: xOf(at, now, width), y: yOf(lane.leftAt(at), lane.limit) }));
        const floor = yOf(0, lane.limit);
        const points = [
          ...marks.map(({ x, y }) => [x, y]),
          ...levels.map(({ x, y }) => [x, (y + floor) / 2]),
          ...levels.map(({ x, y }) => [x, y - 5]),
          ...levels.map(({ x, y }) => [x, y]),
        ];
        const pixels = await pixelsOf(tab, `${id}-canvas`, points);
        const where = `${id} ${traffic} ${dark ? "dark" : "light"}`;
        marks.forEach(({ x, y, granted }, n) => {
          const wanted = granted ? colour.yes : colour.no;
          assert.ok(near(pixels[n], wanted), `${where}: ${pixels[n]} at ${x} ${y}, not ${wanted}`);
        });
        levels.forEach(({ x, y }, n) => {
          const below = pixels[marks.length + n];
          const above = pixels[marks.length + levels.length + n];
          const on = pixels[marks.length + 2 * levels.length + n];
          if (floor - y > 8) assert.ok(below[3] > 20 && below[3] < 90, `${where}: ${below} below`);
          assert.ok(above[3] === 0, `${where}: ${above} above the level at ${x} ${y}`);
          assert.ok(near(on, colour.level), `${where}: ${on} at ${x} ${y}`);
        });
      }
      await tab.close();
    }
  }
});

/** Times, away from lines of the grid, around which nothing changes in a lane. */
function flatTimes(lane, now) {
  const times = [];
  for (let at = 1_130; at < now - 200; at += 130) {
    const around = Array.from({ length: 45 }, (_, n) => lane.leftAt(at - 110 + 5 * n));
    const ofGrid = (now - at) % 2_000;
    if (new Set(around).size === 1 && ofGrid > 60 && ofGrid < 1_940) times.push(at);
  }
  return times;
}

/** Red, green, blue and opacity, 0 to 255, of the least transparent pixel of nine around points. */
const pixelsOf = (tab, id, points) =>
  tab.evaluate(`(() => {
    const canvas = document.getElementById("${id}");
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const pixel = (x, y) => [...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4)];
    return ${JSON.stringify(points)}.map(([x, y]) =>
      [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) =>
        pixel(Math.floor(x) + right, Math.floor(y) + down))).sort((a, b) => b[3] - a[3])[0]);
  })()`);

/** Nearly opaque, and nearly this colour: edges are smoothed. */
function near([red, green, blue, opacity], hex) {
  const wanted = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  const apart = [red, green, blue].map((value, n) => Math.abs(value - wanted[n]));
  return opacity > 150 && Math.max(...apart) < 40;
}

test("everything can be done from the keyboard", async () => {
  const settings = { rate: 5, burst: 10, seed: 7, traffic: "steady" };
  const tab = await visit(DESKTOP, { ...settings, clock: "manual" });
  const focused = "document.activeElement.id || document.activeElement.value";
  const reached = [];
  for (let n = 0; n < 6; n += 1) {
    await tab.key("Tab");
    reached.push(await tab.evaluate(focused));
  }
  // Play is out of use while time is stepped.
  assert.deepEqual(reached, ["restart", "speed", "rate", "burst", "steady", "send"]);
  await tab.key("Enter");
  assert.equal((await texts(tab)).bucket.admitted, "1");

  await tab.evaluate("document.getElementById('rate').focus()");
  await tab.key("ArrowRight");
  assert.equal(await tab.evaluate("document.getElementById('rate-text').textContent"), "6 a second");
  await tab.key("Tab");
  await tab.key("ArrowLeft");
  assert.equal(await tab.evaluate("document.getElementById('burst-text').textContent"), "9 at once");
  await tab.key("Tab");
  await tab.key("ArrowRight");
  assert.equal(await tab.evaluate(focused), "bursty");
  const says = await tab.evaluate("document.getElementById('fixed-says').textContent");
  assert.match(says, /^Counts to 9 and starts anew after 1\.5 s: around an edge up to 18 pass/);
  // What was used stays used; the rest is what is left of nine.
  assert.equal((await texts(tab)).fixed.left, "8 of 9");

  await tab.evaluate("document.getElementById('restart').focus()");
  await tab.key(" ", "Space");
  const changed = { ...settings, rate: 6, burst: 9, traffic: "bursty" };
  await tab.evaluate("advance(12_345)");
  await isAsModelled(tab, changed, 12_345);
  const outline = "getComputedStyle(document.activeElement).outlineStyle";
  assert.equal(await tab.evaluate(outline), "solid");
  assert.deepEqual(tab.problems, []);
  await tab.close();
});

test("many restarts leave room for the next", async () => {
  const tab = await visit(DESKTOP, { clock: "manual", seed: 1 });
  await tab.evaluate("for (let n = 0; n < 300; n += 1) document.getElementById('restart').click()");
  await tab.evaluate("advance(1_000)");
  assert.deepEqual(tab.problems, []);
  await tab.close();
});

test("time passes while it plays and stands while it does not", async () => {
  const tab = await visit(DESKTOP, { traffic: "flood", seed: 1 });
  const admitted = "Number(document.getElementById('bucket-admitted').textContent)";
  await tab.until(`${admitted} > 10`);
  await tab.evaluate("document.getElementById('play').click()");
  const shown = await texts(tab);
  assert.equal(await tab.evaluate("document.getElementById('play').textContent"), "Play");
  const said = await tab.evaluate("document.getElementById('told').textContent");
  const { admitted: yes, denied: no } = shown.bucket;
  assert.ok(said.startsWith(`Token bucket: ${yes} admitted, ${no} denied.`), said);
  const frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))";
  await tab.evaluate(`${frames}.then(() => 0)`);
  assert.deepEqual(await texts(tab), shown);
  await tab.evaluate("document.getElementById('play').click()");
  await tab.until(`Number(document.getElementById('bucket-denied').textContent) > ${no}`);
  assert.deepEqual(tab.problems, []);
  await tab.close();
});

test("who has asked for less motion starts it", async () => {
  const tab = await visit({ ...DESKTOP, reduced: true }, { traffic: "flood" });
  assert.equal(await tab.evaluate("document.getElementById('play').textContent"), "Play");
  assert.equal((await texts(tab)).bucket.admitted, "0");
  await tab.close();
});

test("nonsense in the address bar is no harm", async () => {
  const nonsense = { rate: "-5", burst: "1e9", traffic: "constructor", seed: "x", clock: "manual" };
  const tab = await visit(DESKTOP, nonsense);
  assert.equal(await tab.evaluate("document.getElementById('rate-text').textContent"), "5 a second");
  const checked = "document.querySelector('input[name=traffic]:checked').value";
  assert.equal(await tab.evaluate(checked), "edge");
  assert.deepEqual(tab.problems, []);
  await tab.close();
});

test("a page without its module says what to do", async () => {
  const tab = await browser.open(DESKTOP);
  await tab.block("*.wasm");
  await tab.goto(page);
  await tab.until("document.getElementById('problem')?.hidden === false");
  const said = await tab.evaluate("document.getElementById('problem').textContent");
  assert.match(said, /did not start: .*\.\/build/);
  await tab.close();
});

test("nothing sticks out at any width, and every text can be read", async () => {
  const sticksOut = `[...document.querySelectorAll("body *")].filter((each) => {
    const { left, right, width } = each.getBoundingClientRect();
    const lane = each.closest(".lane")?.getBoundingClientRect();
    return width > 1 && (left < 0 || right > innerWidth || lane !== undefined && right > lane.right);
  }).map((each) => each.outerHTML.slice(0, 80))`;
  const colours = `Object.fromEntries(["page", "card", "text", "muted", "yes", "no", "accent", "on-accent"]
    .map((name) => [name, getComputedStyle(document.body).getPropertyValue("--" + name).trim()]))`;
  for (const dark of [false, true]) {
    for (const width of [320, 390, 600, 768, 960, 1_280, 1_920]) {
      const settings = { rate: 20, burst: 30, traffic: "flood", seed: 1, clock: "manual" };
      const tab = await visit({ width, height: 800, mobile: width < 700, dark }, settings);
      await tab.evaluate("advance(20_000)");
      assert.deepEqual(await tab.evaluate(sticksOut), [], `${width}`);
      assert.ok(await tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), `${width}`);
      const colour = await tab.evaluate(colours);
      for (const on of ["page", "card"]) {
        for (const ink of ["text", "muted", "yes", "no", "accent"]) {
          const ratio = contrast(colour[ink], colour[on]);
          assert.ok(ratio >= 4.5, `${ink} on ${on}, dark ${dark}: ${ratio}`);
        }
      }
      assert.ok(contrast(colour["on-accent"], colour.accent) >= 4.5);
      await tab.close();
    }
  }
});

/** The contrast ratio of WCAG 2.2. */
function contrast(one, other) {
  const light = (hex) => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [bright, dim] = [light(one), light(other)].sort((a, b) => b - a);
  return (bright + 0.05) / (dim + 0.05);
}

test("pictures of it are there to be looked at", async () => {
  await mkdir(PICTURES, { recursive: true });
  const settings = { rate: 5, burst: 10, seed: 7, traffic: "edge", clock: "manual" };
  for (const [name, size] of [["desktop", DESKTOP], ["phone", PHONE]]) {
    for (const dark of [false, true]) {
      const tab = await visit({ ...size, dark }, settings);
      await tab.evaluate("advance(9_600)");
      const picture = await tab.picture();
      const { scale = 1, width } = size;
      assert.equal(picture.subarray(1, 4).toString(), "PNG");
      const wide = picture.readUInt32BE(16);
      // But for a scroll bar.
      assert.ok(wide <= width * scale && wide > width * scale - 20 * scale, `${wide}`);
      await writeFile(new URL(`${name}-${dark ? "dark" : "light"}.png`, PICTURES), picture);
      await tab.close();
    }
  }
});
