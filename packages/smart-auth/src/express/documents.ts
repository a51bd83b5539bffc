import type { RequestHandler } from "express";
import { type SmartConfigurationOptions, smartConfigurationDocument } from "../metadata.ts";
import { metadataUrl, type ProtectedResourceMetadataOptions, resourceMetadataDocument } from "../resource-metadata.ts";
import {
  type AuthorizationServerMetadataOptions,
  serverMetadataDocument,
  serverMetadataUrl,
} from "../server-metadata.ts";

const DEFAULT_MAX_AGE_SECONDS = 300;

/**
 * Answers `GET [base]/.well-known/smart-configuration`: mount it at that path, before `smartAuth`. Always JSON, readable
 * from any origin. Throws a `ConfigurationError` when the document would not conform.
 *
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html
 */
export function smartConfiguration(options: SmartConfigurationOptions): RequestHandler {
  const isAtPath = (path: string) => path.endsWith("/.well-known/smart-configuration");
  return publicDocument(smartConfigurationDocument(options), isAtPath, options.maxAgeSeconds);
}

/**
 * Answers `GET /.well-known/oauth-protected-resource` followed by the path of the resource: mount it at the root of the
 * app. Throws a `ConfigurationError` when the document would not conform.
 *
 * Does NOT sign the document.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-3
 */
export function protectedResourceMetadata(options: ProtectedResourceMetadataOptions): RequestHandler {
  const document = resourceMetadataDocument(options);
  const { pathname } = new URL(metadataUrl(options.resource));
  return publicDocument(document, (path) => path === pathname, options.maxAgeSeconds);
}

/**
 * Answers `GET /.well-known/oauth-authorization-server` followed by the path of the issuer: mount it at the root of an app
 * that stands before the authorization server. Throws a `ConfigurationError` when the document would not conform.
 *
 * Does NOT offer what `refuseLegacyGrants` refuses, and does NOT sign the document.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8414#section-3
 */
export function authorizationServerMetadata(options: AuthorizationServerMetadataOptions): RequestHandler {
  const document = serverMetadataDocument(options);
  const { pathname } = new URL(serverMetadataUrl(options.issuer));
  return publicDocument(document, (path) => path === pathname, options.maxAgeSeconds);
}

function publicDocument(
  document: Readonly<Record<string, unknown>>,
  isAtPath: (path: string) => boolean,
  maxAgeSeconds = DEFAULT_MAX_AGE_SECONDS,
): RequestHandler {
  const body = JSON.stringify(document);
  const headers = {
    "Content-Type": "application/json; charset=utf-8",
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": `public, max-age=${maxAgeSeconds}`,
    "Content-Length": Buffer.byteLength(body),
  };
  return function publicDocumentMiddleware(req, res, next) {
    const [path = ""] = req.originalUrl.split("?");
    // S7: a public route is an exact path, also where Express would match what lies below it.
    if (!isAtPath(path)) next();
    else if (req.method === "OPTIONS") {
      res.writeHead(204, { "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, HEAD" }).end();
    } else if (req.method === "GET" || req.method === "HEAD") {
      res.writeHead(200, headers).end(req.method === "HEAD" ? undefined : body);
    } else next();
  };
}
