-- What the scripts have in common. Times are microseconds, as Redis's own clock has them
-- unless a test gives another; amounts are whole numbers up to 2^53.
--
-- A counter is three keys. <name>:log is a list of "<time>:<amount>", oldest first;
-- <name>:held a sorted set of "<reservation>:<amount>" by the time at which it expires.
-- <name> is a hash of total, seeded, sum (of what is held) and latest; began, when the
-- first amount in the newest entry came; oldest, before which nothing in the log is;
-- expiry, before which nothing held expires; and kept, until when the keys live.
--
-- A call into Redis costs more than all else here: a claim takes four, HMGET to HSET.

local function clock(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function text(number) return string.format('%.0f', number) end

local function parse(entry)
  local time, amount = string.match(entry, '^(.*):(%d+)$')
  return time, tonumber(amount)
end

-- forget drops what has left the window.
local function forget(c)
  local log = c.name .. ':log'
  while true do
    local head = redis.call('LINDEX', log, 0)
    if not head then
      c.oldest = c.now
      return
    end
    local at, amount = parse(head)
    c.oldest = tonumber(at)
    if c.oldest > c.now - c.window then return end
    redis.call('LPOP', log)
    c.total, c.changed = c.total - amount, true
  end
end

-- expire drops what nobody has renewed.
local function expire(c)
  local held = c.name .. ':held'
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', held, '-inf', text(c.now))) do
    local _, amount = parse(member)
    redis.call('ZREM', held, member)
    c.sum = c.sum - amount
  end
  local first = redis.call('ZRANGE', held, 0, 0, 'WITHSCORES')
  c.expiry, c.changed = tonumber(first[2] or 'inf'), true
end

-- open reads a counter as it is at a time.
local function open(name, window, now)
  local state = redis.call('HMGET', name, 'total', 'seeded', 'sum', 'latest', 'began', 'oldest', 'expiry', 'kept')
  local c = {
    name = name, window = window, total = tonumber(state[1] or 0), seeded = state[2], sum = tonumber(state[3] or 0),
    began = tonumber(state[5] or 0), oldest = tonumber(state[6] or 0), expiry = tonumber(state[7] or 'inf'),
    kept = tonumber(state[8] or 0), changed = false,
  }
  c.sumBefore, c.expiryBefore = c.sum, c.expiry
  c.now = math.max(now, tonumber(state[4] or 0))
  if window > 0 and c.total > 0 and c.oldest <= c.now - window then forget(c) end
  if c.expiry <= c.now then expire(c) end
  return c
end

local function add(c, amount, grain)
  c.changed = true
  c.total = c.total + amount
  if c.window == 0 then return end
  local log = c.name .. ':log'
  if c.now - c.began < grain then
    local newest = redis.call('LINDEX', log, -1)
    if newest then
      local _, kept = parse(newest)
      redis.call('LSET', log, -1, text(c.now) .. ':' .. text(kept + amount))
      return
    end
  end
  c.newLog = redis.call('RPUSH', log, text(c.now) .. ':' .. text(amount)) == 1
  c.began = c.now
end

local function hold(c, id, amount, lease)
  local expires = c.now + lease
  c.newHeld = c.sum == 0
  c.sum = c.sum + amount * redis.call('ZADD', c.name .. ':held', text(expires), id .. ':' .. text(amount))
  c.expiry, c.changed = math.min(c.expiry, expires), true
end

local function drop(c, id, amount)
  if redis.call('ZREM', c.name .. ':held', id .. ':' .. text(amount)) == 1 then
    c.sum, c.changed = c.sum - amount, true
  end
end

-- close writes a counter back, to live for so many milliseconds at least; 0 is for good.
-- It is kept for a quarter longer, so as not to say so each time.
local function close(c, ttl)
  if not c.changed then return end
  local late = ttl > 0 and c.kept < c.now + ttl * 1000
  if late then c.kept = c.now + ttl * 1250 end
  local write = {'HSET', c.name, 'total', text(c.total), 'latest', text(c.now)}
  local function put(field, value)
    write[#write + 1] = field
    write[#write + 1] = value
  end
  if c.sum ~= c.sumBefore then put('sum', text(c.sum)) end
  if c.expiry ~= c.expiryBefore then put('expiry', c.expiry == math.huge and 'inf' or text(c.expiry)) end
  if c.window > 0 then
    put('began', text(c.began))
    put('oldest', text(c.oldest))
  end
  if c.seeded == true then put('seeded', '1') end
  if late then put('kept', text(c.kept)) end
  redis.call(unpack(write))
  if ttl == 0 then return end
  local life = math.floor(ttl * 1.25)
  if late then redis.call('PEXPIRE', c.name, life) end
  if late or c.newLog then redis.call('PEXPIRE', c.name .. ':log', life) end
  if late or c.newHeld then redis.call('PEXPIRE', c.name .. ':held', life) end
end
