import type { Terminal } from "./terminal.ts";

export interface Progress {
  /** So much of the whole is done. */
  at(done: number): void;
  end(): void;
}

const WIDTH = 30;
const EVERY_MS = 200;
const SILENT: Progress = Object.freeze({ at: () => undefined, end: () => undefined });

/** A bar with the time left, on standard error, when somebody watches it. Nothing otherwise. */
export function progressBar(terminal: Pick<Terminal, "watched" | "err" | "now">, total: number): Progress {
  if (!terminal.watched || total <= 0) return SILENT;
  const begun = terminal.now();
  let drawn = begun;
  let visible = false;
  return {
    at(done) {
      const now = terminal.now();
      if (now - drawn < EVERY_MS) return;
      drawn = now;
      visible = true;
      terminal.err(`\r${renderProgress(Math.min(1, done / total), now - begun)}`);
    },
    end() {
      if (visible) terminal.err("\r\u001b[K");
    },
  };
}

/** `[#####-----]  50 %  12 s left`. */
export function renderProgress(share: number, elapsedMs: number): string {
  const full = Math.round(share * WIDTH);
  const left = share === 0 ? "" : `  ${renderSeconds(((elapsedMs / share) * (1 - share)) / 1000)} left`;
  const bar = `[${"#".repeat(full)}${"-".repeat(WIDTH - full)}]`;
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %${left}\u001b[K`;
}

function renderSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
