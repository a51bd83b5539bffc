import { createHash } from "node:crypto";

/**
 * Judges every limit of a request and charges all of them or none, in one step that nothing can come between (F14). Needs
 * Redis 5 or later.
 *
 * KEYS: one per limit. ARGV: `limit, cost, windowMs` for a window; `limit, cost, 0, carry` and six period starts (two past,
 * the current, three to come) for a quota. Time is Redis's own, so no instance's clock matters: windows live by
 * expiry, quotas look up their period in the starts.
 *
 * Gives `admitted, now`, then `hasRoom, limit, remaining, leftMs, lengthMs` per limit; `-1, now` when the starts do not
 * reach Redis's time, and nothing was charged.
 */
export const TAKE_SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply, charges, expiries, costs, at = { 1, now }, {}, {}, {}, 1
for i, key in ipairs(KEYS) do
  local limit, cost, windowMs = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  at = at + 3
  local used, left, length
  if windowMs > 0 then
    used, left, length = tonumber(redis.call('GET', key) or 0), redis.call('PTTL', key), windowMs
    if left <= 0 then
      used, left = 0, windowMs
      charges[i] = { 'SET', key, cost, 'PX', windowMs }
    else
      charges[i] = { 'INCRBY', key, cost }
    end
  else
    local carry, starts, period = tonumber(ARGV[at]), {}, nil
    for n = 1, 6 do starts[n] = tonumber(ARGV[at + n]) end
    at = at + 7
    for n = 2, 5 do
      if starts[n] <= now and now < starts[n + 1] then period = n end
    end
    if not period then return { -1, now } end
    left, length = starts[period + 1] - now, starts[period + 1] - starts[period]
    local stored = redis.call('HMGET', key, 'start', 'used', 'before')
    local start, before = tonumber(stored[1] or 0), 0
    used = 0
    if start >= starts[period] then
      used, before = tonumber(stored[2]), tonumber(stored[3])
    elseif start >= starts[period - 1] then
      before = tonumber(stored[2])
    end
    charges[i] = { 'HSET', key, 'start', math.max(start, starts[period]), 'used', used + cost, 'before', before }
    expiries[i] = { 'PEXPIRE', key, left + (carry > 0 and 2 * length or 0) }
    limit = limit + math.min(carry, math.max(0, limit - before))
  end
  local room = limit - used
  if room < cost then reply[1] = 0 end
  for _, value in ipairs({ room < cost and 0 or 1, limit, room, left, length }) do
    reply[#reply + 1] = value
  end
  costs[i] = cost
end
if reply[1] == 0 then return reply end
local function call(command)
  for n, value in ipairs(command) do
    if type(value) == 'number' then command[n] = string.format('%.0f', value) end
  end
  redis.call(unpack(command))
end
for i in ipairs(KEYS) do
  call(charges[i])
  if expiries[i] then call(expiries[i]) end
  reply[5 * i] = reply[5 * i] - costs[i]
end
return reply
`;

export const TAKE_SHA1: string = createHash("sha1").update(TAKE_SCRIPT).digest("hex");
