/** 127.0.0.0/8, ::1 and the name for them: addresses that never leave the machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

/** An absolute URL without user, query and fragment that may be fetched: https, or http on loopback under `development`. */
export function parseSafeUrl(text: unknown, development: boolean): URL | undefined {
  if (typeof text !== "string" || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || url.hash !== "") return undefined;
  if (url.protocol === "https:") return url;
  return url.protocol === "http:" && development && isLoopback(url.hostname) ? url : undefined;
}
