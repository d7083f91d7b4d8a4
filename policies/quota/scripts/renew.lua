-- KEYS are the counters' names. ARGV: the reservation's id, a time or '', the lease, and
-- for each counter: amount, window and time to live.
local id, now, lease = ARGV[1], clock(ARGV[2]), tonumber(ARGV[3])
local states = read(1)
for i, name in ipairs(KEYS) do
  local a = 4 + (i - 1) * 3
  local c = open(name, states[i], tonumber(ARGV[a + 1]), now)
  hold(c, id, tonumber(ARGV[a]), lease)
  close(c, tonumber(ARGV[a + 2]))
end
return 1
