-- With allowed lateness. The window functions of windows.sql have none; this older form has it, by
-- three options that Flink's documentation calls experimental, and only when all three are set:
--   table.exec.emit.allow-lateness = ${lateness_min} min
--   table.exec.emit.late-fire.enabled = true
--   table.exec.emit.late-fire.delay = 0 ms
SELECT
  TUMBLE_START(scheduled, INTERVAL '1' HOUR) AS window_start,
  origin,
  COUNT(*) AS `count`,
  SUM(CAST(delay_min AS BIGINT)) AS sum_delay_min,
  AVG(CAST(delay_min AS DOUBLE)) AS mean_delay_min,
  MAX(delay_min) AS worst_delay_min,
  COUNT(*) FILTER (WHERE delay_min > 15) AS over_15_min
FROM flights
GROUP BY origin, TUMBLE(scheduled, INTERVAL '1' HOUR)
