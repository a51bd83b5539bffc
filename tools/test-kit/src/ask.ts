import { type IncomingHttpHeaders, request } from "node:http";

export interface Question {
  readonly method?: string;
  /** The request-target in place of the URL's path. */
  readonly target?: string;
  /** A list of `name, value, name, value` is sent line by line as given, repeats included. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | readonly string[];
  readonly body?: string | Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** `details.coding[0].code` of the OperationOutcome, if the body is one. */
  readonly code: string | undefined;
}

/** One request without any help of `fetch`: no decoding, no redirects, the method and the path as given. */
export function ask(url: string, { method = "GET", target, headers = {}, body }: Question = {}): Promise<Answer> {
  const [, origin = "", path] = /^(http:\/\/[^/?]+)(.*)$/s.exec(url) ?? [];
  const { hostname, port } = new URL(origin);
  const options = {
    hostname,
    port,
    path: target ?? (path === "" ? "/" : path),
    method,
    headers: headers as IncomingHttpHeaders,
  };
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.once("end", () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString();
        resolve({ status: res.statusCode ?? 0, headers: res.headers, bytes, text, code: codeIn(text) });
      });
      res.once("error", reject);
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

export function codeIn(text: string): string | undefined {
  if (!text.includes('"OperationOutcome"')) return undefined;
  const outcome = JSON.parse(text) as { issue?: { details?: { coding?: { code?: string }[] } }[] };
  return outcome.issue?.[0]?.details?.coding?.[0]?.code;
}
