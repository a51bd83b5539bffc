import { createPrivateKey, X509Certificate } from "node:crypto";
import { Agent, request } from "node:https";
import { Readable } from "node:stream";
import { createSecureContext } from "node:tls";

export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string | readonly string[];
}

/** Connections to the authorisation server at once; further questions wait, within their deadline. */
const CONNECTION_LIMIT = 32;
/** Answers without a body, which `Response` takes only so. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * A `fetch` that shows a client certificate, which the global one cannot: as much of it as a call to an authorisation
 * server needs. `undefined` when certificate and key are none, or do not belong together.
 *
 * Does NOT follow redirects, and does NOT speak to a server whose own certificate TLS does not accept.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8705#section-2
 */
export function certifiedFetch({ cert, key, ca }: ClientCertificate): typeof globalThis.fetch | undefined {
  const tls = { cert, key, ...(ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }) };
  try {
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return undefined;
    for (const one of [ca ?? []].flat()) new X509Certificate(one);
    createSecureContext(tls);
  } catch {
    return undefined;
  }
  const agent = new Agent({ ...tls, keepAlive: true, maxSockets: CONNECTION_LIMIT, minVersion: "TLSv1.2" });

  return (url, { method = "GET", headers, body, signal } = {}) =>
    new Promise((resolve, reject) => {
      const text = body instanceof URLSearchParams ? body.toString() : undefined;
      const sent = request(url as string, {
        agent,
        method,
        ...(signal === null || signal === undefined ? {} : { signal }),
        headers: {
          ...(headers as Record<string, string>),
          ...(text === undefined ? {} : { "Content-Type": "application/x-www-form-urlencoded" }),
        },
      });
      sent.on("error", reject);
      sent.once("response", (answer) => {
        const { statusCode: status = 502, headers: received } = answer;
        const type = received["content-type"];
        const facts = { status, headers: type === undefined ? {} : { "content-type": type } };
        if (BODILESS.has(status)) {
          answer.resume();
          resolve(new Response(null, facts));
          return;
        }
        resolve(new Response(Readable.toWeb(answer) as ReadableStream<Uint8Array>, facts));
      });
      sent.end(text);
    });
}
