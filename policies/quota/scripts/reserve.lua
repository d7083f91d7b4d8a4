-- KEYS are the counters' names. ARGV: the reservation's id, a time or '', the lease, and
-- for each counter: measure, most, amount, window, grain, seed ('' unless known, '-' if
-- none is needed) and time to live.
--
-- Returns {0} if all is taken; {1, index, used, held, wait, reset} if a claim does not
-- fit, with times from now in microseconds, -1 for what only the caller's calendar
-- knows; or {2, index, ...} of what nobody has seeded.
local id, now, lease = ARGV[1], clock(ARGV[2]), tonumber(ARGV[3])
local claims, unseeded, states = {}, {2}, read(1)
for i, name in ipairs(KEYS) do
  local a = 4 + (i - 1) * 7
  local claim = {
    measure = ARGV[a], most = tonumber(ARGV[a + 1]), amount = tonumber(ARGV[a + 2]), grain = tonumber(ARGV[a + 4]),
    ttl = tonumber(ARGV[a + 6]), counter = open(name, states[i], tonumber(ARGV[a + 3]), now),
  }
  local seed, c = ARGV[a + 5], claim.counter
  if seed ~= '-' and not c.seeded then
    if seed == '' then
      table.insert(unseeded, i)
    else
      c.total, c.seeded, c.changed = c.total + tonumber(seed), true, true
    end
  end
  claims[i] = claim
end

local function finish(verdict)
  for _, claim in ipairs(claims) do close(claim.counter, claim.ttl) end
  return verdict
end

if #unseeded > 1 then return finish(unseeded) end

-- freed is when what is in the window has shrunk by so much.
local function freed(c, amount)
  local log, from, portion = c.name .. ':log', 0, 100
  while true do
    local entries = redis.call('LRANGE', log, from, from + portion - 1)
    for _, entry in ipairs(entries) do
      local at, gone = parse(entry)
      amount = amount - gone
      if amount <= 0 then return tonumber(at) + c.window end
    end
    if #entries < portion then return c.now + c.window end
    from = from + portion
  end
end

for i, claim in ipairs(claims) do
  local c = claim.counter
  if claim.amount > claim.most - c.total - c.sum then
    local wait, reset = -1, -1
    if c.window > 0 then
      reset = c.window
      local newest = redis.call('LINDEX', c.name .. ':log', -1)
      if c.sum == 0 and newest then reset = tonumber((parse(newest))) + c.window - c.now end
      if c.total + claim.amount > claim.most and claim.amount <= claim.most then
        wait = freed(c, c.total + claim.amount - claim.most) - c.now
      end
    end
    return finish({1, i, text(c.total), text(c.sum), text(wait), text(reset)})
  end
end

for _, claim in ipairs(claims) do
  if claim.measure == 'requests' then
    add(claim.counter, claim.amount, claim.grain)
  else
    hold(claim.counter, id, claim.amount, lease)
  end
end
return finish({0})
