-- Without allowed lateness: each window once, when the watermark reaches its end.
SELECT
  window_start,
  origin,
  COUNT(*) AS `count`,
  SUM(CAST(delay_min AS BIGINT)) AS sum_delay_min,
  AVG(CAST(delay_min AS DOUBLE)) AS mean_delay_min,
  MAX(delay_min) AS worst_delay_min,
  COUNT(*) FILTER (WHERE delay_min > 15) AS over_15_min
FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(scheduled), INTERVAL '1' HOUR))
GROUP BY origin, window_start, window_end
