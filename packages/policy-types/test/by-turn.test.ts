import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { AccessRecord } from "@wardline/policy-types";
import { expect, it, onTestFinished } from "vitest";
import { afterAnswer, byTurn, joinTurn } from "../src/express.ts";
import { uncaught } from "./support/uncaught.ts";

const TWO = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";

/** A server that asks `listener` first and then, if it goes on, `next`; and what a client reads that writes `text`. */
async function exchange(text: string, ...listeners: readonly RequestListener[]): Promise<string> {
  const server = createServer();
  for (const listener of listeners) server.on("request", listener);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.end(text);
  let answer = "";
  client.on("data", (chunk) => {
    answer += String(chunk);
  });
  client.on("error", () => undefined);
  await once(client, "close");
  return answer;
}

it("serves what one turn has brought together, in order", async () => {
  const seen: string[] = [];
  const answer = await exchange(
    TWO,
    (req) => void seen.push(`read ${req.url}`),
    byTurn((req, res) => {
      seen.push(`serve ${req.url}`);
      res.end(`answer to ${req.url}`);
    }),
  );
  expect(seen).toEqual(["read /1", "read /2", "serve /1", "serve /2"]);
  expect(answer.match(/answer to \/./g)).toEqual(["answer to /1", "answer to /2"]);
});

it("leaves each request the async context it came in", async () => {
  const storage = new AsyncLocalStorage<string | undefined>();
  const seen: (string | undefined)[] = [];
  const served = byTurn((_req, res) => {
    seen.push(storage.getStore());
    res.end();
  });
  await exchange(TWO, (req, res) => storage.run(req.url, served, req, res));
  expect(seen).toEqual(["/1", "/2"]);
});

it("lets a listener that throws fail alone, and loudly", async () => {
  const failed = uncaught();
  const served: unknown[] = [];
  await exchange(
    TWO,
    byTurn((req, res) => {
      if (req.url === "/1") {
        res.destroy();
        throw new Error("the first");
      }
      served.push(req.url);
      res.end();
    }),
  );
  expect((await failed)[0]).toMatchObject({ message: "the first" });
  expect(served).toEqual(["/2"]);
});

/** What is told of the request `path`, whose connection has ended when it is served. */
async function toldAfterTheEnd(path: string): Promise<{ events: string[]; records: AccessRecord[] }> {
  const events: string[] = [];
  const records: AccessRecord[] = [];
  const served = byTurn((req, res) => {
    req.on("close", () => events.push("request closed"));
    res.on("close", () => events.push("response closed"));
    afterAnswer(res, (record) => void records.push(record));
    res.end("too late");
  });
  const ended = new Promise<ServerResponse>((resolve) => {
    void exchange(TWO, (req, res) => {
      if (req.url !== path) return;
      req.socket.once("close", () => {
        served(req, res);
        setImmediate(() => setImmediate(resolve, res));
      });
      req.socket.destroy();
    });
  });
  expect((await ended).destroyed).toBe(true);
  return { events, records };
}

it.each([["/1"], ["/2"]])(
  "A15, F13: tells of the end to who listens when the connection of %s is gone already, once",
  async (path) => {
    const { events, records } = await toldAfterTheEnd(path);
    expect(events.toSorted()).toEqual(["request closed", "response closed"]);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ method: "GET", completed: false });
  },
);

it("a middleware of an app on a server of its own goes on with the requests of one turn together, each in its context", async () => {
  const storage = new AsyncLocalStorage<string | undefined>();
  const seen: string[] = [];
  await exchange(TWO, (req, res) => {
    storage.run(req.url, () => {
      seen.push(`read ${req.url}`);
      joinTurn(res, () => {
        seen.push(`serve ${storage.getStore()}`);
        res.end();
      });
    });
  });
  expect(seen).toEqual(["read /1", "read /2", "serve /1", "serve /2"]);
});

/** A middleware that joins the turn, and says when it was asked and when it went on. */
const joining =
  (seen: string[]): RequestListener =>
  (req, res) => {
    joinTurn(res, () => {
      seen.push(`serve ${req.url}`);
      res.end();
    });
    seen.push(`read ${req.url}`);
  };

it("goes on at once where the requests of the turn are served together already", async () => {
  const seen: string[] = [];
  await exchange(TWO, byTurn(joining(seen)));
  expect(seen).toEqual(["serve /1", "read /1", "serve /2", "read /2"]);
});

it("goes on by itself after a turn in which somebody threw", async () => {
  const failed = uncaught();
  await exchange(TWO, (req, res) =>
    joinTurn(res, () => {
      res.destroy();
      if (req.url === "/1") throw new Error("the first");
    }),
  );
  expect((await failed)[0]).toMatchObject({ message: "the first" });
  const seen: string[] = [];
  await exchange(TWO, joining(seen));
  expect(seen).toEqual(["read /1", "read /2", "serve /1", "serve /2"]);
});

it("A15, F13: begins nothing for a client that has gone in the same turn, and its request is recorded once", async () => {
  const records: AccessRecord[] = [];
  const begun: (string | undefined)[] = [];
  let told = 0;
  const gone = new Promise<void>((resolve) => {
    void exchange(TWO, (req, res) => {
      afterAnswer(res, (record) => {
        records.push(record);
        if (++told === 2) setImmediate(resolve);
      });
      joinTurn(res, () => void begun.push(req.url));
      if (req.url === "/2") req.socket.destroy();
    });
  });
  await gone;
  expect(records.map(({ completed }) => completed)).toEqual([false, false]);
  expect(begun).toEqual([]);
});
