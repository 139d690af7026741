//! README's generated tables are those of the code and of the tests.
//!
//! They stand between markers; `LOGMILL_UPDATE_README=1 cargo test -p logmill --test readme` writes
//! them anew. The compatibility table is made of what the `interop` tests left in the target
//! folder.

mod compatibility;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{env, fs, io};

use compatibility::Results;
use logmill::config::readme::markdown;

#[test]
fn configuration_tables_are_those_of_the_code() {
    between("configuration", markdown().trim_end(), str::to_owned);
}

#[test]
fn compatibility_table_is_what_was_run() {
    match Results::of_the_last_run() {
        Ok(results) => between("compatibility", &results.table(), compatibility::comparable),
        Err(why) => {
            // The harness would keep what `eprintln!` prints.
            let line = format!("NOT RUN  README's compatibility table: {why}\n");
            let _ = io::stderr().write_all(line.as_bytes());
        }
    }
}

/// Compares what stands between the markers of `name` with `expected`, as far as `comparable`
/// leaves it; or writes it there.
fn between(name: &str, expected: &str, comparable: fn(&str) -> String) {
    // Both tests write the one file.
    static WRITING: Mutex<()> = Mutex::new(());
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let text = fs::read_to_string(readme()).expect("README.md is there");
    let (begin, end) = (
        format!("<!-- {name}: begin -->"),
        format!("<!-- {name}: end -->"),
    );
    let (before, rest) = text
        .split_once(&begin)
        .unwrap_or_else(|| panic!("README.md has {begin}"));
    let (table, after) = rest
        .split_once(&end)
        .unwrap_or_else(|| panic!("README.md has {end}"));
    let expected = format!("\n\n{expected}\n");
    if env::var_os("LOGMILL_UPDATE_README").is_some() {
        let updated = format!("{before}{begin}{expected}{end}{after}");
        fs::write(readme(), updated).expect("README.md can be written");
        return;
    }
    let (table, expected) = (comparable(table), comparable(&expected));
    assert!(
        table == expected,
        "README.md has another {name} table than this; write it anew with LOGMILL_UPDATE_README=1 \
         cargo test -p logmill --test readme\n{expected}"
    );
}

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")
}
