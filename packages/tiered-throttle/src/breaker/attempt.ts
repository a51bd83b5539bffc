import type { Readable } from "node:stream";
import type { Report } from "./circuit.ts";
import type { CallVerdict } from "./classify.ts";
import type { ParsedBreaker } from "./options.ts";

/** Keeps the call open until a body has been read or has broken off, and learns from how it ended. */
export type FollowBody = (body: Readable) => void;

/** A signal of any kind. */
export interface Aborted {
  readonly aborted: boolean;
}

/** What ends a call. An `AbortController` is one; what is made for each of many calls may be something that costs less. */
export interface Aborting<Signal extends Aborted = AbortSignal> {
  readonly signal: Signal;
  abort(reason: unknown): void;
}

/** The work itself. It ends when `signal` aborts. */
export type UpstreamWork<Value, Signal extends Aborted = AbortSignal> = (
  signal: Signal,
  follow: FollowBody,
) => Promise<Value>;

export type Attempt<Value> = { readonly report: Report } & (
  | { readonly kind: "answered"; readonly value: Value }
  | { readonly kind: "threw"; readonly error: unknown }
  | { readonly kind: "timed-out" }
);

export interface Hooks {
  /** A body broke off after the call was reported. */
  readonly onBroken: () => void;
  /** The work has ended, whatever became of the call (F13). */
  readonly onEnd: () => void;
}

/** How the caller says that it has left. */
export interface Leaving<Signal extends Aborted = AbortSignal> {
  readonly signal?: AbortSignal;
  readonly abort?: Aborting<Signal>;
}

/** Runs the work once under our own deadline (F1), and says what it tells about the upstream. Never rejects. */
export async function attemptOnce<Value, Signal extends Aborted>(
  work: UpstreamWork<Value, Signal>,
  { timeoutMs, slowCallMs, classify, classifyError, now }: ParsedBreaker,
  { signal: caller, abort }: Leaving<Signal>,
  { onBroken, onEnd }: Hooks,
): Promise<Attempt<Value>> {
  const deadline = abort ?? (endingWith(caller) as unknown as Aborting<Signal>);
  const { signal } = deadline;
  let busy = 1;
  const letGo = (): void => {
    busy -= 1;
    if (busy === 0) onEnd();
  };
  const follow: FollowBody = (body) => {
    busy += 1;
    whenRead(body, (error) => {
      if (error !== undefined && !signal.aborted && !wasDestroyed(error)) onBroken();
      letGo();
    });
  };

  const began = now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => {
      resolve("late");
      deadline.abort(new DOMException("no answer within the deadline", "TimeoutError"));
    }, timeoutMs);
  });
  const working = start(work, signal, follow);
  void working.then(letGo);
  const ended = await Promise.race([working, late]);
  clearTimeout(timer);

  if (ended === "late") return { report: "failed", kind: "timed-out" };
  const slow = now() - began > slowCallMs;
  if ("error" in ended) return { report: reportOf(ended.error), kind: "threw", error: ended.error };
  const verdict = verdictOf(classify, ended.value);
  const report = verdict === "ignored" ? "none" : verdict === "good" && slow ? "slow" : verdict;
  return { report, kind: "answered", value: ended.value };

  function reportOf(error: unknown): Report {
    // A client that gives up on a slow answer has seen that it was slow; one that left before has seen nothing.
    if (caller?.aborted === true || abort?.signal.aborted === true) return slow ? "slow" : "none";
    const verdict = verdictOf(classifyError, error);
    return verdict === "ignored" ? "none" : verdict;
  }
}

/** Ends the call at our word and at the caller's. */
function endingWith(caller: AbortSignal | undefined): Aborting {
  const own = new AbortController();
  const signal = caller === undefined ? own.signal : AbortSignal.any([caller, own.signal]);
  return { signal, abort: (reason) => own.abort(reason) };
}

/** Three listeners, where `stream.finished` takes a dozen: this is done for every answer. */
function whenRead(body: Readable, told: (error: Error | undefined) => void): void {
  let isOver = false;
  const over = (error?: Error): void => {
    if (isOver) return;
    isOver = true;
    told(error);
  };
  body.once("end", over);
  body.once("close", () => over(body.errored ?? undefined));
  body.on("error", over);
}

/** A rule that throws vouches for nobody. */
function verdictOf<Subject>(rule: (subject: Subject) => CallVerdict, subject: Subject): CallVerdict {
  try {
    return rule(subject);
  } catch {
    return "failed";
  }
}

type Ended<Value> = { readonly value: Value } | { readonly error: unknown };

async function start<Value, Signal extends Aborted>(
  work: UpstreamWork<Value, Signal>,
  signal: Signal,
  follow: FollowBody,
): Promise<Ended<Value>> {
  try {
    return { value: await work(signal, follow) };
  } catch (error) {
    return { error };
  }
}

/** The reader closed the body before its end: its own choice. */
function wasDestroyed(error: NodeJS.ErrnoException): boolean {
  return error.code === "ERR_STREAM_PREMATURE_CLOSE" || error.code === "UND_ERR_ABORTED" || error.name === "AbortError";
}
