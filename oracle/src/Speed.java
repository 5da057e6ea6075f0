import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Runs the windows of windows.sql once over a file, throws the results away, and says what the
 * whole process took: "CPU_MS WALL_MS PEAK_KB".
 *
 * <pre>Speed SQL_FOLDER RECORDS PLAN</pre>
 *
 * The plan is "default", or "one-phase": then records are not counted together before they reach
 * their window, which is quicker here.
 */
public class Speed {
    private static final long MS = 1_000_000;

    public static void main(String[] arguments) throws Exception {
        Run run = new Run("speed", Path.of(arguments[1]), 15, 0);
        new SqlProgram(Path.of(arguments[0])).windowsToNowhere(run, arguments[2].equals("one-phase"));
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
