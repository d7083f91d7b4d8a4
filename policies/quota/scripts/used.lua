-- KEYS are the counters' names. ARGV: an empty text; and, packed, a time or 0, and for each
-- counter: whether it has to be seeded, window and time to live. Returns what counts, -1
-- for what is not seeded.
local packed, used = ARGV[2], {}
local now, at = struct.unpack('<d', packed)
now = clock(now)
for i, name in ipairs(KEYS) do
  local seeding, window, ttl
  seeding, window, ttl, at = struct.unpack('<Bdd', packed, at)
  local c = open(name, window, ttl, now)
  used[i] = c.total
  if seeding > 0 and c.seeded == 0 then used[i] = -1 end
  close(c)
end
return used
