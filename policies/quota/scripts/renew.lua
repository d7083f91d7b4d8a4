-- KEYS are the counters' names. ARGV: the reservation's id; and, packed, a time or 0, the
-- lease, and for each counter: amount, window and time to live.
local id, packed = ARGV[1], ARGV[2]
local now, lease, at = struct.unpack('<dd', packed)
now = clock(now)
for _, name in ipairs(KEYS) do
  local amount, window, ttl
  amount, window, ttl, at = struct.unpack('<ddd', packed, at)
  local c = open(name, window, ttl, now)
  if redis.call('HEXISTS', name, 'h' .. id) == 1 then c.sum = c.sum - amount end
  hold(c, id, amount, lease)
  close(c)
end
return 0
