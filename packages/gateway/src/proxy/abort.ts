import { EventEmitter } from "node:events";

/**
 * An `AbortController` that is its own signal, in the form undici takes besides `AbortSignal`: an emitter of `abort`. One is
 * made for each forwarded request, and V8 knows no `AbortSignal` again, because Node gives each its prototype afterwards.
 */
export class Abort extends EventEmitter {
  aborted = false;
  reason: unknown = undefined;

  get signal(): this {
    return this;
  }

  /** Once; what comes after changes nothing. */
  abort(reason: unknown = new DOMException("nobody waits for the answer", "AbortError")): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.emit("abort");
  }
}
