import type { ServerResponse } from "node:http";
import type { Problem } from "../decision.ts";
import { contentDecoder } from "./content-coding.ts";
import { contextOf } from "./context.ts";
import type { Departure } from "./departure.ts";
import { type Judgement, judgeText, UNREADABLE } from "./judge.ts";
import { LineSplitter } from "./lines.ts";
import { DIGESTS, readFacts, removeHeaders } from "./response-headers.ts";

export interface LineEvents {
  /** A line was refused, or the stream cannot be read. */
  readonly onRefusal: (problem: Problem) => void;
  readonly onEnd: () => void;
}

/**
 * An NDJSON body on its way out: each line is judged by itself and sent at once. A problem when nothing of it can be: its
 * content coding is unknown, or a judge fails at the head.
 */
export function openJudgedLines(
  res: ServerResponse,
  departure: Departure,
  { onRefusal, onEnd }: LineEvents,
): LineSplitter | Problem {
  const coding = res.getHeader("content-encoding");
  const decoder = coding === undefined ? undefined : contentDecoder(String(coding));
  if (coding !== undefined && decoder === undefined) return UNREADABLE;

  removeHeaders(res, ["Content-Length", "Content-Encoding", "ETag", ...DIGESTS]);
  const { transforms, answerLimitBytes } = contextOf(res.req);
  const facts = readFacts(res, "line");
  const opening = departure.withHeaders(OPENING, facts);
  if (opening.kind === "refused") return opening.problem;
  return new LineSplitter({
    decoder,
    limitBytes: answerLimitBytes,
    onLine(line) {
      const judgement = judgeText(line, transforms, facts);
      if (judgement.kind === "refused") onRefusal(judgement.problem);
      if (judgement.kind === "refused" || judgement.kind === "dropped") return true;
      return departure.outlet.emit(Buffer.concat([judgement.kind === "same" ? line : judgement.bytes, NEWLINE]));
    },
    onEnd,
    onFault: () => onRefusal(UNREADABLE),
    onRoom: () => res.emit("drain"),
  });
}

/** Of the head alone: the lines are judged as they come. */
const OPENING: Judgement = Object.freeze({ kind: "same" });
const NEWLINE = Buffer.from("\n");
