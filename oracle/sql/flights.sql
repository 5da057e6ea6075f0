-- The records in arrival order, and the watermark: the largest slot so far, less the bound.
-- Flink's watermark w says that nothing <= w is to come, ours that nothing < W is. So w is W less
-- one millisecond; without the last interval a window fires one millisecond of event time early.
CREATE TEMPORARY TABLE flights (
  `offset` BIGINT,
  origin STRING,
  delay_min INT,
  scheduled TIMESTAMP_LTZ(3),
  WATERMARK FOR scheduled AS
    scheduled - INTERVAL '${bound_min}' MINUTE - INTERVAL '0.00${less_ms}' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = '${path}',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
)
