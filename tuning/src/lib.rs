//! What this host lacks and what it can do.
