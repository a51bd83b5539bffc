/** What is asked below `_async/`. */
export type JobQuestion =
  | { readonly kind: "status" | "cancel"; readonly id: string }
  | { readonly kind: "file"; readonly id: string; readonly at: number }
  /** Below `_async/`, and nothing that is there. */
  | { readonly kind: "nothing" };

const PLACE = /^\/_async\/([A-Za-z0-9_-]{32})(?:\/(0|[1-9]\d{0,4}))?$/;

/** `undefined`: asked of somebody else. */
export function readQuestion(method: string, url: string): JobQuestion | undefined {
  const [path = ""] = url.split("?");
  if (path !== "/_async" && !path.startsWith("/_async/")) return undefined;
  const [, id, at] = PLACE.exec(path) ?? [];
  if (id === undefined || url.includes("?")) return { kind: "nothing" };
  if (method === "GET" || method === "HEAD")
    return at === undefined ? { kind: "status", id } : { kind: "file", id, at: Number(at) };
  return method === "DELETE" && at === undefined ? { kind: "cancel", id } : { kind: "nothing" };
}

/**
 * Whether the client would rather have its answer later.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7240#section-4.1
 */
export function prefersAsync(prefer: string | undefined): boolean {
  if (prefer === undefined) return false;
  // A quoted value may hold a comma; a preference inside it is none. One that never ends goes to the end.
  const bare = prefer.replace(/"(?:[^"\\]|\\.)*"?/g, "");
  return bare.split(",").some((one) => one.split(";")[0]?.trim().toLowerCase() === "respond-async");
}
