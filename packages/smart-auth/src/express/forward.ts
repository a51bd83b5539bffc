import { renderQuery } from "@wardline/fhir-r4";
import type { SearchQuery } from "@wardline/policy-types";
import { contextOf, type Json } from "@wardline/policy-types/express";
import type { Request } from "express";
import type { Access, ForwardedWrite } from "../access.ts";
import { carriedOut, forwardedForm, forwardedUrl } from "../forward.ts";
import type { AskedPage } from "../links/pages.ts";

/** Leaves what is asked of the handler where handlers and proxies look for it. */
export function forward(req: Request, access: Access, page: AskedPage | undefined): void {
  contextOf(req).interaction = carriedOut(access);
  if (page !== undefined) forwardPage(req, access, page);
  else if (access.write !== undefined) forwardWrite(req, access, access.write);
  else forwardRead(req, access);
}

function forwardRead(req: Request, access: Access): void {
  const context = contextOf(req);
  const form = context.rewritten?.form ?? context.body?.form;
  const url = forwardedUrl(req.url, access, form !== undefined);
  const narrowedForm = form === undefined ? undefined : forwardedForm(form, access);
  if (url === undefined && narrowedForm === undefined) return;
  context.rewritten = {
    ...context.rewritten,
    ...(url === undefined ? {} : { url }),
    ...(narrowedForm === undefined ? {} : { form: narrowedForm }),
  };
  if (narrowedForm !== undefined) req.body = formObject(narrowedForm);
  if (url !== undefined) setUrl(req, url);
}

const NOTHING_ASKED: SearchQuery = { criteria: [], includes: [], sort: [], control: [], pairs: [] };

/** A page is asked for at the server's own link, and judged as the search it belongs to. */
function forwardPage(req: Request, access: Access, { server }: AskedPage): void {
  const context = contextOf(req);
  const { path, search } = access.interaction;
  const query = renderQuery(search?.pairs ?? []);
  const whole = query === "" ? path : `${path}?${query}`;
  const url = server?.url ?? forwardedUrl(whole, access) ?? whole;
  const asked = carriedOut(access);
  context.interaction = { search: NOTHING_ASKED, ...asked, path: server?.path ?? asked.path };
  context.rewritten = { url };
  setUrl(req, url);
}

function forwardWrite(req: Request, access: Access, { method, url, ifMatch, ifNoneExist, body }: ForwardedWrite): void {
  const context = contextOf(req);
  const { headers } = req;
  if (method !== undefined) req.method = method;
  if (ifMatch !== undefined) headers["if-match"] = ifMatch;
  if (ifNoneExist === "") delete headers["if-none-exist"];
  else if (ifNoneExist !== undefined) headers["if-none-exist"] = ifNoneExist;
  context.rewritten = {
    ...(url === undefined ? {} : { url: `/${url}` }),
    ...(body === undefined ? {} : { body }),
  };
  if (url !== undefined) {
    // The condition has been resolved: what stood behind the question mark asks nothing any more.
    context.interaction = { search: NOTHING_ASKED, ...access.interaction };
    setUrl(req, `/${url}`);
  }
  if (body === undefined) return;
  req.body = body;
  if (context.body !== undefined) context.body = { ...context.body, json: body };
}

type WithQueryParser = {
  get(name: "query parser fn"): ((query: string) => Record<string, unknown>) | false | undefined;
};

export function setUrl(req: Request, url: string): void {
  // Express 5 reads the query from the URL each time; Express 4 read it once.
  const isExpress4 = Object.hasOwn(req, "query");
  req.url = isExpress4 && losesSlash(req, url) ? `/${url}` : url;
  if (isExpress4) {
    const parse = (req.app as WithQueryParser).get("query parser fn");
    const [, query = ""] = url.split(/\?(.*)/s);
    Object.assign(req, { query: typeof parse === "function" ? parse(query) : {} });
  }
}

/**
 * Before the next middleware at the same path, Express 4 takes away the slash it had put before a bare query, whatever stands
 * there by then; Express 5 looks first.
 */
function losesSlash({ originalUrl, baseUrl }: Request, url: string): boolean {
  return !originalUrl.slice(baseUrl.length).startsWith("/") && url !== "/" && !url.startsWith("/?");
}

function formObject(form: string): Record<string, Json> {
  const object = Object.create(null) as Record<string, Json>;
  for (const [name, value] of new URLSearchParams(form)) {
    const before = object[name];
    if (before === undefined) object[name] = value;
    // S9: copied for each value, a list of as many as a body may hold would take hours.
    else if (Array.isArray(before)) before.push(value);
    else object[name] = [before, value];
  }
  return object;
}
