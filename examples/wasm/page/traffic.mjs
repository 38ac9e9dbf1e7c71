// The traffic that all three limiters answer: when the next request comes. A seed gives the same
// traffic again. Times are whole milliseconds, so that they are exact.

/** A small seeded generator (xorshift32, Marsaglia 2003), for traffic and nothing else. */
export function chance(seed) {
  // It never leaves zero.
  let state = seed >>> 0 || 0x9e37_79b9;
  /** A whole number from `least` to `most`. */
  return (least, most) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return least + ((state >>> 0) % (most - least + 1));
  };
}

/** `count` times, `gap` apart. */
function* volley(from, count, gap) {
  for (let n = 0; n < count; n += 1) yield from + n * gap;
}

/** Endless lists of times from `from` on. `limit` and `windowMs` are those of the limiters. */
export const TRAFFIC = {
  *steady(from) {
    for (let at = from + 125; ; at += 125) yield at;
  },
  *bursty(from, pick) {
    for (let at = from + 300; ; at += pick(1_800, 3_600)) yield* volley(at, pick(6, 18), 20);
  },
  *flood(from, pick) {
    for (let at = from + 20; ; at += pick(8, 32)) yield at;
  },
  /** One request opens a window; then come two volleys, one on each side of its edge. */
  *edge(from, pick, limit, windowMs) {
    for (let at = from + 200; ; at += 4 * Math.round(windowMs)) {
      const gap = Math.max(1, Math.round((0.08 * windowMs) / limit));
      yield at;
      yield* volley(at + Math.round(0.87 * windowMs), limit + 2, gap);
      yield* volley(at + Math.round(1.03 * windowMs), limit + 2, gap);
    }
  },
};
