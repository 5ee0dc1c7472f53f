-- SPDX-License-Identifier: GPL-2.0-only
-- wrk -s wrk_count.lua URL -- COUNT: each thread stops behind its COUNT-th answer. With one connection a thread, no request
-- is cut off.
local left

function init(args)
	left = tonumber(args[1])
end

function response()
	left = left - 1
	if left == 0 then
		wrk.thread:stop()
	end
end
