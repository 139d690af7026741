//! The derive macros of `logmill-wire`.
