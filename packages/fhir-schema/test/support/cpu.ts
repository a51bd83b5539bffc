/** Milliseconds of processor time a piece of work takes: unlike the clock, it does not count what others are doing. */
export function cpuMilliseconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
