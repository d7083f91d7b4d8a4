-- What the scripts have in common. Times are microseconds, as Redis's own clock has them
-- unless a test gives another; amounts are whole numbers up to 2^53.
--
-- What costs are bytes of strings, which Lua hashes one by one, and fields of tables: a
-- state is no longer than it must be, and ARGV[2] is numbers as struct.pack has them.
--
-- A counter is one key, a hash, which is lost as a whole or not at all. Its fields:
--
-- s is its state, as `layout` packs it: total, sum (of what is held) and latest, the time
-- that the counter has come to; ahead, by which that is beyond the clock; expiry, before
-- which nothing held expires; touched, when something was last held or renewed; kept, until
-- when the key lives; and whether it is seeded. If it has no window there may follow the
-- time since which the limit that it was seeded for holds. If its window slides there follow, as
-- `logged`: oldest, before which nothing in the log is; began, when the first part of its
-- newest entry came; first and next, the numbers of its pages; gone, up to which byte the
-- first of them has left the window; and the log's end.
--
-- The log is entries of time and amount, oldest first: pages l<first> to l<next - 1>, which
-- are full, and the end. h<reservation> is what one holds: the time at which it expires,
-- and the amount.
local layout, logged, entry, page = '<dddddddB', '<ddddB', '<dd', 128

-- slack is how far the clock may go back unnoticed: time stands still for as long.
local slack = 1000000

-- often is how close to each other it is searched for holds that are over.
local often = 250000

local function clock(given)
  if given > 0 then return given end
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

-- leave drops those of some entries that are not in the window any more, from a byte on.
-- Returns the byte of the first that is, beyond the last if none is.
local function leave(c, entries, from)
  local start, size = c.now - c.window, #entries
  while from < size do
    local at, amount, following = struct.unpack(entry, entries, from)
    if at > start then
      c.log.oldest = at
      return from
    end
    c.total, c.changed, from = c.total - amount, true, following
  end
  return from
end

-- forget drops what has left the window.
local function forget(c)
  local log = c.log
  while log.first < log.next do
    local name = 'l' .. log.first
    local entries = redis.call('HGET', c.name, name)
    log.gone = leave(c, entries, log.gone)
    if log.gone < #entries then return end
    redis.call('HDEL', c.name, name)
    log.first, log.gone = log.first + 1, 1
  end
  log.tail = string.sub(log.tail, leave(c, log.tail, 1))
end

-- expire drops what nobody has renewed, and counts anew what is held.
local function expire(c)
  local fields = redis.call('HGETALL', c.name)
  c.sum, c.expiry, c.changed = 0, math.huge, true
  for i = 1, #fields, 2 do
    if string.byte(fields[i]) == 104 then -- h
      local expires, amount = struct.unpack(entry, fields[i + 1])
      if expires <= c.now then
        redis.call('HDEL', c.name, fields[i])
      else
        c.sum, c.expiry = c.sum + amount, math.min(c.expiry, expires)
      end
    end
  end
  c.expiry = math.max(c.expiry, c.now + often)
end

-- open is a counter as it is at a time, to live for so many milliseconds at least if it is
-- changed; 0 is for good.
local function open(name, window, ttl, now)
  local total, sum, latest, ahead, expiry, touched, kept, seeded, rest, jumped = 0, 0, now, 0, math.huge, 0, 0, 0, nil, false
  local state = redis.call('HGET', name, 's')
  if state then
    total, sum, latest, ahead, expiry, touched, kept, seeded, rest = struct.unpack(layout, state)
    -- A clock that was set back is not waited for.
    if now + ahead < latest - slack then ahead, jumped = latest - now, true end
  end
  local c = {
    name = name, window = window, ttl = ttl, now = math.max(now + ahead, latest), ahead = ahead, kept = kept, changed = jumped,
    total = total, seeded = seeded, since = 0, sum = sum, expiry = expiry, touched = touched, log = false, field = false, value = false,
  }
  if window == 0 and rest and rest <= #state then c.since = struct.unpack('<d', state, rest) end
  if window > 0 then
    local oldest, began, first, following, gone, tail = 0, 0, 0, 0, 1, ''
    if rest then
      oldest, began, first, following, gone, rest = struct.unpack(logged, state, rest)
      tail = string.sub(state, rest)
    end
    c.log = {oldest = oldest, began = began, first = first, next = following, gone = gone, tail = tail}
    if total > 0 and oldest <= c.now - window then forget(c) end
  end
  if expiry <= c.now then expire(c) end
  return c
end

-- add counts an amount. What comes within a grain of the first part of the newest entry
-- goes in there.
local function add(c, amount, grain)
  if amount == 0 then return end -- an entry of nothing takes in no other, and the log would grow by each
  c.changed = true
  c.total = c.total + amount
  local log = c.log
  if not log then return end
  local size = #log.tail
  if size > 0 and c.now - log.began < grain then
    local _, newest = struct.unpack(entry, log.tail, size - 15)
    log.tail = string.sub(log.tail, 1, size - 16) .. struct.pack(entry, c.now, newest + amount)
    return
  end
  if size == 0 then log.oldest = c.now end
  if size >= page then
    c.field, c.value, log.tail, log.next = 'l' .. log.next, log.tail, '', log.next + 1
  end
  log.tail, log.began = log.tail .. struct.pack(entry, c.now, amount), c.now
end

-- hold holds an amount for a reservation that holds nothing.
local function hold(c, id, amount, lease)
  local expires = c.now + lease
  c.sum, c.expiry, c.touched, c.changed = c.sum + amount, math.min(c.expiry, expires), c.now, true
  c.field, c.value = 'h' .. id, struct.pack(entry, expires, amount)
end

-- drop lets go of what a reservation holds.
local function drop(c, id, amount)
  if redis.call('HDEL', c.name, 'h' .. id) == 1 then
    c.sum, c.changed = c.sum - amount, true
  end
end

-- unseeded reports whether what was used before is not known, for a limit that holds since
-- a time.
local function unseeded(c, since) return c.seeded == 0 or c.since < since end

-- seed takes in what was used before, which is the least that counts; a counter that nobody
-- has seeded begins with it.
local function seed(c, used, since)
  if c.seeded == 1 then
    c.total = math.max(c.total, used)
  else
    c.total, c.seeded = c.total + used, 1
  end
  c.since, c.changed = math.max(c.since, since), true
end

-- close writes a counter back. It is kept for a quarter longer than asked for, so as not to
-- say so each time.
local function close(c)
  if not c.changed then return end
  local late, forGood, log = c.ttl > 0 and c.kept < c.now + c.ttl * 1000, c.ttl == 0 and c.kept > 0, c.log
  if late then c.kept = c.now + c.ttl * 1250 elseif forGood then c.kept = 0 end
  local state = struct.pack(layout, c.total, c.sum, c.now, c.ahead, c.expiry, c.touched, c.kept, c.seeded)
  if log then
    state = state .. struct.pack(logged, log.oldest, log.began, log.first, log.next, log.gone) .. log.tail
  elseif c.since > 0 then
    state = state .. struct.pack('<d', c.since)
  end
  if c.field then
    redis.call('HSET', c.name, 's', state, c.field, c.value)
  else
    redis.call('HSET', c.name, 's', state)
  end
  if late then redis.call('PEXPIRE', c.name, math.ceil(c.ttl * 1.25)) end
  if forGood then redis.call('PERSIST', c.name) end
end
