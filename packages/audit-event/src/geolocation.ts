import { readFile } from "node:fs/promises";
import { Reader, type Response } from "mmdb-lib";
import type { GeoReader } from "./balp/geo.ts";

/** Reads a database in MaxMind's format. None is shipped: choose one whose licence and age suit you. */
export async function readGeoDatabase(path: string): Promise<GeoReader> {
  return new Reader<Response>(await readFile(path));
}
