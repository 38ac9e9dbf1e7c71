// The three algorithms as slowly and as plainly as they can be said: in whole numbers of any size,
// from the list of all that has passed. What the page shows is compared with this.

const MS = 1_000_000n;

/** Each takes the times (in whole milliseconds) at which something passed, and one later. */
export function algorithms({ rate, burst }) {
  const window = BigInt(Math.round((1e9 * burst) / rate));
  return {
    bucket: (passed, now) => bucket(BigInt(rate), BigInt(burst), passed, now),
    fixed: (passed, now) => fixed(window, BigInt(burst), passed, now),
    sliding: (passed, now) => sliding(window, BigInt(burst), passed, now),
  };
}

/** How many tokens are there: a second of refill is `rate` tokens, so a token has 10^9 parts. */
function bucket(rate, burst, passed, now) {
  const token = 1_000_000_000n;
  const full = burst * token;
  let level = full;
  let at = 0n;
  const refill = (until) => {
    level += rate * (until - at);
    if (level > full) level = full;
    at = until;
  };
  for (const each of passed) {
    refill(BigInt(each) * MS);
    level -= token;
  }
  refill(BigInt(now) * MS);
  return Number(level / token);
}

/** A window begins with the first that passes after the last one has ended. */
function fixed(window, limit, passed, now) {
  let end = 0n;
  let used = 0n;
  for (const each of passed.map((millis) => BigInt(millis) * MS)) {
    if (each >= end) {
      end = each + window;
      used = 0n;
    }
    used += 1n;
  }
  return Number(BigInt(now) * MS < end ? limit - used : limit);
}

/**
 * Windows follow each other from the first that passes on, until one has nothing of its own. Of the
 * window before counts the share that overlaps the last `window` nanoseconds.
 */
function sliding(window, limit, passed, now) {
  let counts = [];
  let start;
  const turn = (until) => {
    while (start !== undefined && until >= start + window) {
      const [current] = counts;
      counts = [0n, current];
      start = current > 0n ? start + window : undefined;
    }
  };
  for (const each of passed.map((millis) => BigInt(millis) * MS)) {
    turn(each);
    if (start === undefined) {
      start = each;
      counts = [0n, 0n];
    }
    counts[0] += 1n;
  }
  const time = BigInt(now) * MS;
  turn(time);
  if (start === undefined) return Number(limit);
  const [current, previous] = counts;
  const overlap = previous * (start + window - time);
  // A share of a hit leaves no room for a whole one.
  const counted = current + (overlap + window - 1n) / window;
  return Number(counted >= limit ? 0n : limit - counted);
}

/** What a lane must show at `now` when requests have come at `times`. */
export function played(settings, id, times, now) {
  const left = algorithms(settings)[id];
  const window = Math.round((1e9 * settings.burst) / settings.rate) / 1e6;
  const passed = [];
  const marks = [];
  let most = 0;
  for (const at of times) {
    const granted = left(passed, at) >= 1;
    marks.push({ at, granted });
    if (!granted) continue;
    passed.push(at);
    most = Math.max(most, passed.filter((each) => each > at - window).length);
  }
  return {
    admitted: passed.length,
    denied: times.length - passed.length,
    most,
    left: left(passed, now),
    limit: settings.burst,
    marks,
    leftAt: (at) => left(passed.filter((each) => each <= at), at),
  };
}
