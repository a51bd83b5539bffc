/**
 * Sends one Redis command and gives its reply: the only thing Wardline needs of a client, in the shape `rate-limit-redis` takes.
 *
 * node-redis: `(...args) => client.sendCommand(args)`. ioredis: `(command, ...args) => client.call(command, ...args)`.
 * Cluster: the first key stands after the command, or after the number of keys of an EVAL; route by it. All keys of one command share
 * a hash tag.
 *
 * Does NOT need a deadline of its own: the package that calls it has one.
 */
export type SendCommand = (...args: string[]) => Promise<unknown>;

/** Delivers what other instances publish on a channel. Rejects when the subscription cannot be had; gives the way to end it. */
export type Subscribe = (channel: string, onMessage: (message: string) => void) => Promise<() => Promise<void>>;
