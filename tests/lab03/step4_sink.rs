//! step4_sink
