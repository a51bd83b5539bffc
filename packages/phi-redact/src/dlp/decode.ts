/** Undoes percent-encoding as often as somebody behind us might (A12), and leaves alone what is not well encoded. */
export function decodeLeniently(text: string): string {
  let decoded = text;
  for (let round = 0; round < MAX_ROUNDS && decoded.includes("%"); round++) {
    const next = decoded.replace(ENCODED, decodeRun);
    if (next === decoded) break;
    decoded = next;
  }
  return decoded;
}

function decodeRun(run: string): string {
  try {
    return decodeURIComponent(run);
  } catch {
    // Ill-formed UTF-8: byte by byte, so that what stands between is still seen.
    return run.replace(/%([0-9A-Fa-f]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
}

/** Pairs of a query, decoded; `+` is a space. */
export function queryPairs(query: string): (readonly [name: string, value: string])[] {
  if (query === "") return [];
  return query.split("&").flatMap((pair) => {
    if (pair === "") return [];
    const mark = pair.indexOf("=");
    const parts = mark < 0 ? [pair, ""] : [pair.slice(0, mark), pair.slice(mark + 1)];
    const [name = "", value = ""] = parts.map((part) => decodeLeniently(part.replaceAll("+", " ")));
    return [[name, value] as const];
  });
}

const ENCODED = /(?:%[0-9A-Fa-f]{2}){1,512}/g;
const MAX_ROUNDS = 3;
