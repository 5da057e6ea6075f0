import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Computes the windows of windows.sql once, and says what the whole process took:
 * "CPU_MS WALL_MS PEAK_KB".
 *
 * <pre>
 * Speed SQL_FOLDER PLAN RECORDS                               a file, results thrown away
 * Speed SQL_FOLDER PLAN TOPIC BOOTSTRAP_SERVERS JDBC_URL TABLE   a topic, results to PostgreSQL
 * </pre>
 *
 * The plan is "default", or "one-phase": then records are not counted together before they reach
 * their window.
 */
public class Speed {
    private static final long MS = 1_000_000;

    public static void main(String[] arguments) throws Exception {
        SqlProgram sql = new SqlProgram(Path.of(arguments[0]));
        boolean onePhase = arguments[1].equals("one-phase");
        if (arguments.length == 3) {
            String path = Path.of(arguments[2]).toUri().toString();
            sql.insert(
                    "flights.sql",
                    "results-nowhere.sql",
                    Map.of("bound_min", "15", "less_ms", "1", "path", path),
                    onePhase);
        } else {
            sql.insert(
                    "flights-topic.sql",
                    "results-postgres.sql",
                    Map.of(
                            "bound_min", "15",
                            "topic", arguments[2],
                            "bootstrap_servers", arguments[3],
                            "jdbc_url", arguments[4],
                            "table", arguments[5]),
                    onePhase);
        }
        long wallMs = ManagementFactory.getRuntimeMXBean().getUptime();
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        System.out.println(system.getProcessCpuTime() / MS + " " + wallMs + " " + peakKb());
    }

    /** The most memory that this process has held, by the system's count, in kB. */
    private static long peakKb() throws Exception {
        String peak =
                Files.readAllLines(Path.of("/proc/self/status")).stream()
                        .filter(line -> line.startsWith("VmHWM:"))
                        .findFirst()
                        .orElseThrow();
        return Long.parseLong(peak.replaceAll("[^0-9]", ""));
    }
}
