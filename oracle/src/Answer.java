import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** What Flink answers to a run. */
public class Answer {
    /** Every firing of each window, the last one last. */
    private final SortedMap<String, List<WindowResult>> firings = new TreeMap<>();

    /** The records behind the watermark, by offset. */
    public final SortedMap<Long, Departure> late = new TreeMap<>();

    /** The offsets of the records whose window was gone. */
    public final SortedSet<Long> dropped = new TreeSet<>();

    public void fired(WindowResult result) {
        String window = result.startMs() + " " + result.origin();
        firings.computeIfAbsent(window, unused -> new ArrayList<>()).add(result);
    }

    /** The firings of each window, by its start and then by airport. */
    public List<List<WindowResult>> windows() {
        return firings.values().stream()
                .sorted(
                        Comparator.<List<WindowResult>>comparingLong(w -> w.get(0).startMs())
                                .thenComparing(w -> w.get(0).origin()))
                .toList();
    }

    public int windowCount() {
        return firings.size();
    }

    public int firingCount() {
        return firings.values().stream().mapToInt(List::size).sum();
    }

    /** The records that the last firings of all windows have counted. */
    public long counted() {
        return firings.values().stream().mapToLong(w -> w.get(w.size() - 1).count()).sum();
    }

    /** The windows in which the two answers differ, in any firing. */
    public long windowsThatDiffer(Answer other) {
        Map<String, List<WindowResult>> all = new TreeMap<>(firings);
        all.putAll(other.firings);
        return all.keySet().stream()
                .filter(key -> !all.get(key).equals(firings.get(key)))
                .count();
    }
}
