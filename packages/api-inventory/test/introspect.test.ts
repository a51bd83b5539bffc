import { EXPRESS } from "@wardline-tools/test-kit";
import { describe, expect, it } from "vitest";
import { mountedRoutes } from "../src/index.ts";

const nothing = () => undefined;

describe.each(EXPRESS)("mountedRoutes on %s", (_name, express) => {
  const list = (app: unknown) => mountedRoutes(app).map(({ method, path }) => `${method} ${path}`);

  it("an application without routes has none", () => {
    expect(list(express())).toEqual([]);
  });

  it("what is no application has none", () => {
    for (const other of [undefined, null, 1, "x", {}, nothing, { stack: [] }]) expect(list(other)).toEqual([]);
  });

  it("finds routes, all methods, lists of paths and nested routers", () => {
    const app = express();
    app.use(nothing);
    app.get("/a", nothing).post("/a", nothing);
    app.all("/b.txt", nothing);
    app.get(["/c", "/d/:id"], nothing);
    const inner = express.Router();
    inner.get("/", nothing);
    inner.put("/x-y/:z", nothing);
    const outer = express.Router();
    outer.use("/in", inner);
    app.use(outer);
    app.use("/api/v1", outer);
    app.use("/by/:org", inner);
    const found = list(app);
    expect(found.filter((one) => one.endsWith(" /a")).sort()).toEqual(["GET /a", "POST /a"]);
    expect(found.some((one) => one.endsWith(" /b.txt"))).toBe(true);
    for (const one of [
      "GET /c",
      "GET /d/:id",
      "GET /in",
      "PUT /in/x-y/:z",
      "GET /api/v1/in",
      "PUT /api/v1/in/x-y/:z",
      "GET /by/:org",
      "PUT /by/:org/x-y/:z",
    ]) {
      expect(found).toContain(one);
    }
  });

  it("a mount that is a regular expression is shown as unknown, not left out", () => {
    const app = express();
    const router = express.Router();
    router.get("/x", nothing);
    app.use(/^\/v[0-9]+/, router);
    expect(list(app)).toEqual(["GET /{mount}/x"]);
  });

  it("a mounted application is read when it is given too", () => {
    const app = express();
    const sub = express();
    sub.get("/x", nothing);
    app.use("/sub", sub);
    expect(list(sub)).toEqual(["GET /sub/x"]);
  });
});
