import { beforeAll, expect, it } from "vitest";
import { buildProgram, runPage } from "./run-page.ts";
import { PROGRAM_STAGES } from "./stages.ts";

const PATIENCE = 120_000;
beforeAll(buildProgram, PATIENCE);

it.each(Object.entries(PROGRAM_STAGES))(
  "the commands of %s do what it says",
  async (page, stage) => {
    expect(await runPage(page, stage, "")).toEqual([]);
  },
  PATIENCE,
);
