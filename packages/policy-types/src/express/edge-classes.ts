import { IncomingMessage, ServerResponse } from "node:http";
import { type EdgeApp, markAsShaped } from "./one-shape.ts";

/** The classes of a server's requests and responses, as `http.createServer` and `https.createServer` take them. */
export interface EdgeClasses {
  readonly IncomingMessage: typeof IncomingMessage;
  readonly ServerResponse: typeof ServerResponse;
  /**
   * Makes what arrives from now on as `app` wants it: for a server whose app gives way to another. Returns false, and
   * makes Node's own objects, when the app's prototypes are none that Node's constructors can fill.
   */
  readonly follow: (app: EdgeApp) => boolean;
}

/**
 * Classes whose objects are born with an app's own prototypes. Express gives every request and response these prototypes
 * by `Object.setPrototypeOf`, which throws away what the engine has learned of the object's shape; on objects that have
 * them already the call does nothing. Nothing but the time it takes is different.
 */
export function edgeClasses(app: EdgeApp): EdgeClasses {
  const Request = bornAs(IncomingMessage);
  const Response = bornAs(ServerResponse);
  const follow = (followed: EdgeApp): boolean => {
    const fits = canCarry(followed);
    Request.prototype = fits ? followed.request : IncomingMessage.prototype;
    Response.prototype = fits ? followed.response : ServerResponse.prototype;
    return fits;
  };
  follow(app);
  return {
    IncomingMessage: Request as unknown as typeof IncomingMessage,
    ServerResponse: Response as unknown as typeof ServerResponse,
    follow,
  };
}

type Born = ((this: object, ...args: unknown[]) => void) & { prototype: object };

/**
 * A function and no class: the prototype of a class cannot be exchanged. Without a name, so that stack traces show the
 * base's.
 */
function bornAs(base: unknown): Born {
  const construct = base as (...args: unknown[]) => void;
  return descending(base as object, function (this: object, first: unknown, second: unknown): void {
    construct.call(this, first, second);
    markAsShaped(this);
  });
}

/**
 * V8 sizes the objects of a constructor by those it descends from. Without this most members do not fit in the object, and
 * the first that is stored under a symbol turns it into a dictionary.
 */
function descending(base: object, born: unknown): Born {
  return Object.setPrototypeOf(born, base) as Born;
}

function canCarry({ request, response }: EdgeApp): boolean {
  return (
    fills(IncomingMessage, request, () => [undefined]) &&
    fills(ServerResponse, response, () => [new IncomingMessage(undefined as never)])
  );
}

/**
 * Tries it once: a Node whose constructors are classes cannot be called so, and an accessor or a read-only member of the
 * app's prototype would catch what the constructor means for the object itself.
 */
function fills(base: unknown, prototype: unknown, args: () => unknown[]): boolean {
  const { prototype: natural } = base as { prototype: object };
  if (!isObject(prototype) || !Object.prototype.isPrototypeOf.call(natural, prototype)) return false;
  try {
    const Own = bornAs(base);
    Own.prototype = prototype;
    const born = Reflect.construct(Own, args()) as object;
    const plain = Reflect.construct(base as Born, args()) as object;
    return describe(born) === describe(plain);
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is object {
  return value !== null && typeof value === "object";
}

/** Names and kinds of an object's own members. */
function describe(value: object): string {
  return Reflect.ownKeys(value)
    .map((key) => {
      const descriptor = Object.getOwnPropertyDescriptor(value, key);
      return `${String(key)} ${typeof descriptor?.value} ${descriptor?.writable} ${descriptor?.enumerable}`;
    })
    .join("\n");
}
