//! title: Results in the order of a hash
//! file: firing.rs
//! caught by: step3_firing::results_come_by_the_end_of_their_window_and_then_by_key
//!
//! A HashMap is the first map that comes to mind, and its order is another one in every run: two runs
//! over one log no longer give the same bytes, and nobody can compare them. (Here the hash has no seed, so
//! that this message stays the same.)

impl WindowState {
    pub fn fire(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        use std::collections::HashMap;
        use std::hash::{BuildHasherDefault, DefaultHasher};

        type NoSeed = BuildHasherDefault<DefaultHasher>;
        let mut by_key: HashMap<(String, Window), WindowResult, NoSeed> = HashMap::default();
        let ended = self.windows.iter_mut().filter(|(window, _)| window.end_ms <= watermark_ms);
        for (window, kept) in ended.filter(|(_, kept)| !kept.has_fired) {
            kept.has_fired = true;
            for (key, kept) in &mut kept.by_key {
                by_key.insert((key.clone(), *window), kept.give_out(*window, key));
            }
        }
        by_key.into_values().collect()
    }
}
