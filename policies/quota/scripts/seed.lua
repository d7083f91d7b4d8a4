-- KEYS is the counter's name. ARGV: a time or '', what was spent, and time to live. What
-- was spent is the least that counts then; a counter that nobody has seeded begins with it.
local spent = tonumber(ARGV[2])
local c = open(KEYS[1], read(1)[1], 0, clock(ARGV[1]))
if c.seeded then
  c.total = math.max(c.total, spent)
else
  c.total, c.seeded = c.total + spent, true
end
c.changed = true
close(c, tonumber(ARGV[3]))
return 1
