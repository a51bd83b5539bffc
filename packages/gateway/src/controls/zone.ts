import { type TrustZone, ZONE_PRESETS } from "@wardline/policy-types";
import { contextOf, recordDecision, sendProblem } from "@wardline/policy-types/express";
import type { RequestHandler } from "express";
import { CERTIFICATE_NEEDED, CLIENT_NOT_LISTED, WRONG_METHOD } from "../problems.ts";

const CONTROL = "zone";

/** Refuses who presented no certificate to this edge's own TLS. */
export const requireClientCertificate: RequestHandler = function requireClientCertificate(req, res, next) {
  if (contextOf(req).transport.clientCertificate !== undefined) return next();
  const because = ["no client certificate on this connection"];
  recordDecision(req, { control: CONTROL, kind: "deny", because, code: CERTIFICATE_NEEDED.code });
  sendProblem(res, CERTIFICATE_NEEDED);
};

/**
 * Refuses who proved who they are in another way than the zone's: a token opens nothing for devices, a device's
 * certificate nothing elsewhere. Requires to stand behind authentication; public routes have no principal and pass.
 */
export function requireMethodOf(zone: TrustZone): RequestHandler {
  const isForDevices = ZONE_PRESETS[zone].authentication === "device-certificate";

  return function requireMethodOfZone(req, res, next) {
    const { principal } = contextOf(req);
    if (principal === undefined || (principal.method === "client-certificate") === isForDevices) return next();
    const because = [`${principal.method} does not count in the ${zone} zone`];
    recordDecision(req, { control: CONTROL, kind: "deny", because, code: WRONG_METHOD.code });
    sendProblem(res, WRONG_METHOD);
  };
}

/**
 * Refuses clients the route does not name. Requires to stand behind authentication; public routes have no principal and
 * pass.
 */
export function requireClientOf(clients: readonly string[]): RequestHandler {
  const listed = new Set(clients);

  return function requireClientOfRoute(req, res, next) {
    const { principal } = contextOf(req);
    if (principal === undefined || (principal.clientId !== undefined && listed.has(principal.clientId))) return next();
    const because = ["the route does not name this client"];
    recordDecision(req, { control: CONTROL, kind: "deny", because, code: CLIENT_NOT_LISTED.code });
    sendProblem(res, CLIENT_NOT_LISTED);
  };
}
