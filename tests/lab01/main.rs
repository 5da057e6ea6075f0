//! Lab 01, topics and events.
