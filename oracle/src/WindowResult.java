/** What a window of one hour says about an airport. */
public record WindowResult(
        long startMs,
        String origin,
        long count,
        long sumDelayMin,
        double meanDelayMin,
        int worstDelayMin,
        long over15Min) {}
