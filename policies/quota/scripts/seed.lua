-- KEYS is the counter's name. ARGV: an empty text; and, packed, a time or 0, what was spent,
-- since when the limit holds, and time to live.
local now, spent, since, ttl = struct.unpack('<dddd', ARGV[2])
local c = open(KEYS[1], 0, ttl, clock(now))
seed(c, spent, since)
close(c)
return 0
