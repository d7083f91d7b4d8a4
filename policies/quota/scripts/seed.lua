-- KEYS is the counter's name. ARGV: an empty text; and, packed, a time or 0, what was spent,
-- and time to live. What was spent is the least that counts then; a counter that nobody has
-- seeded begins with it.
local now, spent, ttl = struct.unpack('<ddd', ARGV[2])
local c = open(KEYS[1], 0, ttl, clock(now))
if c.seeded == 1 then
  c.total = math.max(c.total, spent)
else
  c.total, c.seeded = c.total + spent, 1
end
c.changed = true
close(c)
return 0
