import type { ServerResponse } from "node:http";
import type { Problem } from "../decision.ts";
import { lastChunk, toBuffer, type WriteArguments } from "./chunks.ts";
import { withholdConditions } from "./conditional.ts";
import { contextOf, type RequestContext } from "./context.ts";
import { Departure } from "./departure.ts";
import { decodeGathered, GatheredBody } from "./gathered.ts";
import { type HookedResponse, hookedJson, isOfExpress, isWrittenAsGiven, type WaysOut } from "./hooks.ts";
import { judgeHead, judgeJson, judgeText, TOO_LARGE, UNREADABLE } from "./judge.ts";
import { openJudgedLines } from "./judged-lines.ts";
import type { LineSplitter } from "./lines.ts";
import { isJsonMediaType, isNdjsonMediaType } from "./media-type.ts";
import { Outlet } from "./outlet.ts";
import { readFacts, setHeaders } from "./response-headers.ts";
import type { AnswerFacts, Json } from "./transform.ts";

/**
 * - `open`: the handler has not begun.
 * - `collect`: a JSON body is being gathered; nothing has been sent.
 * - `decode`: the whole body is here, and its content coding is being undone; what the handler still writes is discarded.
 * - `lines`: NDJSON, judged and sent line by line.
 * - `stream`: nothing to judge, or judged already; bytes pass through.
 * - `done`: the end has been handed on; whatever the handler still writes is discarded.
 */
type Phase = "open" | "collect" | "decode" | "lines" | "stream" | "done";

/** One answer on its way out: what the handler writes, held until it has been judged. */
export class Answer implements WaysOut {
  readonly outlet: Outlet;
  readonly #res: HookedResponse;
  readonly #context: RequestContext;
  readonly #nativeJson: HookedResponse["json"];
  readonly #isJsonOfExpress: boolean;
  readonly #departure: Departure;
  #phase: Phase = "open";
  #over = false;
  readonly #gathered = new GatheredBody();
  #lines: LineSplitter | undefined;

  constructor(res: HookedResponse) {
    this.#res = res;
    this.#context = contextOf(res.req);
    this.#nativeJson = res.json;
    this.#isJsonOfExpress = isOfExpress(res, "json");
    this.outlet = new Outlet(res, this);
    this.#departure = new Departure(res, this.outlet);
  }

  /** From now on the handler's answer is judged: it may not answer 304, 206 or a bodiless HEAD of its own. */
  judge(): void {
    if (this.#departure.withheld !== undefined) return;
    const { req } = this.#res;
    this.#departure.withheld = withholdConditions(req);
    // RFC 9110 section 9.3.2: HEAD is GET without the body, so it is judged as one; Node leaves the body out.
    if (req.method === "HEAD") req.method = "GET";
    this.outlet.dropsTrailers = true;
    if (this.#nativeJson !== undefined) this.#res.json = hookedJson;
  }

  refuse(problem: Problem): void {
    this.#context.problem ??= problem;
    this.#phase = "done";
    this.#gathered.drop();
    this.#lines?.stop();
    this.#departure.refuse(problem);
  }

  /** Only keeps what the handler gave: the head is sent when the answer is. */
  writeHead(args: readonly unknown[]): ServerResponse {
    const res = this.#res;
    if (this.outlet.passed) return this.outlet.sendHead(args);
    if (this.#phase === "done") return res;
    const [status, second, third] = args;
    res.statusCode = status as number;
    if (typeof second === "string") res.statusMessage = second;
    setHeaders(res, (typeof second === "string" ? third : second) as object | undefined);
    return res;
  }

  write([chunk, encoding, callback]: WriteArguments): boolean {
    const bytes = toBuffer(chunk, encoding);
    const done = typeof encoding === "function" ? encoding : callback;
    if (typeof done === "function") process.nextTick(done as () => void);
    if (this.#phase === "open") this.#begin();
    if (this.#phase === "collect") this.#collect(bytes);
    else if (this.#phase === "lines") return this.#lines?.write(bytes) ?? true;
    else if (this.#phase === "stream") return this.outlet.emit(bytes);
    // Nothing is wanted any more: a pipe pauses here until the response has closed.
    return this.#phase !== "done" && this.#phase !== "decode";
  }

  end(args: WriteArguments): ServerResponse {
    const res = this.#res;
    const { bytes, callback } = lastChunk(args);
    if (callback !== undefined && this.#phase !== "done" && this.#phase !== "decode") res.once("finish", callback);
    if (this.#phase === "open") {
      if (bytes.length === 0) this.#finishEmpty();
      else this.#begin();
    }
    switch (this.#phase) {
      case "collect":
        this.#collect(bytes);
        this.#judgeCollected();
        break;
      case "lines":
        this.#lines?.end(bytes);
        break;
      case "stream":
        this.#phase = "done";
        this.#departure.finish(bytes);
        break;
      case "open":
      case "decode":
      case "done":
    }
    return res;
  }

  closed(): void {
    if (this.#over) return;
    this.#over = true;
    this.#phase = "done";
    this.#gathered.drop();
    this.#lines?.stop();
    this.outlet.closed();
  }

  /**
   * `res.json` of a judged answer. A plain object is judged as it is: nothing is parsed, and Express serialises it once.
   * Anything that would be written otherwise than it reads is serialised first and judged as text.
   */
  json(args: readonly unknown[]): unknown {
    const res = this.#res;
    const asGiven = this.#phase === "open" && this.#isJsonOfExpress && isWrittenAsGiven(res, args);
    if (!asGiven) return this.#nativeJson?.apply(res, args as [unknown]);
    if (!res.hasHeader("content-type")) res.setHeader("Content-Type", "application/json; charset=utf-8");
    const facts = readFacts(res, "body");
    const judgement = this.#departure.withHeaders(judgeJson(args[0] as Json, this.#context.transforms, facts), facts);
    if (judgement.kind === "refused") return this.refuse(judgement.problem);
    if (judgement.kind === "dropped") this.#finishWithoutBody();
    else this.#writeJudged(judgement.kind === "changed" ? judgement.body : args[0]);
    return res;
  }

  #writeJudged(body: unknown): void {
    this.#phase = "stream";
    this.#departure.withoutTag();
    try {
      this.#nativeJson?.call(this.#res, body);
    } catch (failure) {
      this.#departure.removeNoTag();
      // What the handler sends in its place nobody has judged.
      if ((this.#phase as Phase) === "stream") this.#phase = "open";
      throw failure;
    }
  }

  /** The first byte is here: how will this body be judged? */
  #begin(): void {
    const { transforms, answerLimitBytes } = this.#context;
    if (transforms.length === 0) {
      this.#phase = "stream";
      return;
    }
    const facts = readFacts(this.#res, "body");
    if (facts.status === 206) this.refuse(UNREADABLE);
    else if (isNdjsonMediaType(facts.mediaType)) this.#beginLines();
    else if (!isJsonMediaType(facts.mediaType)) {
      if (!this.#endsByHead("opaque", facts)) this.#phase = "stream";
    } else if (Number(facts.headers["content-length"] ?? 0) > answerLimitBytes) this.refuse(TOO_LARGE);
    else this.#phase = "collect";
  }

  #collect(bytes: Buffer): void {
    if (!this.#gathered.add(bytes, this.#context.answerLimitBytes)) this.refuse(TOO_LARGE);
  }

  #judgeCollected(): void {
    if (this.#phase !== "collect") return;
    const whole = this.#gathered.take();
    const coding = this.#res.getHeader("content-encoding");
    if (coding === undefined) this.#judgeBytes(whole);
    else this.#decode(whole, String(coding));
  }

  #decode(coded: Buffer, coding: string): void {
    this.#phase = "decode";
    decodeGathered(this.#res, coded, { coding, limitBytes: this.#context.answerLimitBytes }).then(
      (plain) => {
        // Refused meanwhile, or nobody waits any more.
        if (this.#phase === "decode") this.#judgeBytes(plain());
      },
      () => {
        if (this.#phase === "decode") this.refuse(UNREADABLE);
      },
    );
  }

  #judgeBytes(bytes: Buffer): void {
    this.#phase = "done";
    const facts = readFacts(this.#res, "body");
    const judgement = this.#departure.withHeaders(judgeText(bytes, this.#context.transforms, facts), facts);
    if (judgement.kind === "refused") return this.refuse(judgement.problem);
    if (judgement.kind === "dropped") this.#finishWithoutBody();
    else if (judgement.kind === "same") this.#departure.finish(bytes);
    else this.#departure.finishChanged(judgement.bytes, judgement.body);
  }

  #finishEmpty(): void {
    if (this.#endsByHead("empty", readFacts(this.#res, "body"))) return;
    this.#phase = "done";
    this.outlet.emit("end");
  }

  /** Returns false when the handler's own answer goes on, with its head judged. */
  #endsByHead(which: "empty" | "opaque", facts: AnswerFacts): boolean {
    const judgement = this.#departure.withHeaders(judgeHead(which, this.#context.transforms, facts), facts);
    if (judgement.kind === "refused") {
      this.refuse(judgement.problem);
      return true;
    }
    if (judgement.kind === "same") return false;
    if (judgement.kind === "dropped") this.#finishWithoutBody();
    else {
      this.#phase = "done";
      this.#departure.finishInstead(judgement.body);
    }
    return true;
  }

  #finishWithoutBody(): void {
    this.#phase = "done";
    this.#departure.finishWithoutBody();
  }

  #beginLines(): void {
    this.#phase = "lines";
    const opened = openJudgedLines(this.#res, this.#departure, {
      onRefusal: (problem) => this.refuse(problem),
      onEnd: () => {
        if (this.#phase !== "lines") return;
        this.#phase = "done";
        this.outlet.emit("end");
      },
    });
    if ("code" in opened) this.refuse(opened);
    else this.#lines = opened;
  }
}
