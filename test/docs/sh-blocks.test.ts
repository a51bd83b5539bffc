import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeDesk } from "./desk.ts";
import { NOT_RUN } from "./not-run.ts";
import { buildProgram, runPage, shellBlocks } from "./run-page.ts";
import { commandsIn, NO_CURL } from "./shell.ts";
import { PROGRAM_STAGES, STAGES } from "./stages.ts";
import { DOCUMENTS, ROOT } from "./support.ts";

const TUTORIAL = "docs/tutorial.md";
const PATIENCE = 120_000;

describe("`sh` blocks", () => {
  let desk = "";
  beforeAll(async () => {
    buildProgram();
    desk = await makeDesk();
  }, PATIENCE);
  afterAll(() => rmSync(desk, { recursive: true, force: true }));

  it("stand on pages that are run, every one", () => {
    const pages = DOCUMENTS.filter((page) => shellBlocks(page).length > 0);
    expect(pages.sort()).toEqual([...Object.keys({ ...STAGES, ...PROGRAM_STAGES }), TUTORIAL].sort());
  });

  it.each(NOT_RUN)(
    "$command of $page is on a page still, and the test that runs it is there",
    ({ page, command, by }) => {
      const written = DOCUMENTS.filter((one) => page.test(one))
        .flatMap(shellBlocks)
        .flatMap(({ text }) => commandsIn(text));
      expect(written.filter((one) => command.test(one.replace(/ +#.*$/, "")))).not.toEqual([]);
      expect(by === undefined || existsSync(join(ROOT, by))).toBe(true);
    },
  );

  const asks = (page: string): boolean => shellBlocks(page).some(({ text }) => /^curl /m.test(text));
  describe.each(Object.entries(STAGES))("of %s", (page, stage) => {
    it.skipIf(NO_CURL && asks(page))(
      "do what it says",
      async () => {
        expect(await runPage(page, stage, desk)).toEqual([]);
      },
      PATIENCE,
    );
  });
});
