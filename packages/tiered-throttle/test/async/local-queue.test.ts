import { join } from "node:path";
import { queueContract } from "./support/contract.ts";
import { emptyFolder, localQueue } from "./support/queues.ts";

queueContract("local queue", async () => {
  const path = join(await emptyFolder(), "jobs.journal");
  return { make: (wish) => localQueue({ path, ...wish }) };
});
