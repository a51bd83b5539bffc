import type { Json } from "@wardline/policy-types/express";
import { isObject } from "../resource.ts";
import { insertionIndex, valueAt } from "./pointer.ts";

/** What a patch makes of a resource. `failed` says why in fixed words. */
export type PatchOutcome =
  | { readonly kind: "patched"; readonly result: Json }
  | { readonly kind: "failed"; readonly because: string };

/** The document after a step; `undefined` when the step cannot be taken. Documents are never written to. */
export type Edited = Json | undefined;

/** RFC 6902 section 4.1 */
export function add(document: Json, path: readonly string[], value: Json): Edited {
  if (path.length === 0) return value;
  return within(document, path, (parent, last) => {
    if (Array.isArray(parent)) {
      const at = insertionIndex(parent, last);
      return at === undefined ? undefined : parent.toSpliced(at, 0, value);
    }
    return isObject(parent) ? { ...parent, [last]: value } : undefined;
  });
}

/** RFC 6902 section 4.2. A document cannot be removed whole: no resource would be left. */
export function remove(document: Json, path: readonly string[]): Edited {
  if (path.length === 0 || valueAt(document, path) === undefined) return undefined;
  return within(document, path, (parent, last) => {
    if (Array.isArray(parent)) return parent.toSpliced(Number(last), 1);
    if (!isObject(parent)) return undefined;
    const { [last]: _, ...rest } = parent;
    return rest;
  });
}

/** RFC 6902 section 4.3 */
export function replace(document: Json, path: readonly string[], value: Json): Edited {
  if (path.length === 0) return value;
  if (valueAt(document, path) === undefined) return undefined;
  return within(document, path, (parent, last) => {
    if (Array.isArray(parent)) return parent.with(Number(last), value);
    return isObject(parent) ? { ...parent, [last]: value } : undefined;
  });
}

function within(document: Json, path: readonly string[], edit: (parent: Json, last: string) => Edited): Edited {
  const [token = "", ...below] = path;
  if (below.length === 0) return edit(document, token);
  const child = valueAt(document, [token]);
  const edited = child === undefined ? undefined : within(child, below, edit);
  if (edited === undefined) return undefined;
  return Array.isArray(document)
    ? document.with(Number(token), edited)
    : { ...(document as { [name: string]: Json }), [token]: edited };
}
