//! Lab 04, watermarks.
