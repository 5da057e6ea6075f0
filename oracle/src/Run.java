import java.nio.file.Path;

/** One question to Flink: these records, this bound, this allowed lateness. */
public record Run(String log, Path records, int boundMin, int latenessMin) {

    /** The name of the run's fixtures: {@code storm-15-60}. */
    public String name() {
        return log + "-" + boundMin + "-" + latenessMin;
    }
}
