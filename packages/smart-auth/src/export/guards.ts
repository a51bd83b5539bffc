import type { Problem } from "@wardline/policy-types";
import type { AnswerFacts, BodyTransform, BodyVerdict, Json } from "@wardline/policy-types/express";
import { KEEP } from "@wardline/policy-types/express";
import type { OnRefusal } from "../guard/answer.ts";
import { AnswerUnreadable } from "../guard/facts.ts";
import { type Bases, belowBase, NO_ADDRESSES } from "../guard/locations.ts";
import { bareOutcome } from "../guard/outcome.ts";
import { ANSWER_NOT_FHIR, ANSWER_OPAQUE, NOT_FOUND } from "../problems.ts";
import { isFhirResource } from "../resource.ts";
import type { Rights } from "../rights.ts";
import type { ExportFile, ExportJob } from "./job.ts";
import { judgeDeleted, judgeManifest } from "./manifest.ts";

export interface JobFacts {
  readonly job: ExportJob;
  readonly bases: Bases;
  readonly rights: Rights;
  /** No line of a file can be withheld. */
  readonly mayCount: boolean;
  readonly onRefusal: OnRefusal;
  /** Told of what the answer changes; it is stored before the answer leaves. */
  readonly onChange: (job: ExportJob) => void;
}

/**
 * Judges the answer to a kick-off: the server's status URL stays here, the client gets one of ours. Anything but 202 is
 * left to `otherwise`.
 */
export function kickOffGuard(otherwise: BodyTransform, { job, bases, onRefusal, onChange }: JobFacts): BodyTransform {
  function accepted({ headers }: AnswerFacts): BodyVerdict {
    const status = belowBase(headers["content-location"] ?? "", bases);
    if (status === undefined || status === "") {
      return refusal(onRefusal, ANSWER_NOT_FHIR, "the export's status URL lies elsewhere");
    }
    onChange({ ...job, status });
    return { kind: "drop" };
  }
  const judge = (answer: AnswerFacts, rest: () => BodyVerdict): BodyVerdict =>
    answer.status === 202 ? accepted(answer) : rest();
  return {
    name: otherwise.name,
    stage: otherwise.stage,
    json: (body, answer) => judge(answer, () => otherwise.json(body, answer)),
    opaque: (answer) => judge(answer, () => otherwise.opaque?.(answer) ?? KEEP),
    empty: (answer) => judge(answer, () => otherwise.empty?.(answer) ?? KEEP),
    headers: (answer) =>
      answer.status === 202
        ? { ...NO_ADDRESSES, "Content-Location": `${bases.baseUrl}/_export/${job.id}` }
        : { ...otherwise.headers?.(answer), ...NO_ADDRESSES },
  };
}

/** Judges what the server says of a job: its progress, its manifest, that it was cancelled. */
export function statusGuard({ job, bases, mayCount, onRefusal, onChange }: JobFacts): BodyTransform {
  return {
    name: "smart-auth/export-status",
    stage: "guard",
    json(body, { status }) {
      if (isFhirResource(body) && body.resourceType === "OperationOutcome") {
        return status === 202 ? { kind: "drop" } : { kind: "replace", body: bareOutcome(body) };
      }
      if (status === 202) return { kind: "drop" };
      return attempt(onRefusal, () => {
        if (status !== 200) throw new AnswerUnreadable("no manifest and no outcome");
        const { manifest, files } = judgeManifest(body, { job, bases, mayCount });
        onChange({ ...job, files });
        return { kind: "replace", body: manifest };
      });
    },
    opaque: ({ status }) =>
      status === 202 ? { kind: "drop" } : refusal(onRefusal, ANSWER_OPAQUE, "the answer is not JSON"),
    headers: ({ headers }) => ({ ...NO_ADDRESSES, "X-Progress": progressOf(headers["x-progress"]) }),
  };
}

/** R4 async.html: text of the server's choice; what may hold a name is left out. */
function progressOf(text: string | undefined): string | undefined {
  return text !== undefined && /^(?:[\d.,/ %]{1,30}|in[- ]progress|accepted|queued|running)$/i.test(text)
    ? text
    : undefined;
}

/** Judges one file line by line: each line of the type the manifest says, and covered as any other answer is. */
export function fileGuard(
  file: ExportFile,
  lines: BodyTransform,
  { job, bases, rights, onRefusal }: JobFacts,
): BodyTransform {
  return {
    name: "smart-auth/export-file",
    stage: "guard",
    json(body, answer) {
      if (answer.unit !== "line") return judgeWhole(body, answer);
      return attempt(onRefusal, () => judgeLine(body, answer));
    },
    opaque: () => refusal(onRefusal, ANSWER_OPAQUE, "the file is not NDJSON"),
    headers: () => NO_ADDRESSES,
  };

  function judgeWhole(body: Json, { status }: AnswerFacts): BodyVerdict {
    if (status === 404 || status === 410) return refusal(onRefusal, NOT_FOUND, "the file is gone");
    return isFhirResource(body) && body.resourceType === "OperationOutcome" && status >= 400
      ? { kind: "replace", body: bareOutcome(body) }
      : refusal(onRefusal, ANSWER_NOT_FHIR, "the file is not NDJSON");
  }

  function judgeLine(body: Json, answer: AnswerFacts): BodyVerdict {
    if (!isFhirResource(body)) throw new AnswerUnreadable("a line is no resource");
    if (body.resourceType !== file.type) return { kind: "drop" };
    if (file.kind === "error") return { kind: "replace", body: bareOutcome(body) };
    if (file.kind === "output") return lines.json(body, answer);
    const judged = judgeDeleted(body, job, { bases, rights });
    return judged === undefined ? { kind: "drop" } : { kind: "replace", body: judged };
  }
}

function attempt(onRefusal: OnRefusal, judge: () => BodyVerdict): BodyVerdict {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof AnswerUnreadable)) throw error;
    return refusal(onRefusal, ANSWER_NOT_FHIR, error.message);
  }
}

function refusal(onRefusal: OnRefusal, problem: Problem, because: string): BodyVerdict {
  onRefusal(problem, because);
  return { kind: "refuse", problem };
}
