import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.apache.flink.util.CloseableIterator;

/** The windows by Flink SQL, with the queries in the folder of SQL. */
public class SqlProgram {
    private final Path queries;

    public SqlProgram(Path queries) {
        this.queries = queries;
    }

    /** All firings of all windows. The watermark is so much smaller than largest slot less bound. */
    public Answer windows(Run run, int lessMs) throws Exception {
        TableEnvironment flink = environment(run, lessMs);
        String query = "windows.sql";
        if (run.latenessMin() > 0) {
            query = "windows-corrected.sql";
            set(flink, "table.exec.emit.allow-lateness", run.latenessMin() + " min");
            set(flink, "table.exec.emit.late-fire.enabled", "true");
            set(flink, "table.exec.emit.late-fire.delay", "0 ms");
        }
        Answer answer = new Answer();
        try (CloseableIterator<Row> rows = flink.executeSql(read(query)).collect()) {
            while (rows.hasNext()) {
                Row row = rows.next();
                // Before each correction Flink takes back the row that it replaces.
                if (row.getKind() != RowKind.UPDATE_BEFORE) {
                    answer.fired(windowResult(row));
                }
            }
        }
        return answer;
    }

    /**
     * Computes the windows of the table that one file declares into the table that another does.
     * The values are those of the placeholders in both.
     */
    public void insert(String source, String sink, Map<String, String> values, boolean onePhase)
            throws Exception {
        TableEnvironment flink = environment();
        if (onePhase) {
            set(flink, "table.optimizer.agg-phase-strategy", "ONE_PHASE");
        }
        // Flink finds no key in windows of TUMBLE, so it can't see that each is written once.
        set(flink, "table.exec.sink.require-on-conflict", "false");
        flink.executeSql(filled(source, values));
        flink.executeSql(filled(sink, values));
        flink.executeSql("INSERT INTO results " + read("windows.sql")).await();
    }

    /** The offsets of the late records. */
    public SortedSet<Long> late(Run run, int lessMs) throws Exception {
        SortedSet<Long> offsets = new TreeSet<>();
        try (CloseableIterator<Row> rows =
                environment(run, lessMs).executeSql(read("late.sql")).collect()) {
            rows.forEachRemaining(row -> offsets.add(row.<Long>getFieldAs("offset")));
        }
        return offsets;
    }

    private TableEnvironment environment(Run run, int lessMs) throws IOException {
        TableEnvironment flink = environment();
        Map<String, String> values =
                Map.of(
                        "bound_min", String.valueOf(run.boundMin()),
                        "less_ms", String.valueOf(lessMs),
                        "path", run.records().toUri().toString());
        flink.executeSql(filled("flights.sql", values));
        return flink;
    }

    private static TableEnvironment environment() {
        TableEnvironment flink =
                TableEnvironment.create(EnvironmentSettings.newInstance().inStreamingMode().build());
        set(flink, "table.local-time-zone", "UTC");
        // One reader: the records keep their order.
        set(flink, "parallelism.default", "1");
        // The watermark after every record that moves it. Any other interval may let the clock on
        // the wall decide which records are dropped.
        set(flink, "pipeline.auto-watermark-interval", "0 ms");
        return flink;
    }

    /** The text of a file with each placeholder, such as ${bound_min}, replaced by its value. */
    private String filled(String file, Map<String, String> values) throws IOException {
        String text = read(file);
        for (Map.Entry<String, String> value : values.entrySet()) {
            text = text.replace("${" + value.getKey() + "}", value.getValue());
        }
        return text;
    }

    private static void set(TableEnvironment flink, String option, String value) {
        flink.getConfig().set(option, value);
    }

    private String read(String file) throws IOException {
        return Files.readString(queries.resolve(file));
    }

    private static WindowResult windowResult(Row row) {
        LocalDateTime start = row.getFieldAs("window_start");
        return new WindowResult(
                start.toInstant(ZoneOffset.UTC).toEpochMilli(),
                row.getFieldAs("origin"),
                row.getFieldAs("count"),
                row.getFieldAs("sum_delay_min"),
                row.getFieldAs("mean_delay_min"),
                row.getFieldAs("worst_delay_min"),
                row.getFieldAs("over_15_min"));
    }
}
