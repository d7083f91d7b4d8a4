-- KEYS are the name under which it is noted that the reservation is settled, and the
-- counters' names. ARGV: the reservation's id, a time or '', how long to note it in
-- milliseconds, and for each counter: what was reserved, the amount to count ('' if
-- nothing is), window, grain and time to live. With a note of 0, holds are let go of and
-- no more.
local id, now, note = ARGV[1], clock(ARGV[2]), tonumber(ARGV[3])
if note > 0 and not redis.call('SET', KEYS[1], '1', 'NX', 'PX', note) then return 0 end
local states = read(2)
for i = 2, #KEYS do
  local a = 4 + (i - 2) * 5
  local c = open(KEYS[i], states[i - 1], tonumber(ARGV[a + 2]), now)
  drop(c, id, tonumber(ARGV[a]))
  if ARGV[a + 1] ~= '' then add(c, tonumber(ARGV[a + 1]), tonumber(ARGV[a + 3])) end
  close(c, tonumber(ARGV[a + 4]))
end
return 1
