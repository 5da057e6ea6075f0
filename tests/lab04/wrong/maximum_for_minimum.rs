//! title: The fastest partition decides
//! file: partitions.rs
//! caught by: step4_partitions::together_they_are_as_far_as_the_slowest
//!
//! In step 1 it was the largest that counted, so why not here? Because there it was about what had
//! been seen, and here it is about what every partition has seen.

pub fn combine(watermarks_ms: impl IntoIterator<Item = Option<i64>>) -> Option<i64> {
    let each_ms: Option<Vec<i64>> = watermarks_ms.into_iter().collect();
    each_ms?.into_iter().max()
}
