import type { IncomingMessage } from "node:http";
import { contextOf } from "./context.ts";
import { formObject } from "./form.ts";

type ExpressRequest = IncomingMessage & {
  url: string;
  body?: unknown;
  query?: unknown;
  app?: { get(name: "query parser fn"): ((query: string) => unknown) | false | undefined };
};

/**
 * Whether the client asks the server to leave out what it does not know. The first `handling` counts.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7240#section-4.4
 */
export function prefersLenient(prefer: string | readonly string[] | undefined): boolean {
  const preferences = String(prefer ?? "").split(",");
  for (const preference of preferences) {
    const [name = "", value = ""] = (preference.split(";")[0] ?? "").split("=");
    if (name.trim().toLowerCase() === "handling") return value.trim().replace(/^"(.*)"$/, "$1") === "lenient";
  }
  return false;
}

/** Leaves search parameters out of what handlers and proxies see; everything else stays as it was written. */
export function leaveOut(request: IncomingMessage, names: readonly string[]): void {
  const req = request as ExpressRequest;
  const context = contextOf(req);
  const ignored = new Set(names);
  const [path = "", query] = req.url.split(/\?(.*)/s);
  const kept = query === undefined ? undefined : without(query, ignored);
  const form = context.rewritten?.form ?? context.body?.form;
  const keptForm = form === undefined ? undefined : without(form, ignored);
  const url = kept === undefined || kept === query ? undefined : kept === "" ? path : `${path}?${kept}`;
  context.rewritten = {
    ...context.rewritten,
    ...(url === undefined ? {} : { url }),
    ...(keptForm === undefined || keptForm === form ? {} : { form: keptForm }),
  };
  if (keptForm !== undefined && keptForm !== form) req.body = formObject(keptForm);
  if (url === undefined) return;
  req.url = url;
  // Express 5 reads the query from the URL each time; Express 4 read it once.
  if (Object.hasOwn(req, "query")) {
    const parse = req.app?.get("query parser fn");
    req.query = typeof parse === "function" ? parse(kept ?? "") : {};
  }
}

function without(text: string, ignored: ReadonlySet<string>): string {
  const isKept = (piece: string): boolean => {
    const [name] = [...new URLSearchParams(`&${piece}`).keys()];
    return name === undefined || !ignored.has(name);
  };
  return text.split("&").filter(isKept).join("&");
}
