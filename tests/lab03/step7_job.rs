//! step7_job
