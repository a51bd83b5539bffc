import { readFile } from "node:fs/promises";
import { DependencyError } from "@wardline/policy-types";
import type { Response } from "mmdb-lib";
import type { GeoReader } from "./balp/geo.ts";

export const GEOLOCATION_UNREADABLE = "audit-event/geolocation-unreadable";

/**
 * Reads a database in MaxMind's format. None is shipped: choose one whose licence and age suit you.
 *
 * @throws {DependencyError} when there is none at that path
 */
export async function readGeoDatabase(path: string): Promise<GeoReader> {
  try {
    // Read only where a database is named.
    const { Reader } = await import("mmdb-lib");
    return new Reader<Response>(await readFile(path));
  } catch (cause) {
    throw new DependencyError(GEOLOCATION_UNREADABLE, "the geolocation database cannot be read", {
      cause,
      retryable: false,
    });
  }
}
