import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Problem } from "../decision.ts";
import { isNotModified, type Withheld } from "./conditional.ts";
import { contextOf, type RequestContext } from "./context.ts";
import { JUDGE_FAILED, type Judgement } from "./judge.ts";
import type { Outlet } from "./outlet.ts";
import { renderProblem } from "./render-problem.ts";
import { DIGESTS, isVersionTag, removeHandlerHeaders, removeHeaders, setHeaders } from "./response-headers.ts";
import type { AnswerFacts, Json } from "./transform.ts";

/** Sends what was judged, with a head that is true of the body that leaves. */
export class Departure {
  readonly outlet: Outlet;
  /** Conditions the client set, taken from the handler when judging began. */
  withheld: Withheld | undefined;
  readonly #res: ServerResponse;
  readonly #context: RequestContext;

  constructor(res: ServerResponse, outlet: Outlet) {
    this.#res = res;
    this.#context = contextOf(res.req);
    this.outlet = outlet;
  }

  /** Puts into the head what the transforms have to say. A judge that fails in saying it has not permitted anything (S12). */
  withHeaders<Verdict extends Judged>(verdict: Verdict, facts: AnswerFacts): Verdict | Refused {
    if (verdict.kind === "refused") return verdict;
    try {
      this.#applyHeaders(facts);
      return verdict;
    } catch {
      return { kind: "refused", problem: JUDGE_FAILED };
    }
  }

  #applyHeaders(facts: AnswerFacts): void {
    const { transforms } = this.#context;
    if (transforms.length === 0) return;
    // Each sees the handler's head, so all are asked before any is heard.
    const said: SaidHeaders[] = [];
    for (const transform of transforms) {
      const headers = transform.headers?.(facts);
      if (headers !== undefined) said.push(headers);
    }
    // A part of a judged body cannot be judged, so parts are not offered; nor are fields that come behind it.
    removeHeaders(this.#res, NOT_OFFERED);
    const [only] = said;
    if (only !== undefined) setHeaders(this.#res, said.length === 1 ? only : agreed(said));
  }

  /**
   * Keeps Express from hashing a whole body for an entity tag that nobody may use: what must not be stored is not asked for again
   * by its tag. One that the handler gave stays.
   *
   * @see https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.5
   */
  withoutTag(): void {
    const res = this.#res;
    if (res.hasHeader("etag") || (this.#context.mayBeStored && !isNoStore(res))) return;
    // Express makes none where there is one; it leaves with no answer.
    res.setHeader("ETag", NO_TAG);
  }

  removeNoTag(): void {
    if (this.#res.getHeader("etag") === NO_TAG) this.#res.removeHeader("ETag");
  }

  /** The last (mostly the only) piece, or 304 when the client has the answer already. */
  finish(bytes: Buffer): void {
    const res = this.#res;
    this.removeNoTag();
    if (this.withheld !== undefined && !this.outlet.begun) {
      if (this.#clientHasIt(this.withheld)) {
        res.statusCode = 304;
        removeHeaders(res, ["Content-Type", "Content-Length", "Transfer-Encoding"]);
        this.outlet.emit("end");
        return;
      }
      res.removeHeader("Transfer-Encoding");
      // RFC 9110 section 8.6: there is none with 204, which has no body whatever the handler writes.
      if (bytes.length > 0 && res.statusCode !== 204) res.setHeader("Content-Length", bytes.length);
    }
    if (bytes.length === 0) this.outlet.emit("end");
    else this.outlet.emit(bytes, "end");
  }

  /** A body other than the handler's: what described the handler's bytes does not describe these. */
  finishChanged(bytes: Buffer, body: Json): void {
    const res = this.#res;
    removeHeaders(res, DIGESTS);
    const tag = res.getHeader("etag");
    if (tag !== undefined && !isVersionTag(String(tag), body)) {
      res.setHeader("ETag", `W/"${createHash("sha256").update(bytes).digest("base64url")}"`);
    }
    this.finish(bytes);
  }

  /** A problem in place of the answer; where something of that has left already, the connection ends. */
  refuse(problem: Problem): void {
    const res = this.#res;
    if (res.headersSent || this.outlet.passed) {
      res.destroy();
      return;
    }
    const { status, headers, body } = renderProblem(problem, this.#context);
    removeHandlerHeaders(res);
    res.statusCode = status;
    res.statusMessage = "";
    setHeaders(res, headers);
    res.setHeader("Content-Length", body.length);
    this.outlet.replace(body, "end");
  }

  /** A resource in place of an answer that had no JSON body. */
  finishInstead(body: Json): void {
    removeHeaders(this.#res, ["Content-Encoding", "ETag", ...DIGESTS]);
    this.#res.setHeader("Content-Type", "application/fhir+json; charset=utf-8");
    this.finish(Buffer.from(JSON.stringify(body)));
  }

  finishWithoutBody(): void {
    removeHeaders(this.#res, ["Content-Type", "Content-Length", "Content-Encoding", "ETag", ...DIGESTS]);
    this.outlet.emit("end");
  }

  #clientHasIt(withheld: Withheld): boolean {
    const res = this.#res;
    const { method } = this.#context;
    const etag = res.getHeader("etag")?.toString();
    const lastModified = res.getHeader("last-modified")?.toString();
    return (
      res.statusCode === 200 &&
      (method === "GET" || method === "HEAD") &&
      isNotModified(withheld, { etag, lastModified })
    );
  }
}

function isNoStore(res: ServerResponse): boolean {
  return String(res.getHeader("cache-control")).toLowerCase().includes("no-store");
}

const NO_TAG = 'W/"none"';

interface Judged {
  readonly kind: string;
}
type Refused = Extract<Judgement, { kind: "refused" }>;

const NOT_OFFERED: readonly string[] = ["Accept-Ranges", "Trailer"];

type SaidHeaders = Readonly<Record<string, string | undefined>>;

/**
 * One removal is enough, whoever else sets the field; of two that set it the earlier stage is heard: a rewriter of addresses has
 * seen the handler's head, not what a guard put in its place.
 */
function agreed(said: readonly SaidHeaders[]): Record<string, string | undefined> {
  const names = new Map<string, string>();
  const fields: Record<string, string | undefined> = {};
  for (const headers of said) {
    for (const [name, value] of Object.entries(headers)) {
      const known = names.get(name.toLowerCase());
      if (known !== undefined && value !== undefined) continue;
      if (known === undefined) names.set(name.toLowerCase(), name);
      fields[known ?? name] = value;
    }
  }
  return fields;
}
