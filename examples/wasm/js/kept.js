// Which answers are kept for worse times, under which key, and for whom they serve.

/** Answers for one user are not for the next one; nor is a part the whole, or "not modified" an answer. */
const NOT_FOR_ALL = [
  "authorization",
  "cookie",
  "range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
];

export function publicAnswer({ method, url, headers }) {
  const isPublic = !NOT_FOR_ALL.some((name) => headers.has(name));
  return method === "GET" && isPublic ? `${headers.get("accept")} ${url}` : null;
}

/** Whether the answer may be kept at all; and if it would be for all, whether it is not one user's. */
export function mayBeKept(headers, isForAll) {
  const said = headers.get("cache-control") ?? "";
  if (/\bno-store\b/i.test(said)) return false;
  return !isForAll || !(/\bprivate\b/i.test(said) || headers.has("set-cookie"));
}

/**
 * The headers of the request that the answer says it hangs on, as they were (RFC 9110, section
 * 12.5.5); null if it hangs on what nobody knows. One that the platform adds by itself is not seen,
 * and the same for all.
 */
export function variedBy(request, { headers }) {
  const names = (headers.get("vary") ?? "").split(",").map((name) => name.trim().toLowerCase());
  // A list may have empty places.
  const known = names.filter((name) => name !== "");
  // What is no name at all cannot be compared either.
  if (names.includes("*") || !known.every((name) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))) return null;
  return known.map((name) => [name, request.headers.get(name)]);
}

/** What was kept, if it was asked for alike. */
export function keptFor({ request, kept, key }) {
  const found = kept?.get(key) ?? null;
  const isAlike = ([name, value]) => request.headers.get(name) === value;
  return found?.value.varied.every(isAlike) ? found : null;
}
