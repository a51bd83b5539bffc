import { request } from "node:https";

/** Who is calling, and from where. */
export interface Caller {
  /** Authority of the edge's certificate, PEM. */
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  /** Address the call comes from. Default 127.0.0.1. */
  readonly from?: string;
}

export interface Asked {
  readonly method?: "GET" | "POST";
  /** A resource, sent as FHIR JSON; a string, sent as a form. */
  readonly body?: object | string;
}

export interface Answer {
  readonly status: number;
  /** Of a refusal: its stable code, `smart-auth/token-missing`. */
  readonly code: string | undefined;
  /** Absent where the answer had none. */
  readonly body: Body | undefined;
}

/** What the example reads of a body: a resource, a bundle, a token, a refusal. */
export interface Body {
  readonly resourceType?: string;
  readonly entry?: readonly { readonly resource: { readonly id?: string } }[];
  readonly access_token?: string;
  /** Of an OperationOutcome. */
  readonly issue?: readonly { readonly details?: { readonly coding?: readonly { readonly code?: string }[] } }[];
  /** Of a refusal outside the FHIR paths (RFC 9457). */
  readonly code?: string;
}

/** What the servers are called; where they are is this machine. */
const SERVER_NAME = "fhir.example.org";

/** One request on a connection of its own, so that each shows its own certificate. Rejects when the handshake fails. */
export function call(
  url: string,
  { token, from = "127.0.0.1", ...tls }: Caller,
  { method, body }: Asked = {},
): Promise<Answer> {
  const form = typeof body === "string";
  const headers = {
    host: SERVER_NAME,
    accept: "application/fhir+json, application/json;q=0.9",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined
      ? {}
      : { "content-type": form ? "application/x-www-form-urlencoded" : "application/fhir+json" }),
  };
  const how = { method: method ?? (body === undefined ? "GET" : "POST"), headers, localAddress: from };
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...tls, ...how, servername: SERVER_NAME, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.once("error", reject);
      res.once("end", () => {
        const text = Buffer.concat(chunks).toString();
        const answered = text === "" ? undefined : (JSON.parse(text) as Body);
        resolve({ status: res.statusCode ?? 0, code: codeOf(answered), body: answered });
      });
    });
    sent.once("error", reject);
    sent.end(typeof body === "object" ? JSON.stringify(body) : body);
  });
}

function codeOf(body: Body | undefined): string | undefined {
  return body?.issue?.[0]?.details?.coding?.[0]?.code ?? (body?.resourceType === undefined ? body?.code : undefined);
}
