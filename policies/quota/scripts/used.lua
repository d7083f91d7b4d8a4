-- KEYS are the counters' names. ARGV: a time or '', and for each counter: window, whether
-- it has to be seeded ('1'), and time to live. Returns what counts, -1 for what is not
-- seeded.
local now, used, states = clock(ARGV[1]), {}, read(1)
for i, name in ipairs(KEYS) do
  local c = open(name, states[i], tonumber(ARGV[3 * i - 1]), now)
  used[i] = text(c.total)
  if ARGV[3 * i] == '1' and not c.seeded then used[i] = '-1' end
  close(c, tonumber(ARGV[3 * i + 1]))
end
return used
