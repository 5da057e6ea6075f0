//! Helper of the tests.
