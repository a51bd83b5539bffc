// `npm run api`: what each package exports, with its types, compared with api. `npm run api -- --update` writes it: a change of
// the public API is then seen in review, and belongs in the package's CHANGELOG.md.
import { mkdirSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CompilerState, Extractor, ExtractorConfig } from "@microsoft/api-extractor";
import { build, ROOT, readJson, setUp } from "./setup.mjs";

setUp();
build("packages/cli"); // and with it every other
const update = process.argv.includes("--update");
const reportFolder = join(ROOT, "api");
mkdirSync(reportFolder, { recursive: true });

const reports = readdirSync(join(ROOT, "packages")).flatMap(entries);
// One compilation for all of them: most of the time goes there.
const compilerState = CompilerState.create(reports[0].extractorConfig, {
  additionalEntryPoints: reports.map(({ extractorConfig }) => extractorConfig.mainEntryPointFilePath),
});
const different = reports.filter((report) => !same(report));
for (const { file } of different) console.error(`api/${file}.api.md is not what is exported`);
console.log(`public API: ${different.length} reports differ`);
if (different.length > 0) {
  console.error(
    "see the change with `npm run api -- --update` and `git diff api`; say it in the package's CHANGELOG.md",
  );
  process.exit(1);
}

/** Every entry point with types, as what the extractor is to do with it. */
function entries(name) {
  const { exports } = readJson(join(ROOT, "packages", name, "package.json"));
  return Object.entries(exports).flatMap(([path, { types }]) => {
    const file = `${name}${path.slice(1).replaceAll("/", "-")}`;
    return types === undefined
      ? []
      : [{ file, extractorConfig: configuration(join(ROOT, "packages", name), types, file) }];
  });
}

function configuration(projectFolder, types, reportFileName) {
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(projectFolder, "package.json"),
    configObject: {
      projectFolder,
      mainEntryPointFilePath: join(projectFolder, types),
      compiler: { tsconfigFilePath: join(projectFolder, "tsconfig.json") },
      apiReport: { enabled: true, reportFileName, reportFolder, reportTempFolder: join(tmpdir(), "wardline-api") },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
    },
  });
}

function same({ file, extractorConfig }) {
  const { succeeded, apiReportChanged } = Extractor.invoke(extractorConfig, {
    compilerState,
    localBuild: update,
    messageCallback: (message) => {
      message.handled = true;
      if (message.logLevel === "error") console.error(`${file}: ${message.text}`);
    },
  });
  return succeeded && (update || !apiReportChanged);
}
