-- What the scripts have in common. Times are microseconds, as Redis's own clock has them
-- unless a test gives another; amounts are whole numbers up to 2^53.
--
-- A counter is three keys. <name>:log is a list of "<time>:<amount>", oldest first;
-- <name>:held a sorted set of "<reservation>:<amount>" by the time at which it expires.
-- <name>:state is what `layout` packs: total, sum (of what is held) and latest; newest,
-- the amount of the log's newest entry, and began, when the first part of it came;
-- oldest, before which nothing in the log is; expiry, before which nothing held expires;
-- kept, until when the keys live; and whether it is seeded.
--
-- A call into Redis costs more than all else here: all counters are read by one, and
-- each is written by one.
local layout = '<ddddddddB'

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
      c.oldest, c.total, c.newest, c.changed = c.now, 0, 0, true
      return
    end
    local at, amount = parse(head)
    c.oldest = tonumber(at)
    if c.oldest > c.now - c.window then return end
    redis.call('LPOP', log)
    c.total, c.changed = c.total - amount, true
  end
end

-- recounted is up to how many holds are counted anew whenever some of them may be over.
local recounted = 100

-- expire drops what nobody has renewed.
local function expire(c)
  local held = c.name .. ':held'
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', held, '-inf', text(c.now))) do
    local _, amount = parse(member)
    redis.call('ZREM', held, member)
    c.sum = c.sum - amount
  end
  local left = redis.call('ZRANGE', held, 0, recounted, 'WITHSCORES')
  if #left <= 2 * recounted then
    -- These are all. The sum is too high if Redis has lost some: it has nothing else to fall by.
    c.sum = 0
    for i = 1, #left, 2 do
      local _, amount = parse(left[i])
      c.sum = c.sum + amount
    end
  end
  c.expiry, c.changed = tonumber(left[2] or 'inf'), true
end

-- read returns what is written of counters, false for those of which nothing is.
local function read(first)
  local names = {}
  for i = first, #KEYS do names[i - first + 1] = KEYS[i] .. ':state' end
  return redis.call('MGET', unpack(names))
end

-- open is a counter, of which something is written or false, as it is at a time.
local function open(name, state, window, now)
  local c = {name = name, window = window, total = 0, sum = 0, newest = 0, began = 0, oldest = 0, expiry = math.huge, kept = 0, changed = false}
  local latest, seeded = 0, 0
  if state then
    c.total, c.sum, latest, c.newest, c.began, c.oldest, c.expiry, c.kept, seeded = struct.unpack(layout, state)
  else
    -- What is left of an earlier life is in no sum.
    redis.call('DEL', name .. ':log', name .. ':held')
  end
  c.seeded = seeded == 1
  c.now = math.max(now, latest)
  if window > 0 and c.total > 0 and c.oldest <= c.now - window then forget(c) end
  if c.expiry <= c.now then expire(c) end
  return c
end

local function add(c, amount, grain)
  if amount == 0 then return end -- an entry of nothing takes in no other, and the log would grow by each
  c.changed = true
  c.total = c.total + amount
  if c.window == 0 then return end
  local log = c.name .. ':log'
  if c.newest > 0 and c.now - c.began < grain then
    c.newest = c.newest + amount
    -- It fails if Redis has lost the log.
    if not redis.pcall('LSET', log, -1, text(c.now) .. ':' .. text(c.newest)).err then return end
  end
  c.newLog = redis.call('RPUSH', log, text(c.now) .. ':' .. text(amount)) == 1
  c.newest, c.began = amount, c.now
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
  local state = struct.pack(layout, c.total, c.sum, c.now, c.newest, c.began, c.oldest, c.expiry, c.kept, c.seeded and 1 or 0)
  if ttl == 0 then
    redis.call('SET', c.name .. ':state', state)
    return
  end
  local life = text((c.kept - c.now) / 1000) -- the same end for all three
  redis.call('SET', c.name .. ':state', state, 'PX', life)
  if late or c.newLog then redis.call('PEXPIRE', c.name .. ':log', life) end
  if late or c.newHeld then redis.call('PEXPIRE', c.name .. ':held', life) end
end
