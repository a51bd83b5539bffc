// `npm run build [-- folder ...]`: sets up what is missing and compiles what has changed, of all packages or of a folder and what it needs.
import { build, setUp } from "./setup.mjs";

setUp();
build(...process.argv.slice(2));
