//! step5_lag
