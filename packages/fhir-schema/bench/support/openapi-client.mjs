// Sends one request again and again over kept connections, for openapi.bench.mjs, and says when all were answered.
import net from "node:net";

const CONNECTIONS = 16;

process.on("message", async ({ port, request, status, requests }) => {
  let left = requests;
  const one = () =>
    new Promise((resolve, reject) => {
      const socket = net.connect(port, "127.0.0.1");
      const next = () => {
        if (left-- > 0) socket.write(request);
        else socket.end(resolve);
      };
      socket.once("connect", next);
      socket.on("data", (data) => {
        const got = data.toString("latin1", 9, 12);
        // Nothing refuses for the app alone, which then does less.
        if (got === status || (status === "400" && got === "200")) next();
        else reject(new Error(data.toString("latin1")));
      });
      socket.once("error", reject);
    });
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, one));
    process.send("done");
  } catch (error) {
    process.send(error.message);
  }
});
