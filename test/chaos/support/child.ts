import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";

/** Something the edge depends on, and how it breaks and comes back. */
export interface Part {
  kill(): Promise<void> | void;
  freeze(): void;
  /** From either. */
  restore(): Promise<void>;
}

/** A program of this folder in a process of its own. */
export async function startChild(program: string, args: readonly string[]): Promise<Part & { stop(): Promise<void> }> {
  let child = await begin();
  return {
    kill: () => end(child),
    freeze: () => void child.kill("SIGSTOP"),
    async restore() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGCONT");
      else child = await begin();
    },
    stop: () => end(child),
  };

  function begin(): Promise<ChildProcess> {
    const started = fork(join(import.meta.dirname, program), args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    return new Promise((resolve, reject) => {
      started.once("message", () => resolve(started));
      started.once("error", reject);
      started.once("exit", (code) => reject(new Error(`${program} ended with ${code}`)));
    });
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}
