import type { IncomingMessage } from "node:http";
import { closing, contextOf } from "@wardline/policy-types/express";
import type { RequestHandler } from "express";
import { type IdentityOptions, identityHeaders } from "../identity.ts";
import { stripHeaders } from "../request-headers.ts";

/**
 * For handlers in this process: puts the identity headers on the request, in place of whatever the client wrote there.
 * Requires to stand behind authentication.
 *
 * Does NOT tell an upstream: a proxy adds what `identityHeaders` gives.
 */
export function setIdentityHeaders(options: IdentityOptions = {}): RequestHandler {
  const { names, write } = identityHeaders(options);
  const owned: ReadonlySet<string> = new Set(names);

  return closing(async function setIdentityHeadersMiddleware(req, _res, next) {
    stripHeaders(req, (name) => !owned.has(name));
    try {
      addHeaders(req, await write(contextOf(req)));
    } catch (error) {
      return next(error);
    }
    next();
  });
}

/** In all forms Node offers. */
function addHeaders(req: IncomingMessage, added: Readonly<Record<string, string>>): void {
  const { headers, headersDistinct } = req;
  for (const [name, value] of Object.entries(added)) {
    headers[name] = value;
    headersDistinct[name] = [value];
    req.rawHeaders.push(name, value);
  }
}
