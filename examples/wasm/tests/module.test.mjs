// The module by itself, as a host that is not JavaScript's face would call it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const wasm = new URL("../js/steadfast.wasm", import.meta.url);
const module_ = new WebAssembly.Module(await readFile(wasm));

test("the module imports nothing, so no panic is reachable", () => {
  assert.deepEqual(WebAssembly.Module.imports(module_), []);
});

test("milliseconds become nanoseconds exactly, rounded down", async () => {
  const { exports } = await WebAssembly.instantiate(module_);
  const told = (millis) => {
    const status = exports.nanoseconds(millis);
    if (status !== 1) return undefined;
    return new BigUint64Array(exports.memory.buffer, exports.exchange(), 1)[0];
  };
  /** The same in integers: a double is its bits times a power of two. */
  const model = (millis) => {
    const bits = new BigUint64Array(new Float64Array([millis]).buffer)[0];
    const exponent = Number((bits >> 52n) & 0x7ffn);
    if (Number.isNaN(millis) || millis < 0 || exponent === 0x7ff) return undefined;
    const fraction = bits & ((1n << 52n) - 1n);
    const whole = (exponent === 0 ? fraction : fraction | (1n << 52n)) * 1_000_000n;
    const power = Math.max(exponent, 1) - 1_075;
    const nanos = power < 0 ? whole >> BigInt(-power) : whole << BigInt(power);
    return nanos < 1n << 64n ? nanos : undefined;
  };
  const edges = [0, -0, 0.1, 0.3, 1e-6, 1e-7, 5e-324, 1, 1.000001, 4_503_599_627_370_496,
    9_007_199_254_740_991, 18_446_744_073_709.55, 18_446_744_073_709.553, 18_446_744_073_710, 1e15,
    1e18, 1e300, Infinity, NaN, -1, -5e-324, -Infinity, Date.now(), performance.now()];
  for (const millis of edges) assert.equal(told(millis), model(millis), `${millis}`);
  // All scales, by a seeded xorshift of the bits.
  let state = 0x9e37_79b9_7f4a_7c15n;
  let numbers = 0;
  for (let i = 0; i < 200_000; i += 1) {
    state ^= BigInt.asUintN(64, state << 13n);
    state ^= state >> 7n;
    state ^= BigInt.asUintN(64, state << 17n);
    // Exponents around those that matter, and now and then any.
    const exponent = i % 8 === 0 ? (state >> 52n) & 0x7ffn : 1_000n + (state >> 57n);
    const bits = (state & ((1n << 52n) - 1n)) | (exponent << 52n);
    const millis = new Float64Array(new BigUint64Array([bits]).buffer)[0];
    const expected = model(millis);
    assert.equal(told(millis), expected, `${millis}`);
    if (expected !== undefined) numbers += 1;
  }
  assert.ok(numbers > 50_000 && numbers < 190_000, `${numbers}`);
});

test("a handle from before is not the one that came after", async () => {
  const { exports } = await WebAssembly.instantiate(module_);
  const first = exports.limiter_new(0, 1, 1_000_000_000n, 1);
  assert.equal(exports.limiter_free(first), 1);
  const second = exports.limiter_new(0, 1, 1_000_000_000n, 1);
  assert.notEqual(first, second);
  assert.equal(exports.limiter_free(first), -3);
  assert.equal(exports.limiter_try_acquire(first, 0, 1), -3);
  assert.equal(exports.limiter_try_acquire(second, 0, 1), 1);
});

test("another host's nonsense is refused by the module itself", async () => {
  const { exports } = await WebAssembly.instantiate(module_);
  const odd = [NaN, -1, 1.5, 2 ** 32, Infinity, -Infinity, 2 ** 31, 1e300];
  const table = exports.table_new(0, 1, 1_000_000_000n, 1, 0, 1n, 2n);
  const limiter = exports.limiter_new(0, 1, 1_000_000_000n, 1);
  // Their handles are the same numbers.
  const retry = exports.retry_new(4, 0, 2_000, 1n, 10n, 1, 0n, 10n, 500);
  const breakers = exports.breakers_new(5, 1n, 0n, 3, 1n, 1n, 2n);
  const cache = exports.cache_new(10n, 0n);
  const session = exports.retry_start(retry, 0, 0n, 1);
  assert.deepEqual([limiter, table, retry, breakers, cache, session], [0, 0, 0, 0, 0, 0]);
  for (const [name, call] of Object.entries(exports)) {
    if (typeof call !== "function" || /_free$|^exchange$/.test(name)) continue;
    for (const number of odd) {
      for (const handle of [limiter, table, 5, -1, 2 ** 31 - 1, -(2 ** 31)]) {
        for (const big of [0n, 2n ** 64n - 1n, 1n << 62n]) {
          // Each function takes some of these; a number too few is 0, one too many is ignored.
          const shapes = [
            [handle, number, number, number, number, number, big, number, number],
            [handle, big, number, number, number, number, big, number, number],
            [handle, number, big, number, number, big, big],
            [handle, number, number, number, big, number],
            [handle, big, number, number, number, number, number, big, number, number],
            [handle, big, number, number],
            [number, number, number, big, big, number, big, big, number],
            [number, big, big, number, big, big, big],
            [handle, number, number, big, number],
            [big, big],
          ];
          for (const shape of shapes) {
            try {
              call(...shape);
            } catch (error) {
              // A bigint where a number belongs, or the other way: never reaches the module.
              assert.ok(error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError, error);
              assert.ok(!(error instanceof WebAssembly.RuntimeError), `${name} trapped`);
            }
          }
        }
      }
    }
  }
  assert.equal(exports.retry_new(4, 5, 2_000, 1n, 10n, 1, 0n, 10n, 500), -7);
  assert.equal(exports.retry_new(4, 0, 2_000, 1n, 10n, 5, 0n, 10n, 500), -7);
  assert.equal(exports.retry_new(NaN, 0, 2_000, 1n, 10n, 1, 0n, 10n, 500), -1);
  assert.equal(exports.retry_step(session, 0, 10, 0n, 0), -7);
  assert.equal(exports.retry_step(session, NaN, 1, 0n, 0), -4);
  assert.equal(exports.breakers_by_hand(breakers, 1n, 0, 3), -7);
  assert.equal(exports.http_outcome(200, 0, 4_096, 1), -7);
  assert.equal(exports.http_outcome(200, 0, 4_097, 0), -7);
  assert.equal(exports.http_may_repeat(4_097, 0), -7);
  assert.equal(exports.limiter_new(0, NaN, 1_000_000_000n, 1), -1);
  assert.equal(exports.limiter_new(9, 1, 1_000_000_000n, 1), -7);
  assert.equal(exports.limiter_try_acquire(limiter, 0, NaN), -5);
  assert.equal(exports.limiter_try_acquire(limiter, NaN, 1), -4);
  assert.equal(exports.key_piece(4_097), -7);
  assert.equal(exports.limiter_headers(limiter, 0, 0, 0, 2 ** 32 - 1, 0n, 0, 0), -6);
  assert.equal(exports.limiter_headers(limiter, 0, 0, 129, 2 ** 32 - 1, 0n, 0, 0), -6);
  assert.equal(exports.refusal(7, 0n, 0, 0), -7);
});
