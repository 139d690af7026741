//! README's configuration tables are those of the code.
//!
//! They stand between two markers; `LOGMILL_UPDATE_README=1 cargo test -p logmill --test readme`
//! writes them anew.

use std::{env, fs, path::Path};

use logmill::config::readme::markdown;

#[test]
fn configuration_tables_are_those_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = fs::read_to_string(&path).expect("README.md is there");
    let (before, rest) = text
        .split_once(BEGIN)
        .expect("README.md has the first marker");
    let (table, after) = rest
        .split_once(END)
        .expect("README.md has the second marker");
    let expected = format!("\n\n{}\n", markdown().trim_end());
    if env::var_os("LOGMILL_UPDATE_README").is_some() {
        let updated = format!("{before}{BEGIN}{expected}{END}{after}");
        fs::write(&path, updated).expect("README.md can be written");
        return;
    }
    assert!(
        table == expected,
        "README.md has other configuration tables than the code; write them anew with \
         LOGMILL_UPDATE_README=1 cargo test -p logmill --test readme"
    );
}

const BEGIN: &str = "<!-- configuration: begin -->";
const END: &str = "<!-- configuration: end -->";
