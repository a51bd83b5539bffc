import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";

/** Who is calling. */
export interface Caller {
  /** Authority of the edge's certificate, PEM. */
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

export interface Asked {
  readonly method?: "GET" | "POST" | "DELETE";
  /** Sent as a form. */
  readonly form?: URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  /** Of a refusal: its stable code, `smart-auth/token-missing`. */
  readonly code: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** What the servers are called; where they are is this machine. */
const SERVER_NAME = "bulk.example.org";

/** One request on a connection of its own, so that each shows its own certificate. Rejects when the handshake fails. */
export function call(url: string, { token, ...tls }: Caller, asked: Asked = {}): Promise<Answer> {
  const { form, method = form === undefined ? "GET" : "POST" } = asked;
  const headers = {
    host: SERVER_NAME,
    accept: "application/fhir+json",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
    ...asked.headers,
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...tls, method, headers, servername: SERVER_NAME, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.once("error", reject);
      res.once("end", () => {
        const text = Buffer.concat(chunks).toString();
        const { statusCode = 0 } = res;
        resolve({
          status: statusCode,
          code: statusCode < 400 ? undefined : codeIn(text),
          headers: res.headers,
          text,
        });
      });
    });
    sent.once("error", reject);
    sent.end(form?.toString());
  });
}

interface Refusal {
  readonly issue?: readonly { readonly details?: { readonly coding?: readonly { readonly code?: string }[] } }[];
}

function codeIn(text: string): string | undefined {
  const { issue } = JSON.parse(text) as Refusal;
  return issue?.[0]?.details?.coding?.[0]?.code;
}
