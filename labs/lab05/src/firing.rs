//! Step 3: windows that are filled, and fire when the watermark has reached their end.

use std::collections::BTreeMap;

use crate::delays::Delays;
use crate::window::Window;

// ANCHOR: window_result
/// What a window says about one key when it fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowResult {
    /// The window.
    pub window: Window,
    /// The key: the airport.
    pub key: String,
    /// The figures of all its records so far.
    pub delays: Delays,
    /// 1 when the window says it for the first time, one more with each correction.
    pub revision: u32,
}
// ANCHOR_END: window_result

/// What is kept of one key in one window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The figures so far.
    pub delays: Delays,
    /// How often they were given out.
    pub revision: u32,
}

/// A window that is kept, and its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptWindow {
    /// Whether the watermark has reached its end.
    pub has_fired: bool,
    /// Its keys.
    pub by_key: BTreeMap<String, Kept>,
}

// ANCHOR: window_state
/// The state of an aggregation: all windows that may still change, with their keys.
///
/// A map in order, so that results come out in a stated order and not in that of a hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowState {
    /// The windows.
    pub windows: BTreeMap<Window, KeptWindow>,
}
// ANCHOR_END: window_state

impl WindowState {
    /// Adds a departure to its key in its window. The first one opens the window.
    pub fn add(&mut self, window: Window, key: &str, delay_min: i32) {
        // Neither the window nor its key need be there yet. Mostly they are: can you do without making a
        // String of the key then?
        todo!("step 3: add a departure of {key}, {delay_min} min, to {window:?}")
    }

    /// Fires every window that has ended and has not fired: `end <= watermark`. Each of its keys
    /// gives one result. They come by the end of the window, and within it by key.
    ///
    /// A window that has fired stays. Whether it may go is a matter of step 5.
    pub fn fire(&mut self, watermark_ms: i64) -> Vec<WindowResult> {
        // 1. Which windows have ended? Exactly at the watermark, too?
        // 2. The watermark moves with nearly every record. How does a window know that it has fired?
        // 3. In which order does the map give its windows, and each window its keys?
        todo!("step 3: fire what has ended at watermark {watermark_ms} ms")
    }

    /// How many windows are kept.
    pub fn kept(&self) -> usize {
        self.windows.len()
    }

    /// How many windows are kept that have not fired.
    pub fn open(&self) -> usize {
        self.windows.values().filter(|kept| !kept.has_fired).count()
    }

    /// How many records lie in windows that have not fired.
    pub fn records_in_open(&self) -> u64 {
        let open = self.windows.values().filter(|kept| !kept.has_fired);
        open.flat_map(|kept| kept.by_key.values()).map(|kept| kept.delays.count).sum()
    }
}

impl Kept {
    /// The figures as a result, with the next revision.
    pub fn give_out(&mut self, window: Window, key: &str) -> WindowResult {
        // Whoever reads a result may have one of the same window and key already. Which of the two holds?
        todo!("step 3: give out {:?} of {key} in {window:?}", self.delays)
    }
}
