-- Takes the results and throws them away.
CREATE TEMPORARY TABLE results (
  window_start TIMESTAMP(3),
  origin STRING,
  `count` BIGINT,
  sum_delay_min BIGINT,
  mean_delay_min DOUBLE,
  worst_delay_min INT,
  over_15_min BIGINT
) WITH (
  'connector' = 'blackhole'
)
