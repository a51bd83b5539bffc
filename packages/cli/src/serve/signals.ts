/** Resolves at the first SIGTERM or SIGINT; until then SIGHUP calls `onHangup`. A second signal changes nothing (F15). */
export function untilSignal(onHangup: () => void): Promise<void> {
  process.on("SIGHUP", onHangup);
  return new Promise((resolve) => {
    process.on("SIGTERM", () => resolve());
    process.on("SIGINT", () => resolve());
  });
}
