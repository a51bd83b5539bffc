// A simulated week of 10,000 callers with labelled attacks: how soon each is found, and how often somebody is suspected without reason.
// Minutes long, so it is no part of `pnpm bench`: `pnpm build && node packages/abuse-monitor/bench/week.mjs`, CALLERS and WEEKS to choose.
import { compiled } from "../../../scripts/compiled.mjs";

const [{ renderWeek, simulateWeek }] = await compiled(import.meta.url, "../test/support/week.ts");
const callers = Number(process.env.CALLERS ?? 10_000);
for (const seed of [11, 12, 13].slice(0, Number(process.env.WEEKS ?? 1))) {
  const start = performance.now();
  const week = await simulateWeek({ seed, callers });
  console.log(`${callers} callers, one week, seed ${seed}\n${renderWeek(week)}`);
  console.log(`generated and replayed in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}
