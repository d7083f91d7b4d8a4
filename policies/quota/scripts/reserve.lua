-- KEYS are the counters' names. ARGV: the reservation's id; and, packed, a time or 0, the
-- lease, how long a gateway that lives renews nothing at most, and for each counter:
-- whether the amount is held (1) or counts at once (0), whether it has to be seeded (1)
-- and the seed is given (2), most, amount, window, grain, time to live, seed, and since when
-- the limit holds.
--
-- Returns 0 if all is taken; {1, index, used, held, wait, reset} if a claim does not fit,
-- with times from now in microseconds, -1 for what is not known here; or {2, index, ...}
-- of what nobody has seeded.
local id, packed = ARGV[1], ARGV[2]
local now, lease, patience, at = struct.unpack('<ddd', packed)
local claims, counters, unknown, refused = {}, {}, {2}, nil
now = clock(now)
for i, name in ipairs(KEYS) do
  local holds, seeding, most, amount, window, grain, ttl, used, since
  holds, seeding, most, amount, window, grain, ttl, used, since, at = struct.unpack('<BBddddddd', packed, at)
  local c = open(name, window, ttl, now)
  if seeding > 0 and unseeded(c, since) then
    if seeding == 1 then table.insert(unknown, i) else seed(c, used, since) end
  end
  if not refused and amount > most - c.total - c.sum then refused = i end
  claims[i], counters[i] = {holds == 1, most, amount, grain}, c
end

-- freed is when what is in the window has shrunk by so much.
local function freed(c, amount)
  local log = c.log
  local from = log.gone
  for n = log.first, log.next do
    local entries = log.tail
    if n < log.next then entries = redis.call('HGET', c.name, 'l' .. n) end
    while from < #entries do
      local at, gone, following = struct.unpack(entry, entries, from)
      amount, from = amount - gone, following
      if amount <= 0 then return at + c.window end
    end
    from = 1
  end
  return c.now + c.window
end

-- explain is why a claim does not fit.
local function explain(i)
  local c, most, amount = counters[i], claims[i][2], claims[i][3]
  local wait, reset = -1, -1
  if c.total + amount <= most then
    -- It waits for others, which may be over at any time. Those whose gateway is gone are
    -- over with their lease.
    if c.now - c.touched > patience then wait = c.expiry - c.now end
  elseif c.window > 0 and amount <= most then
    wait = freed(c, c.total + amount - most) - c.now
  end
  if c.window > 0 then
    local tail = c.log.tail
    reset = c.window
    if c.sum == 0 and #tail > 0 then reset = struct.unpack(entry, tail, #tail - 15) + c.window - c.now end
  end
  return {1, i, c.total, c.sum, wait, reset}
end

local verdict = 0
if #unknown > 1 then
  verdict = unknown
elseif refused then
  verdict = explain(refused)
else
  for i, claim in ipairs(claims) do
    if claim[1] then
      hold(counters[i], id, claim[3], lease)
    else
      add(counters[i], claim[3], claim[4])
    end
  end
end
for _, c in ipairs(counters) do close(c) end
return verdict
