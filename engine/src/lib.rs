//! Logmill's storage engine.
