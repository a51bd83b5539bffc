import { contextOf } from "@wardline/policy-types/express";
import type { Request } from "express";

type WithQueryParser = {
  get(name: "query parser fn"): ((query: string) => Record<string, unknown>) | false | undefined;
};

/** Leaves parameters out of what handlers and proxies see; everything else stays as it was written. */
export function leaveOut(req: Request, names: readonly string[]): void {
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
    const parse = (req.app as WithQueryParser).get("query parser fn");
    req.query = (typeof parse === "function" ? parse(kept ?? "") : {}) as Request["query"];
  }
}

function without(text: string, ignored: ReadonlySet<string>): string {
  const isKept = (piece: string): boolean => {
    const [name] = [...new URLSearchParams(`&${piece}`).keys()];
    return name === undefined || !ignored.has(name);
  };
  return text.split("&").filter(isKept).join("&");
}

function formObject(form: string): Record<string, string | string[]> {
  const object = Object.create(null) as Record<string, string | string[]>;
  for (const name of new Set(new URLSearchParams(form).keys())) {
    const values = new URLSearchParams(form).getAll(name);
    object[name] = values.length === 1 ? (values[0] ?? "") : values;
  }
  return object;
}
