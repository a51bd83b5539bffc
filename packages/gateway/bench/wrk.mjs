// A client that costs a tenth of one on Node, where it is installed.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

export const hasWrk = () => spawnSync("wrk", ["-v"]).error === undefined;

/** Requests per second of a GET on 32 connections. */
export async function askByWrk({ url, token }, { path }, seconds) {
  const wrk = spawn("wrk", ["-t1", "-c32", `-d${seconds}s`, "-H", `Authorization: Bearer ${token}`, `${url}${path}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  wrk.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  await once(wrk, "close");
  const rate = Number(/Requests\/sec: +([\d.]+)/.exec(said)?.[1]);
  if (!(rate > 0) || said.includes("Non-2xx")) throw new Error(`wrk said ${said}`);
  return rate;
}
