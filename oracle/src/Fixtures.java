import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Answers as small files that a person and a test can read. */
public class Fixtures {
    private static final long HOUR_MS = Duration.ofHours(1).toMillis();

    private final Path folder;
    private final String flink;

    public Fixtures(Path folder, String flinkVersion) {
        this.folder = folder;
        this.flink = "# Apache Flink " + flinkVersion + ", made by `make oracle`, see oracle/README.md";
    }

    /** Writes the windows of a run, and its late records. */
    public void write(Run run, Answer answer) throws IOException {
        String about =
                "# %s: bound %d min, allowed lateness %d min"
                        .formatted(run.log(), run.boundMin(), run.latenessMin());
        List<String> windows = new ArrayList<>(List.of(flink, about));
        windows.add(
                "window_start,window_end,origin,count,sum_delay_min,mean_delay_min,worst_delay_min,"
                        + "over_15_min,revisions");
        answer.windows().forEach(firings -> windows.add(line(firings)));
        write(run.name() + ".windows.csv", windows);

        List<String> late = new ArrayList<>(List.of(flink, about, "offset,scheduled,origin,dropped"));
        answer.late.values().forEach(record -> late.add(line(record, answer)));
        write(run.name() + ".late.csv", late);
    }

    /** Writes a file of these lines, after the one that names Flink's version. */
    public void writeTable(String name, List<String> lines) throws IOException {
        List<String> all = new ArrayList<>(List.of(flink));
        all.addAll(lines);
        write(name, all);
    }

    private void write(String name, List<String> lines) throws IOException {
        Files.writeString(folder.resolve(name), String.join("\n", lines) + "\n");
    }

    /** The last firing, and how many there were. */
    private static String line(List<WindowResult> firings) {
        WindowResult last = firings.get(firings.size() - 1);
        return String.join(
                ",",
                Instant.ofEpochMilli(last.startMs()).toString(),
                Instant.ofEpochMilli(last.startMs() + HOUR_MS).toString(),
                last.origin(),
                String.valueOf(last.count()),
                String.valueOf(last.sumDelayMin()),
                sixDecimals(last.meanDelayMin()),
                String.valueOf(last.worstDelayMin()),
                String.valueOf(last.over15Min()),
                String.valueOf(firings.size()));
    }

    private static String line(Departure record, Answer answer) {
        return String.join(
                ",",
                String.valueOf(record.offset()),
                Instant.ofEpochMilli(record.scheduledMs()).toString(),
                record.origin(),
                answer.dropped.contains(record.offset()) ? "yes" : "no");
    }

    /** The same text on every version of Java, which Double.toString does not promise. */
    private static String sixDecimals(double value) {
        return new BigDecimal(value).setScale(6, RoundingMode.HALF_EVEN).toPlainString();
    }
}
