import { type Findings, findings, refuseUnknownKeys } from "@wardline/policy-types";
import type { RequestHandler } from "express";
import { checkCount } from "../checks.ts";
import { lifeState } from "../observe/state.ts";
import { openApiDocument } from "../openapi/document.ts";
import { CONTENT, checkContent, type OpenApiOptions } from "../openapi/options.ts";
import { apiPage, PAGE_CSP } from "../openapi/page.ts";

export interface ApiDocumentsOptions extends Omit<OpenApiOptions, "now"> {
  /** Exact path of the document. Default `/openapi.json`. */
  readonly documentPath?: string;
  /** Exact path of the page. Default `/api.html`. */
  readonly pagePath?: string;
  /** How long both may be kept, in seconds. Default 300. */
  readonly maxAgeSeconds?: number;
  /** Milliseconds since the epoch: decides what is already retired. Default `Date.now`. */
  readonly now?: () => number;
}

interface Documents {
  readonly states: string;
  readonly document: string;
  readonly page: string;
}

/**
 * Publishes the OpenAPI document and its page to anybody (42 CFR 422.119(d)). Mount it at the root of the app, before
 * what demands a token.
 *
 * @throws {ConfigurationError} for a mistake in the options
 */
export function apiDocuments(options: ApiDocumentsOptions): RequestHandler {
  const { documentPath, pagePath, maxAgeSeconds, now, ...content } = parseOptions(options);
  let made = make();

  /** Endpoints become deprecated, and leave the document, on their day. */
  function current(): Documents {
    if (made.states !== statesOf()) made = make();
    return made;
  }

  function make(): Documents {
    const document = openApiDocument({ ...content, now: new Date(now()) });
    return { states: statesOf(), document: JSON.stringify(document), page: apiPage(document) };
  }

  function statesOf(): string {
    return content.entries.map((entry) => lifeState(entry, now())).join(" ");
  }

  return function apiDocumentsMiddleware(req, res, next): void {
    const [path = ""] = req.originalUrl.split("?");
    const isPage = path === pagePath;
    // S7: a public route is an exact path and method.
    if ((!isPage && path !== documentPath) || (req.method !== "GET" && req.method !== "HEAD")) return next();
    const { page, document } = current();
    const body = isPage ? page : document;
    res.writeHead(200, {
      "Content-Type": isPage ? "text/html; charset=utf-8" : "application/json; charset=utf-8",
      "Content-Length": Buffer.byteLength(body),
      "Cache-Control": `public, max-age=${maxAgeSeconds}`,
      "X-Content-Type-Options": "nosniff",
      ...(isPage ? { "Content-Security-Policy": PAGE_CSP } : { "Access-Control-Allow-Origin": "*" }),
    });
    res.end(req.method === "HEAD" ? undefined : body);
  };
}

type Place = Required<Pick<ApiDocumentsOptions, "documentPath" | "pagePath" | "maxAgeSeconds" | "now">>;

function parseOptions(options: ApiDocumentsOptions): ApiDocumentsOptions & Place {
  const found = findings();
  refuseUnknownKeys(found, options, [...CONTENT, "documentPath", "pagePath", "maxAgeSeconds", "now"]);
  checkContent(found, options);
  const { documentPath = "/openapi.json", pagePath = "/api.html", maxAgeSeconds = 300, now = Date.now } = options;
  checkPlace(found, { documentPath, pagePath, maxAgeSeconds, now });
  found.throwIfAny("apiDocuments()");
  return { ...options, documentPath, pagePath, maxAgeSeconds, now };
}

function checkPlace(found: Findings, { documentPath, pagePath, maxAgeSeconds, now }: Place): void {
  for (const [key, path] of Object.entries({ documentPath, pagePath })) {
    if (typeof path !== "string" || !path.startsWith("/")) found.add(key, "malformed", "begin with a slash");
  }
  if (documentPath === pagePath) found.add("pagePath", "duplicate", "give the page a path of its own");
  checkCount(found, "maxAgeSeconds", maxAgeSeconds, 0, 31_536_000);
  if (typeof now !== "function") found.add("now", "not-a-function", "give a function");
}
