import type { Transform } from "node:stream";
import { Pieces } from "./pieces.ts";

export interface LineSplitterOptions {
  /** Undoes a content coding first. */
  readonly decoder: Transform | undefined;
  /** Longest line, in bytes. */
  readonly limitBytes: number;
  /** Takes one line without its newline; returns false when it wants a pause. */
  readonly onLine: (line: Buffer) => boolean;
  readonly onEnd: () => void;
  /** The stream is broken or a line too long. */
  readonly onFault: () => void;
  /** Called when writing may go on after `write` returned false. */
  readonly onRoom: () => void;
}

/** Cuts a byte stream into lines. Empty lines are skipped, a carriage return before the newline is removed. */
export class LineSplitter {
  readonly #options: LineSplitterOptions;
  readonly #rest = new Pieces();
  #stopped = false;

  constructor(options: LineSplitterOptions) {
    this.#options = options;
    const { decoder } = options;
    decoder?.on("data", (chunk: Buffer) => this.#take(chunk));
    decoder?.on("drain", () => options.onRoom());
    decoder?.once("end", () => this.#finish());
    decoder?.once("error", () => this.#fault());
  }

  write(chunk: Buffer): boolean {
    if (this.#stopped) return true;
    const { decoder } = this.#options;
    return decoder === undefined ? this.#take(chunk) : decoder.write(chunk);
  }

  end(chunk: Buffer | undefined): void {
    if (chunk !== undefined) this.write(chunk);
    if (this.#stopped) return;
    if (this.#options.decoder === undefined) this.#finish();
    else this.#options.decoder.end();
  }

  stop(): void {
    this.#stopped = true;
    this.#rest.drop();
    this.#options.decoder?.destroy();
  }

  #take(chunk: Buffer): boolean {
    let room = true;
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1 && !this.#stopped; at = chunk.indexOf(NEWLINE, start)) {
      this.#rest.add(chunk.subarray(start, at));
      room = this.#line(this.#rest.take()) && room;
      start = at + 1;
    }
    if (start < chunk.length) {
      this.#rest.add(chunk.subarray(start));
      if (this.#rest.size > this.#options.limitBytes) this.#fault();
    }
    return room;
  }

  #line(line: Buffer): boolean {
    const trimmed = line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
    return trimmed.length === 0 ? true : this.#options.onLine(trimmed);
  }

  #finish(): void {
    if (this.#stopped) return;
    if (this.#rest.size > 0) this.#line(this.#rest.take());
    this.#options.onEnd();
  }

  #fault(): void {
    if (this.#stopped) return;
    this.stop();
    this.#options.onFault();
  }
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
