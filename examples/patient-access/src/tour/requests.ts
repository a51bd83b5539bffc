import { setTimeout as wait } from "node:timers/promises";
import type { AccessRecord } from "@wardline/policy-types";

/** What came back, and what the gateway recorded about it. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Json;
  readonly record: AccessRecord;
}

/** Only what the tour looks at. */
export interface Json {
  readonly resourceType?: string;
  readonly id?: string;
  readonly entry?: readonly {
    readonly resource?: Json;
    readonly response?: { readonly status: string };
  }[];
  readonly subject?: { readonly reference?: string };
}

/** Keeps the gateway's records until they are asked for, by request id. */
export class RecordBook {
  readonly #records = new Map<string, AccessRecord>();
  #open = true;

  readonly add = (record: AccessRecord): void => {
    if (this.#open) this.#records.set(record.requestId, record);
  };

  /** The record is written when the answer has ended, which may be a moment after it arrived. */
  async take(requestId: string): Promise<AccessRecord> {
    for (let tries = 0; tries < 200; tries++) {
      const record = this.#records.get(requestId);
      if (record !== undefined) return record;
      await wait(10);
    }
    throw new Error("the gateway recorded nothing about the request");
  }

  get requestIds(): readonly string[] {
    return [...this.#records.keys()];
  }

  /** Nothing is kept from here on. */
  close(): void {
    this.#open = false;
    this.#records.clear();
  }
}

export type Ask = (path: string, options?: AskOptions) => Promise<Answered>;
export interface AskOptions {
  readonly token?: string;
  /** Sent by POST as FHIR JSON. */
  readonly body?: object;
}

export function asker(fhirBase: string, book: RecordBook): Ask {
  return async (path, { token, body } = {}) => {
    const answer = await fetch(fhirBase + path, {
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/fhir+json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    const text = await answer.text();
    const record = await book.take(answer.headers.get("x-request-id") ?? "");
    return { status: answer.status, headers: answer.headers, text, json: JSON.parse(text) as Json, record };
  };
}

export function resourcesOf({ entry = [] }: Json): readonly Json[] {
  return entry.flatMap(({ resource }) => resource ?? []);
}

/** Why the gateway let it through or did not, in the words of the control that decided. */
export function reasonsOf({ decisions, problem }: AccessRecord): string {
  const decisive = decisions.filter(({ control, kind }) =>
    problem === undefined ? control === "smart-auth" : kind === "deny",
  );
  const reasons = [...new Set(decisive.flatMap(({ because }) => because))].join("; ");
  return problem === undefined ? reasons : `${problem}: ${reasons}`;
}
