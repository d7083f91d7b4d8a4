-- KEYS are the name under which it is noted that the reservation is settled, and the
-- counters' names. ARGV: the reservation's id; and, packed, a time or 0, how long to note it
-- in milliseconds, and for each counter: what was reserved, the amount to count, window,
-- grain and time to live. With a note of 0, holds are let go of and no more.
local id, packed = ARGV[1], ARGV[2]
local now, note, at = struct.unpack('<dd', packed)
if note > 0 and not redis.call('SET', KEYS[1], '1', 'NX', 'PX', note) then return 0 end
now = clock(now)
for i = 2, #KEYS do
  local reserved, amount, window, grain, ttl
  reserved, amount, window, grain, ttl, at = struct.unpack('<ddddd', packed, at)
  local c = open(KEYS[i], window, ttl, now)
  drop(c, id, reserved)
  add(c, amount, grain)
  close(c)
end
return 0
