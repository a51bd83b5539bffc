import { perimeter } from "@wardline/perimeter";
import type { PolicyDocument, RoutePolicy, TrustZone } from "@wardline/policy-types";
import { contextOf } from "@wardline/policy-types/express";
import { authorizationServerMetadata } from "@wardline/smart-auth";
import type { Express, RequestHandler } from "express";
import { perimeterOptions } from "../controls/perimeter.ts";
import type { Parts } from "../parts.ts";
import { isPublishedHere, serverMetadata } from "./metadata.ts";
import { type SignInPlaces, signInPlaces } from "./places.ts";
import { signInStages } from "./stages.ts";

/** The authorisation server behind one door. */
export interface SignInDoor {
  /** Tells requests to it from all others. */
  readonly open: RequestHandler;
  /** Stands in place of the perimeter for requests to it. */
  readonly perimeterBeside: (other: RequestHandler) => RequestHandler;
  /** Requires the stages that every request passes to be mounted. */
  readonly mount: (app: Express) => void;
}

/** `undefined` when none stands behind this door. */
export function signInDoor(parts: Parts, door: ReadonlySet<TrustZone>): SignInDoor | undefined {
  const { policy } = parts.checked;
  const places = signInPlaces(policy);
  if (places === undefined || !door.has(places.zone)) return undefined;
  return {
    open: openSignIn(places),
    perimeterBeside(other) {
      const own = perimeter(signInPerimeter(policy, places));
      return function perimeterBesideMiddleware(req, res, next) {
        return (contextOf(req).signIn === undefined ? other : own)(req, res, next);
      };
    },
    mount(app) {
      if (isPublishedHere(places, policy)) app.use(authorizationServerMetadata(serverMetadata(places, policy, door)));
      app.use(places.policy.path, signInStages(parts, places));
    },
  };
}

function openSignIn({ endpointOf, issuer, zone }: SignInPlaces): RequestHandler {
  return function openSignInMiddleware(req, _res, next) {
    const context = contextOf(req);
    const endpoint = endpointOf(context.originalUrl.split("?", 1)[0] ?? "");
    if (endpoint !== undefined) {
      context.signIn = { issuer, endpoint };
      context.media = "oauth";
      context.zone = zone;
      context.apiType = "sign-in";
    }
    next();
  };
}

const NO_ROUTES: readonly RoutePolicy[] = [];
/** Rules about addresses inside the network: an app on the user's own device is called back there (RFC 8252 section 7.3). */
const OF_ADDRESSES = ["ssrf/*"];
/** What the server or the app made up, and what the server compares as a whole. */
const OPAQUE = ["code_challenge", "state", "nonce", "launch", "login_hint", "id_token_hint", "code"] as const;
const ALL_CLASSES = ["sql", "nosql", "ldap", "shell", "template", "script", "traversal", "ssrf"].map(
  (name) => `${name}/*`,
);

/** A browser's session passes, pages keep their own content policy, and what is opaque is not taken for an attack. */
function signInPerimeter(policy: PolicyDocument, { policy: { path } }: SignInPlaces): Parameters<typeof perimeter>[0] {
  const { requestHeaders = [], hostileInput = {}, ...options } = perimeterOptions(policy, NO_ROUTES);
  const below = `${path}/*`;
  return {
    ...options,
    requestHeaders: [...requestHeaders, "cookie"],
    keepContentPolicy: true,
    hostileInput: {
      ...hostileInput,
      exceptions: [
        ...(hostileInput.exceptions ?? []),
        { path: below, rules: OF_ADDRESSES, parameter: "redirect_uri" },
        { path: below, rules: OF_ADDRESSES, parameter: "aud" },
        ...OPAQUE.map((parameter) => ({ path: below, rules: ALL_CLASSES, parameter })),
      ],
    },
  };
}
