-- The same table, read from a topic until its end. This source moves the watermark by the clock on
-- the wall unless it is told to do so with every record.
CREATE TEMPORARY TABLE flights (
  origin STRING,
  delay_min INT,
  scheduled TIMESTAMP_LTZ(3),
  WATERMARK FOR scheduled AS
    scheduled - INTERVAL '${bound_min}' MINUTE - INTERVAL '0.001' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = '${topic}',
  'properties.bootstrap.servers' = '${bootstrap_servers}',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset',
  'scan.watermark.emit.strategy' = 'on-event',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
)
