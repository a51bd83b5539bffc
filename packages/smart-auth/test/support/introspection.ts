import type { IncomingMessage, ServerResponse } from "node:http";
import type { CryptoKey } from "jose";
import type { IntrospectionOptions } from "../../src/index.ts";
import type { SmartIssuer } from "../../src/issuer-options.ts";
import { AUDIENCE, claimsOf, NOW, SIGNER, sign } from "./issuer.ts";
import { listen } from "./servers.ts";

/** What the server says: a JSON value, or a raw answer. */
export type Saying = { readonly json: unknown } | { readonly raw: RawSaying } | "hangs";
export interface RawSaying {
  readonly status?: number;
  readonly type?: string;
  readonly body: string;
}

export interface Asked {
  readonly authorization: string | undefined;
  readonly accept: string | undefined;
  readonly form: URLSearchParams;
}

export interface IntrospectingServer {
  readonly url: string;
  readonly asked: Asked[];
  /** By token; others are not active. */
  readonly says: Map<string, Saying>;
  /** Resolves when the next question has arrived. */
  hold: Promise<void> | undefined;
  issuer(introspection?: Partial<IntrospectionOptions>): SmartIssuer;
  /** An active answer with these members changed. */
  active(change?: Record<string, unknown>): Record<string, unknown>;
  signed(inner: unknown, claims?: Record<string, unknown>, header?: object, key?: CryptoKey): Promise<Saying>;
}

/** An authorisation server that answers questions about tokens, and has a key set. */
export async function createIntrospectingServer(): Promise<IntrospectingServer> {
  const asked: Asked[] = [];
  const says = new Map<string, Saying>();
  const state = { hold: undefined as Promise<void> | undefined };
  const url = await listen((req: IncomingMessage, res: ServerResponse) => {
    if (req.url === "/jwks") {
      res.setHeader("content-type", "application/json").end(JSON.stringify({ keys: [SIGNER.jwk] }));
      return;
    }
    let text = "";
    req.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    req.once("end", () => {
      const form = new URLSearchParams(text);
      asked.push({ authorization: req.headers.authorization, accept: req.headers.accept, form });
      void (state.hold ?? Promise.resolve()).then(() => answer(res, says.get(form.get("token") ?? "")));
    });
  });
  return Object.assign(state, {
    url,
    asked,
    says,
    issuer: (introspection: Partial<IntrospectionOptions> = {}): SmartIssuer => ({
      issuer: url,
      audience: [AUDIENCE],
      jwksUri: `${url}/jwks`,
      introspection: {
        endpoint: `${url}/introspect`,
        clientId: "edge:1",
        authentication: { method: "client_secret_basic", secret: "s p/cret" },
        ...introspection,
      },
    }),
    active: (change: Record<string, unknown> = {}) => ({ active: true, ...claimsOf(url), ...change }),
    async signed(inner: unknown, claims: Record<string, unknown> = {}, header: object = {}, key?: CryptoKey) {
      const body = await sign(
        { iss: url, aud: AUDIENCE, iat: NOW, token_introspection: inner, ...claims },
        { alg: "ES256", kid: "k1", typ: "token-introspection+jwt", ...header },
        key ?? SIGNER.privateKey,
      );
      return { raw: { type: "application/token-introspection+jwt", body } };
    },
  });
}

function answer(res: ServerResponse, saying: Saying = { json: { active: false } }): void {
  if (saying === "hangs") return;
  const { status = 200, type = "application/json", body } = "raw" in saying ? saying.raw : jsonOf(saying.json);
  res.writeHead(status, { "content-type": type }).end(body);
}

function jsonOf(json: unknown): RawSaying {
  return { body: JSON.stringify(json) };
}
