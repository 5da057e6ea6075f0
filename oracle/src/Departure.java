/** A record as the topic holds it: its offset, and what the windows need of the flight. */
public record Departure(long offset, String origin, int delayMin, long scheduledMs) {}
