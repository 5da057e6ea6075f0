-- Rows are written by INSERT ... ON CONFLICT DO UPDATE, as a primary key is declared.
CREATE TEMPORARY TABLE results (
  window_start TIMESTAMP(3),
  origin STRING,
  `count` BIGINT,
  sum_delay_min BIGINT,
  mean_delay_min DOUBLE,
  worst_delay_min INT,
  over_15_min BIGINT,
  PRIMARY KEY (window_start, origin) NOT ENFORCED
) WITH (
  'connector' = 'jdbc',
  'url' = '${jdbc_url}',
  'table-name' = '${table}'
)
