// nginx before an upstream, where it is installed.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";

export const hasNginx = () => spawnSync("nginx", ["-v"]).status === 0;

/** Ends with this process. */
export async function serveByNginx(folder, upstream) {
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  mkdirSync(join(folder, "temp"));
  writeFileSync(file, configuration(folder, port, new URL(upstream).host));
  const nginx = spawn("nginx", ["-c", file, "-p", folder, "-e", "stderr"], { stdio: "ignore" });
  process.once("exit", () => nginx.kill());
  await untilListening(port);
  return { url: `http://127.0.0.1:${port}`, cpuUsed: () => cpuOf(nginx.pid) };
}

const configuration = (folder, port, target) => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/temp/body;
  proxy_temp_path ${folder}/temp/proxy;
  fastcgi_temp_path ${folder}/temp/fastcgi;
  uwsgi_temp_path ${folder}/temp/uwsgi;
  scgi_temp_path ${folder}/temp/scgi;
  keepalive_requests 1000000;
  upstream ehr { server ${target}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://ehr; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`;

/** In the form of `process.cpuUsage()`; the kernel counts in hundredths of a second. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  const [user, system] = [fields[11], fields[12]].map((ticks) => Number(ticks) * 10_000);
  return { user, system };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilListening(port) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const isThere = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("nginx does not listen");
}
