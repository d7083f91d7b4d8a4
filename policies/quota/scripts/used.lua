-- KEYS are the counters' names. ARGV: an empty text; and, packed, a time or 0, and for each
-- counter: whether it has to be seeded, since when the limit holds, window and time to live. Returns what counts, -1
-- for what is not seeded.
local packed, used = ARGV[2], {}
local now, at = struct.unpack('<d', packed)
now = clock(now)
for i, name in ipairs(KEYS) do
  local seeding, since, window, ttl
  seeding, since, window, ttl, at = struct.unpack('<Bddd', packed, at)
  local c = open(name, window, ttl, now)
  used[i] = c.total
  if seeding > 0 and unseeded(c, since) then used[i] = -1 end
  close(c)
end
return used
