//! title: Seconds are kept as minutes
//! file: savepoint.rs
//! caught by: step5_savepoint::each_field_of_version_1_says_the_same_in_this_version
//!
//! `sum_s` and `sum_min` are both an i64, and the compiler is content. The mean delay of an hour is half a
//! day, in the windows that were open at the upgrade and in no other.

pub fn migrated_key(row: &RowV1) -> Result<SavedKey, String> {
    let minutes = |seconds: i64| match seconds % 60 {
        0 => Ok(seconds),
        _ => Err(format!("a delay of {seconds} s, expected whole minutes")),
    };
    if row.count == 0 {
        return Err(format!("{} without a departure", row.origin));
    }
    let worst_min = minutes(row.worst_s)?;
    let worst_min = i32::try_from(worst_min)
        .map_err(|_| format!("a delay of {} s, which is out of range", row.worst_s))?;
    Ok(SavedKey {
        key: row.origin.clone(),
        count: row.count,
        sum_min: minutes(row.sum_s)?,
        worst_min: Some(worst_min),
        over_15_min: row.over_15_min,
        revision: 0,
    })
}
