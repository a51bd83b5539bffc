import type { IncomingMessage } from "node:http";

/** The parts of an Express request that say what is asked, on either major. */
export type MountedRequest = IncomingMessage & { originalUrl?: string; baseUrl?: string; body?: unknown };

export interface RequestTarget {
  /** Below the mount point, still encoded. */
  readonly path: string;
  readonly query: string;
}

/**
 * What the client asked below the mount point, as received. `undefined` when an earlier middleware has changed the URL:
 * what is judged must be what the handler sees (S6).
 */
export function requestTarget(req: MountedRequest): RequestTarget | undefined {
  const original = req.originalUrl ?? req.url ?? "/";
  const mount = req.baseUrl ?? "";
  if (!original.startsWith(mount)) return undefined;
  const below = original.slice(mount.length);
  const handlers = req.url ?? "/";
  // Express gives a mounted handler at least a slash.
  if (handlers !== below && handlers !== `/${below}`) return undefined;
  const mark = below.indexOf("?");
  return mark < 0 ? { path: below, query: "" } : { path: below.slice(0, mark), query: below.slice(mark + 1) };
}

/** A request that announces a body, of whatever length. */
export function announcesBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || !["0", undefined].includes(headers["content-length"]);
}
