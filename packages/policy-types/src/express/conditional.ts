import type { IncomingMessage } from "node:http";

/** Request headers the handler must not act on before the answer is judged: they would let it answer 304 or 206. */
const WITHHELD = ["if-none-match", "if-modified-since", "range", "if-range"] as const;
export type Withheld = { [Name in (typeof WITHHELD)[number]]?: string };

/** Takes the conditional and range headers away from the handler; `isNotModified` applies them afterwards. */
export function withholdConditions(req: IncomingMessage): Withheld {
  const withheld: Withheld = {};
  for (const name of WITHHELD) {
    const value = req.headers[name];
    if (typeof value !== "string") continue;
    withheld[name] = value;
    delete req.headers[name];
  }
  return withheld;
}

/**
 * Whether the client already has this answer. If-None-Match wins over If-Modified-Since; tags compare weakly.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2
 */
export function isNotModified(
  withheld: Withheld,
  answer: { readonly etag: string | undefined; readonly lastModified: string | undefined },
): boolean {
  const tags = withheld["if-none-match"];
  if (tags !== undefined) {
    if (tags.trim() === "*") return true;
    const own = answer.etag?.replace(/^W\//, "");
    return own !== undefined && tags.split(",").some((tag) => tag.trim().replace(/^W\//, "") === own);
  }
  const since = Date.parse(withheld["if-modified-since"] ?? "");
  const modified = Date.parse(answer.lastModified ?? "");
  return modified <= since;
}
