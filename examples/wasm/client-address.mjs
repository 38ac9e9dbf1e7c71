// Who is asking: the address that the connection came from, as the key of a limiter. What a client
// writes into X-Forwarded-For is what it likes to write; behind a proxy of your own, take the entry
// that your proxy has added.

import { isIPv6 } from "node:net";

/** `address` is a socket's; that of one which has closed is undefined, and they share a key. */
export function clientAddress(address = "") {
  // An IPv4 client on a socket that speaks both.
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!isIPv6(plain)) return plain;
  // Who has one IPv6 address has its network of 64 bits, so that is the key: four groups of eight.
  const [before, after] = plain.split("%")[0].split("::");
  const groups = before.split(":").filter(Boolean);
  if (after !== undefined) {
    const behind = after.split(":").filter(Boolean);
    // A group with points is two.
    const missing = 8 - groups.length - behind.length - (after.includes(".") ? 1 : 0);
    groups.push(...Array(missing).fill("0"), ...behind);
  }
  return groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(":");
}
