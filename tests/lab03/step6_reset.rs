//! step6_reset
