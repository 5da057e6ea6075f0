//! title: Of two rows of one airport the last one counts
//! file: savepoint.rs
//! caught by: step5_savepoint::contents_that_contradict_themselves_are_refused
//!
//! A map takes what is put into it, and says by its return value what it has thrown out. Nobody looks.

pub fn migrated_windows(rows: &[RowV1]) -> Result<Vec<SavedWindow>, String> {
    use std::collections::BTreeMap;

    let mut windows: BTreeMap<(i64, i64), BTreeMap<String, SavedKey>> = BTreeMap::new();
    for row in rows {
        let length_ms = row.minutes.checked_mul(60_000).filter(|length_ms| *length_ms > 0);
        let end_ms = length_ms.and_then(|length_ms| row.start_ms.checked_add(length_ms));
        let end_ms = end_ms.ok_or_else(|| format!("a window of {} minutes", row.minutes))?;
        let keys = windows.entry((row.start_ms, end_ms)).or_default();
        keys.insert(row.origin.clone(), migrated_key(row)?);
    }
    let saved = windows.into_iter().map(|((start_ms, end_ms), keys)| SavedWindow {
        start_ms,
        end_ms,
        has_fired: false,
        keys: keys.into_values().collect(),
    });
    Ok(saved.collect())
}
