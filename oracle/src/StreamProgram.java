import java.time.Duration;
import java.time.Instant;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/** The windows by Flink's DataStream API, which also names the dropped records. */
public class StreamProgram {
    private static final TypeInformation<Departure> DEPARTURE = TypeInformation.of(Departure.class);
    private static final OutputTag<Departure> DROPPED = new OutputTag<>("dropped", DEPARTURE);

    /** One thing that the job says; the two others are null. */
    public record Said(WindowResult fired, Departure late, Departure dropped) {}

    /** All firings of all windows, the late records and the dropped ones. */
    public Answer answer(Run run) throws Exception {
        StreamExecutionEnvironment flink =
                StreamExecutionEnvironment.getExecutionEnvironment(new Configuration());
        flink.setParallelism(1);
        int boundMin = run.boundMin();
        DataStream<Departure> departures =
                departures(flink, run)
                        .assignTimestampsAndWatermarks(
                                WatermarkStrategy.<Departure>forGenerator(
                                                context -> new EveryRecord(boundMin))
                                        .withTimestampAssigner(
                                                (departure, unused) -> departure.scheduledMs()));
        SingleOutputStreamOperator<WindowResult> windows =
                departures
                        .keyBy(Departure::origin)
                        .window(TumblingEventTimeWindows.of(Duration.ofHours(1)))
                        .allowedLateness(Duration.ofMinutes(run.latenessMin()))
                        .sideOutputLateData(DROPPED)
                        .aggregate(new Figures(), new WithWindow());
        DataStream<Said> said =
                windows.map(fired -> new Said(fired, null, null))
                        .union(
                                departures.process(new Late()),
                                windows.getSideOutput(DROPPED)
                                        .map(dropped -> new Said(null, null, dropped)));
        return collected(said);
    }

    private static Answer collected(DataStream<Said> said) throws Exception {
        Answer answer = new Answer();
        try (CloseableIterator<Said> all = said.executeAndCollect()) {
            while (all.hasNext()) {
                Said next = all.next();
                if (next.fired() != null) {
                    answer.fired(next.fired());
                } else if (next.late() != null) {
                    answer.late.put(next.late().offset(), next.late());
                } else {
                    answer.dropped.add(next.dropped().offset());
                }
            }
        }
        return answer;
    }

    /** The records as Flink's own reader of JSON has them. */
    private static DataStream<Departure> departures(StreamExecutionEnvironment flink, Run run) {
        StreamTableEnvironment tables = StreamTableEnvironment.create(flink);
        tables.executeSql(
                "CREATE TEMPORARY TABLE flights (`offset` BIGINT, origin STRING, delay_min INT,"
                        + " scheduled TIMESTAMP_LTZ(3)) WITH ('connector' = 'filesystem', 'path' = '"
                        + run.records().toUri()
                        + "', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601')");
        return tables.toDataStream(tables.from("flights")).map(StreamProgram::departure);
    }

    private static Departure departure(Row row) {
        Instant scheduled = row.getFieldAs("scheduled");
        return new Departure(
                row.getFieldAs("offset"),
                row.getFieldAs("origin"),
                row.getFieldAs("delay_min"),
                scheduled.toEpochMilli());
    }

    /**
     * The watermark after every record. Flink's own forBoundedOutOfOrderness has the same formula,
     * but gives it out by the clock on the wall.
     */
    private static class EveryRecord implements WatermarkGenerator<Departure> {
        private final long boundMs;
        private long maxMs = Long.MIN_VALUE;

        EveryRecord(int boundMin) {
            boundMs = Duration.ofMinutes(boundMin).toMillis();
        }

        @Override
        public void onEvent(Departure departure, long timestampMs, WatermarkOutput output) {
            maxMs = Math.max(maxMs, timestampMs);
            // Nothing <= w is to come; for us nothing < W. So w = W - 1 ms.
            output.emitWatermark(new Watermark(maxMs - boundMs - 1));
        }

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {}
    }

    private static class Late extends ProcessFunction<Departure, Said> {
        @Override
        public void processElement(Departure departure, Context context, Collector<Said> out) {
            if (departure.scheduledMs() <= context.timerService().currentWatermark()) {
                out.collect(new Said(null, departure, null));
            }
        }
    }

    /** Start and airport are not known here; WithWindow puts them in. */
    private static class Figures implements AggregateFunction<Departure, WindowResult, WindowResult> {
        @Override
        public WindowResult createAccumulator() {
            return new WindowResult(0, "", 0, 0, 0, Integer.MIN_VALUE, 0);
        }

        @Override
        public WindowResult add(Departure departure, WindowResult so) {
            return new WindowResult(
                    0,
                    "",
                    so.count() + 1,
                    so.sumDelayMin() + departure.delayMin(),
                    0,
                    Math.max(so.worstDelayMin(), departure.delayMin()),
                    so.over15Min() + (departure.delayMin() > 15 ? 1 : 0));
        }

        @Override
        public WindowResult getResult(WindowResult figures) {
            return figures;
        }

        @Override
        public WindowResult merge(WindowResult one, WindowResult other) {
            throw new UnsupportedOperationException("tumbling windows are never merged");
        }
    }

    private static class WithWindow
            extends ProcessWindowFunction<WindowResult, WindowResult, String, TimeWindow> {
        @Override
        public void process(
                String origin,
                Context context,
                Iterable<WindowResult> figures,
                Collector<WindowResult> out) {
            WindowResult all = figures.iterator().next();
            out.collect(
                    new WindowResult(
                            context.window().getStart(),
                            origin,
                            all.count(),
                            all.sumDelayMin(),
                            (double) all.sumDelayMin() / all.count(),
                            all.worstDelayMin(),
                            all.over15Min()));
        }
    }
}
