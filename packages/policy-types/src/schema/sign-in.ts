import { TRUST_ZONES } from "../zones.ts";
import { algorithms } from "./authority.ts";
import { closed, list, name, someWords, text, url } from "./parts.ts";

const path = {
  type: "string",
  pattern: "^(/[A-Za-z0-9._~-]+)+$",
  description: "a path that begins with a slash and ends without one, `/token`",
} as const;

const page = {
  type: "string",
  pattern: "^(/[A-Za-z0-9._~-]+)+(/\\*)?$",
  description: "an exact path, `/logo.png`, or one with everything below it, `/interaction/*`",
} as const;

/** The member of the policy about the authorisation server behind the edge. */
export const signIn: object = closed(
  {
    issuer: url,
    upstream: name,
    zone: { enum: TRUST_ZONES },
    path,
    endpoints: closed(
      {
        token: path,
        authorization: path,
        jwks: path,
        introspection: path,
        revocation: path,
        registration: path,
      },
      ["token"],
    ),
    pages: { type: "array", minItems: 1, uniqueItems: true, items: page },
    clients: list(closed({ clientId: text, jwks: text, jwksUri: url }, ["clientId"])),
    assertions: { enum: ["listed", "all"] },
    assertionAudience: someWords,
    assertionAlgorithms: algorithms,
    tier: name,
  },
  ["upstream", "path", "endpoints"],
);
