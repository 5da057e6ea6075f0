import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.util.EnvironmentInformation;

/**
 * Asks Flink for the windows of each log, twice: by SQL and by the DataStream API. Where the two
 * agree, writes what they say.
 *
 * <pre>Oracle SQL_FOLDER RECORDS_FOLDER TARGET_FOLDER</pre>
 */
public class Oracle {
    private static final List<String> LOGS = List.of("calm", "storm", "edges");
    private static final List<Integer> BOUNDS_MIN = List.of(15, 60);
    private static final List<Integer> LATENESSES_MIN = List.of(0, 60);

    private final SqlProgram sql;
    private final Path records;
    private final Fixtures fixtures;
    private final List<String> runs = new ArrayList<>();
    private final List<String> withoutOneMs = new ArrayList<>();

    private Oracle(Path queries, Path records, Path target) {
        sql = new SqlProgram(queries);
        this.records = records;
        fixtures = new Fixtures(target, EnvironmentInformation.getVersion());
        runs.add("log,bound_min,lateness_min,records,late,dropped,windows,firings");
        withoutOneMs.add("log,bound_min,late,dropped,windows,windows_that_differ");
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 3) {
            throw new IllegalArgumentException("expected SQL_FOLDER RECORDS_FOLDER TARGET_FOLDER");
        }
        new Oracle(Path.of(arguments[0]), Path.of(arguments[1]), Path.of(arguments[2])).ask();
    }

    private void ask() throws Exception {
        for (String log : LOGS) {
            Path file = records.resolve(log + ".jsonl");
            for (int boundMin : BOUNDS_MIN) {
                for (int latenessMin : LATENESSES_MIN) {
                    Run run = new Run(log, file, boundMin, latenessMin);
                    Answer answer = ask(run);
                    if (latenessMin == 0) {
                        askWithoutOneMs(run, answer);
                    }
                }
            }
        }
        fixtures.writeTable("runs.csv", runs);
        fixtures.writeTable("without-one-ms.csv", withoutOneMs);
    }

    private Answer ask(Run run) throws Exception {
        Answer answer = new StreamProgram().answer(run);
        long count = Files.lines(run.records()).count();
        check(run, "windows that differ between SQL and DataStream", 0,
                answer.windowsThatDiffer(sql.windows(run, 1)));
        check(run, "late records by SQL", answer.late.keySet(), sql.late(run, 1));
        check(run, "counted and dropped records", count, answer.counted() + answer.dropped.size());
        check(run, "dropped records that are late", true,
                answer.late.keySet().containsAll(answer.dropped));
        fixtures.write(run, answer);
        runs.add("%s,%d,%d,%d,%d,%d,%d,%d".formatted(
                run.log(), run.boundMin(), run.latenessMin(), count,
                answer.late.size(), answer.dropped.size(), answer.windowCount(),
                answer.firingCount()));
        return answer;
    }

    /** The same by the watermark as it is often declared, without the last millisecond. */
    private void askWithoutOneMs(Run run, Answer usual) throws Exception {
        Answer without = sql.windows(run, 0);
        withoutOneMs.add("%s,%d,%d,%d,%d,%d".formatted(
                run.log(), run.boundMin(), sql.late(run, 0).size(),
                Files.lines(run.records()).count() - without.counted(), without.windowCount(),
                without.windowsThatDiffer(usual)));
    }

    private static void check(Run run, String what, Object expected, Object found) {
        if (!String.valueOf(expected).equals(String.valueOf(found))) {
            throw new IllegalStateException(
                    "%s, %s: expected %s, found %s".formatted(run.name(), what, expected, found));
        }
    }
}
