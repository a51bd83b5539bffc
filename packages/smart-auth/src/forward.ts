import { renderQuery } from "@wardline/fhir-r4";
import type { Interaction } from "@wardline/policy-types";
import type { Access } from "./access.ts";
import { forwardedPairs, type Pairs } from "./narrow.ts";

/** Text of a query or form body as pairs; the request parser has accepted it, so it decodes. */
function pairsOf(text: string): Pairs {
  // A question mark at the front is part of the first name, which URLSearchParams would drop.
  return [...new URLSearchParams(`&${text}`)];
}

/** Is anything asked of the handler other than what the client asked? */
function rewrites({ bound, interaction }: Access): boolean {
  return bound && READS.has(interaction.code);
}

const READS: ReadonlySet<string> = new Set([
  "read",
  "vread",
  "search-type",
  "search-system",
  "history-instance",
  "history-type",
  "history-system",
  "operation",
]);

/**
 * The URL a bound caller's reading request is forwarded with, narrowed; `undefined` when it stays as it is.
 *
 * @param url path and query, in any form: only the query changes, and the path where one of several types is asked
 */
export function forwardedUrl(url: string, access: Access, hasForm = false): string | undefined {
  if (!rewrites(access)) return undefined;
  const mark = url.indexOf("?");
  const [given, query] = mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
  const asked = pairsOf(query);
  const pairs = forwardedPairs(asked, hasForm ? undefined : access.narrowing);
  const path = placeOf(given, access);
  if (path === given && isSame(asked, pairs)) return undefined;
  return pairs.length === 0 ? path : `${path}?${renderQuery(pairs)}`;
}

/** Entries of a batch are relative to the base, without a slash in front. */
function placeOf(given: string, { narrowing }: Access): string {
  const { at } = narrowing ?? {};
  if (at === undefined) return given;
  return given.startsWith("/") ? at.path : at.path.slice(1);
}

/** What is asked of the handler, by name. */
export function carriedOut({ interaction, narrowing }: Access): Interaction {
  return narrowing?.at === undefined ? interaction : { ...interaction, ...narrowing.at };
}

/** The same for the form of a POST `_search`. */
export function forwardedForm(form: string, access: Access): string | undefined {
  if (!rewrites(access)) return undefined;
  const asked = pairsOf(form);
  const pairs = forwardedPairs(asked, access.narrowing);
  return isSame(asked, pairs) ? undefined : renderQuery(pairs);
}

function isSame(asked: Pairs, pairs: Pairs): boolean {
  return asked.length === pairs.length && asked.every((pair, at) => pair === pairs[at]);
}
