-- The late records: behind the watermark of all records before them.
SELECT `offset`
FROM flights
WHERE CURRENT_WATERMARK(scheduled) IS NOT NULL AND scheduled <= CURRENT_WATERMARK(scheduled)
