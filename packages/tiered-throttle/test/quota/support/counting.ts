/** Counts one owner's requests as fast as it can, until it is killed. */
import { openQuotaFile } from "../../../src/index.ts";

const memory = await openQuotaFile({ file: process.argv[2] ?? "", everyMs: 10 });
const counts = memory.countsOf("tier", "contract", "address");
const forever = Number.MAX_SAFE_INTEGER;
let used = 0;
setInterval(() => {
  used += 1;
  counts.set("owner", { used, carried: 0, resetAt: forever, lengthMs: 1, forgetAt: forever });
  memory.changed();
}, 1);
