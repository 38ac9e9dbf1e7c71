// One limiter's answers, drawn: requests that passed pile up above a line, those that did not hang
// below it, and under both is what is left.

import { SHOWN_MS } from "./race.mjs";

/** Where things lie in a lane, in CSS pixels. */
export const PLOT = { left: 34, right: 14, base: 52, pile: 46, top: 112, bottom: 20, height: 184 };

/** Requests within so long share a pile: the shortest that gives a pile room enough. */
const PILES_MS = [100, 200, 250, 500];

/** How far apart two of a pile are, unless there are too many of them. */
const APART = 6;

/** Where a time lies, `width` being the lane's. */
export const xOf = (at, now, width) =>
  PLOT.left + (1 - (now - at) / SHOWN_MS) * (width - PLOT.left - PLOT.right);

/** Where a level lies. */
export const yOf = (left, limit) => {
  const floor = PLOT.height - PLOT.bottom;
  return floor - (left / limit) * (floor - PLOT.top);
};

/** Where the marks lie. Piles go with the clock, so that they move and do not change. */
export function marksOf(lane, now, width) {
  const room = (width - PLOT.left - PLOT.right) / SHOWN_MS;
  const pile = PILES_MS.find((millis) => millis * room >= APART) ?? PILES_MS.at(-1);
  const piles = new Map();
  for (const { at, granted } of lane.marks) {
    const slot = Math.floor(at / pile);
    const key = granted ? slot : -1 - slot;
    piles.set(key, (piles.get(key) ?? 0) + 1);
  }
  return [...piles].flatMap(([key, count]) => {
    const granted = key >= 0;
    const slot = granted ? key : -1 - key;
    const x = xOf((slot + 0.5) * pile, now, width);
    const apart = Math.min(APART, (PLOT.pile - APART) / Math.max(count - 1, 1));
    const from = granted ? PLOT.base - APART : PLOT.base + APART;
    return Array.from({ length: count }, (_, n) => ({
      x,
      y: granted ? from - n * apart : from + n * apart,
      granted,
    }));
  });
}

/** The page's colours as a canvas needs them. */
export function colours(element) {
  const style = getComputedStyle(element);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return { yes: of("yes"), no: of("no"), level: of("level"), line: of("line"), text: of("muted") };
}

export function draw(canvas, lane, now, colour) {
  const width = canvas.clientWidth;
  const scale = globalThis.devicePixelRatio ?? 1;
  if (canvas.width !== Math.round(width * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(PLOT.height * scale);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, PLOT.height);
  pen.font = "11px system-ui, sans-serif";
  const x = (at) => xOf(at, now, width);

  seconds(pen, now, width, colour);
  const floor = yOf(0, 1);
  pen.save();
  pen.beginPath();
  pen.rect(PLOT.left, 0, width - PLOT.left, PLOT.height);
  pen.clip();
  level(pen, lane, now, x, floor, colour);
  edges(pen, lane, x, floor, colour);
  pen.restore();
  pen.save();
  pen.beginPath();
  pen.rect(PLOT.left, 0, width - PLOT.left, PLOT.height);
  pen.clip();
  for (const { x: across, y, granted } of marksOf(lane, now, width)) {
    if (granted) dot(pen, across, y, colour.yes);
    else cross(pen, across, y, colour.no);
  }
  pen.restore();

  pen.fillStyle = colour.text;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  pen.fillText("yes", PLOT.left - 6, PLOT.base - 9);
  pen.fillText("no", PLOT.left - 6, PLOT.base + 9);
  pen.fillText(String(lane.limit), PLOT.left - 6, PLOT.top);
  pen.fillText("0", PLOT.left - 6, floor);
}

function seconds(pen, now, width, colour) {
  const bottom = PLOT.height - PLOT.bottom;
  pen.strokeStyle = colour.line;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(PLOT.left, PLOT.base + 0.5);
  pen.lineTo(width - PLOT.right, PLOT.base + 0.5);
  pen.stroke();
  pen.fillStyle = colour.text;
  pen.textBaseline = "alphabetic";
  for (let ago = 0; ago <= SHOWN_MS; ago += 2_000) {
    const at = Math.round(xOf(now - ago, now, width)) + 0.5;
    pen.beginPath();
    pen.moveTo(at, 4);
    pen.lineTo(at, bottom);
    pen.stroke();
    pen.textAlign = ago === 0 ? "right" : "center";
    pen.fillText(ago === 0 ? "now" : `−${ago / 1_000} s`, ago === 0 ? at + 12 : at, PLOT.height - 5);
  }
}

/** A line in steps, filled below. */
function level(pen, { levels, limit }, now, x, floor, colour) {
  if (levels.length === 0) return;
  const path = new Path2D();
  let y = yOf(levels[0].left, limit);
  path.moveTo(x(levels[0].at), y);
  for (const { at, left } of levels.slice(1)) {
    path.lineTo(x(at), y);
    y = yOf(left, limit);
    path.lineTo(x(at), y);
  }
  path.lineTo(x(now), y);
  pen.strokeStyle = colour.level;
  pen.lineWidth = 2;
  pen.lineJoin = "round";
  pen.stroke(path);
  path.lineTo(x(now), floor);
  path.lineTo(x(levels[0].at), floor);
  pen.globalAlpha = 0.16;
  pen.fillStyle = colour.level;
  pen.fill(path);
  pen.globalAlpha = 1;
}

/** Where a fixed window turns. */
function edges(pen, lane, x, floor, colour) {
  pen.strokeStyle = colour.text;
  pen.lineWidth = 1.5;
  pen.setLineDash([4, 4]);
  for (const at of lane.edges) {
    pen.beginPath();
    pen.moveTo(x(at), 4);
    pen.lineTo(x(at), floor);
    pen.stroke();
  }
  pen.setLineDash([]);
}

function dot(pen, x, y, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, 2.8, 0, 2 * Math.PI);
  pen.fill();
}

function cross(pen, x, y, colour) {
  pen.strokeStyle = colour;
  pen.lineWidth = 1.8;
  pen.lineCap = "round";
  pen.beginPath();
  pen.moveTo(x - 2.3, y - 2.3);
  pen.lineTo(x + 2.3, y + 2.3);
  pen.moveTo(x + 2.3, y - 2.3);
  pen.lineTo(x - 2.3, y + 2.3);
  pen.stroke();
  pen.lineCap = "butt";
}
