// The page: controls, time, and what is shown. `?rate=5&burst=10&traffic=edge&seed=7` sets where
// it begins; with `&clock=manual` time passes only by `advance(millis)`, for tests.

import init from "../js/steadfast.js";
import { colours, draw } from "./lane.mjs";
import { Race, windowMs } from "./race.mjs";
import { TRAFFIC } from "./traffic.mjs";

const $ = (id) => document.getElementById(id);

const SAYS = {
  steady: "Eight requests a second, one every 125 ms.",
  bursty: "6 to 18 requests at once, every two to four seconds.",
  flood: "About fifty requests a second, without end.",
  edge: "One request, then a volley just before the fixed window ends and one just after.",
};

/** A whole number of the address bar; what is none is left out, and what is too large is cut. */
function asked(parameters, name, least, most, usual) {
  const text = parameters.get(name);
  if (text === null || !/^\d+$/.test(text)) return usual;
  return Math.min(Math.max(Number(text), least), most);
}

function settingsOf(parameters) {
  const traffic = parameters.get("traffic");
  return {
    rate: asked(parameters, "rate", 1, 20, 5),
    burst: asked(parameters, "burst", 1, 30, 10),
    traffic: Object.hasOwn(TRAFFIC, traffic ?? "") ? traffic : "edge",
    seed: asked(parameters, "seed", 0, 0xffff_ffff, crypto.getRandomValues(new Uint32Array(1))[0]),
  };
}

function start() {
  const parameters = new URLSearchParams(location.search);
  const manual = parameters.get("clock") === "manual";
  let race = new Race(settingsOf(parameters));
  let colour = colours(document.body);
  // Who has asked for less motion starts it.
  let playing = !manual && !matchMedia("(prefers-reduced-motion: reduce)").matches;

  function texts() {
    const { rate, burst, traffic } = race.settings;
    const window_ = `${seconds(windowMs(race.settings))} s`;
    $("rate-text").textContent = `${rate} a second`;
    $("burst-text").textContent = `${burst} at once`;
    $("window-text").textContent = `A window is ${window_}, in which ${burst} come at that rate.`;
    for (const each of document.querySelectorAll(".window")) each.textContent = window_;
    $("traffic-text").textContent = SAYS[traffic];
    $("bucket-says").textContent =
      `Holds ${burst} and gets one back every ${seconds(1_000 / rate)} s: ` +
      "a burst passes at once, then the rate.";
    $("fixed-says").textContent =
      `Counts to ${burst} and starts anew after ${window_}: ` +
      `around an edge up to ${2 * burst} pass in a moment.`;
    $("sliding-says").textContent =
      `Counts the last ${window_}, of the window before by the share that still overlaps: ` +
      "an edge gains little.";
    $("play").textContent = playing ? "Pause" : "Play";
    $("play").disabled = manual;
  }

  function show() {
    for (const lane of race.lanes) {
      const put = (what, value) => {
        const shown = $(`${lane.id}-${what}`);
        // Whoever reads it aloud hears only what has changed.
        if (shown.textContent !== value) shown.textContent = value;
      };
      put("admitted", String(lane.admitted));
      put("denied", String(lane.denied));
      put("left", `${lane.left} of ${lane.limit}`);
      put("most", String(lane.most));
      $(`${lane.id}-most`).classList.toggle("above", lane.most > lane.limit);
      draw($(`${lane.id}-canvas`), lane, race.now, colour);
    }
  }

  function told() {
    const said = race.lanes.map(({ id, admitted, denied }) =>
      `${$(`${id}-name`).textContent}: ${admitted} admitted, ${denied} denied.`);
    $("told").textContent = said.join(" ");
  }

  let before;
  function frame(time) {
    if (!playing) return;
    // A tab in the background is given no frames, and does not catch up.
    const passed = Math.min(time - (before ?? time), 250);
    before = time;
    race.advance(passed * Number($("speed").value));
    show();
    requestAnimationFrame(frame);
  }

  function play(on) {
    playing = on && !manual;
    before = undefined;
    if (playing) requestAnimationFrame(frame);
    else told();
    texts();
  }

  function change(changed) {
    race.change(changed);
    texts();
    show();
  }

  const { rate, burst, traffic } = race.settings;
  $("rate").value = rate;
  $("burst").value = burst;
  document.querySelector(`input[name=traffic][value=${traffic}]`).checked = true;
  $("rate").addEventListener("input", () => change({ rate: $("rate").valueAsNumber }));
  $("burst").addEventListener("input", () => change({ burst: $("burst").valueAsNumber }));
  for (const choice of document.querySelectorAll("input[name=traffic]")) {
    choice.addEventListener("change", () => change({ traffic: choice.value }));
  }
  $("play").addEventListener("click", () => play(!playing));
  $("send").addEventListener("click", () => {
    race.send();
    show();
    if (!playing) told();
  });
  $("restart").addEventListener("click", () => {
    race.free();
    race = new Race(race.settings);
    show();
  });
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  const repaint = () => {
    colour = colours(document.body);
    show();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  new ResizeObserver(show).observe($("lanes"));

  if (manual) {
    globalThis.advance = (millis) => {
      race.advance(millis);
      show();
    };
  }
  texts();
  show();
  play(playing);
  document.body.dataset.ready = "yes";
}

/** To at most two places: 0.33, 2, 1.5. */
const seconds = (millis) => String(Math.round(millis / 10) / 100);

try {
  await init();
  start();
} catch (error) {
  $("problem").hidden = false;
  $("problem").textContent =
    `The limiters did not start: ${error.message}. Is the module built (./build) and the page ` +
    "served (node page/serve.mjs)?";
  throw error;
}
