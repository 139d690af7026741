//! A planted violation for every rule, and the nearest text that keeps it.

use crate::source::Source;
use crate::{check, manifests};

/// The rules that a text breaks, with lines.
fn broken(path: &str, text: &str) -> Vec<(usize, &'static str)> {
    let text = if text.starts_with("//!") {
        text.to_owned()
    } else {
        format!("//! Doc.\n{text}")
    };
    let source = Source::parse(path, &text).unwrap_or_else(|error| panic!("{text}: {error}"));
    check(&source)
        .iter()
        .map(|violation| (violation.line, violation.rule))
        .collect()
}

const CORE: &str = "engine/src/log/segment.rs";
const RUNTIME: &str = "server/src/runtime/listener.rs";
const SHARD: &str = "server/src/shard/routing.rs";

/// Each text breaks the rule, and only this one, on its first line (the second of the file).
fn each_breaks(path: &str, rule: &'static str, texts: &[&str]) {
    for text in texts {
        assert_eq!(broken(path, text), [(2, rule)], "{path}: {text}");
    }
}

#[test]
fn planted_shapes_are_caught() {
    let wide = format!("/// {}\nfn a() {{}}", "x".repeat(97));
    each_breaks(CORE, "columns", &[&wide]);
    each_breaks(CORE, "getter-name", &["fn get_offset() {}"]);
    each_breaks(
        SHARD,
        "forbidden-macro",
        &["fn a() { todo!() }", "fn a() { b(dbg!(1)) }"],
    );
    each_breaks(SHARD, "ignored-test", &["#[ignore]\n#[test]\nfn a() {}"]);
    let notes = [
        "fn a() {} // FIXME: it is wrong somewhere",
        "/// TODO: later\nfn a() {}",
    ];
    each_breaks(SHARD, "note-without-reason", &notes);
}

#[test]
fn planted_impurities_are_caught() {
    let impure = [
        "fn a() { let now = std::time::Instant::now(); }",
        "fn a() { assert!(b(std::thread::current())); }",
        "fn a() { println!(); }",
        "fn a() { std::env::var(\"A\"); }",
        "use std::time::{Duration, Instant};",
        "use std::{fmt, fs as files};",
        "use std::fs::*;",
        "use std::net::TcpStream;",
        "use std::sync::{Arc, Mutex};",
        "use rand::rngs::OsRng;",
    ];
    each_breaks(CORE, "core-purity", &impure);
    each_breaks(SHARD, "core-purity", &impure);
    each_breaks("server/wire/src/frame.rs", "core-purity", &impure);
    each_breaks(CORE, "unsafe-place", &["fn a() { unsafe { b() } }"]);
    let runtime = [
        "use glommio::LocalExecutor;",
        "fn a() { glommio::executor().id(); }",
    ];
    each_breaks(SHARD, "runtime-place", &runtime);
    let calls = ["fn a() -> i32 { libc::SIGTERM }", "use io_uring::IoUring;"];
    each_breaks(SHARD, "system-call-place", &calls);
}

#[test]
fn planted_arrows_are_caught() {
    let upward = ["use crate::log::Log;", "use crate::{base, log::Log};"];
    each_breaks("engine/src/format/batch.rs", "arrows", &upward);
    each_breaks(
        "engine/src/format/batch.rs",
        "arrows",
        &["use super::super::log::Log;"],
    );
    each_breaks(
        "engine/src/format/mod.rs",
        "arrows",
        &["use super::log::Log;"],
    );
    each_breaks(CORE, "arrows", &["fn a() { crate::io::open(); }"]);
    let shard = ["use crate::{config::Config, shard::Shard};"];
    each_breaks("server/src/metadata/image.rs", "arrows", &shard);
}

#[test]
fn planted_files_are_caught() {
    let long = format!("//! Doc.\n{}", "const A: u8 = 0;\n".repeat(800));
    assert_eq!(broken(CORE, &long), [(801, "file-length")]);
    assert_eq!(broken("engine/src/log/utils.rs", ""), [(1, "file-name")]);
    assert_eq!(broken("loadgen/src/common/mod.rs", ""), [(1, "file-name")]);
    assert_eq!(broken("engine/src/cloud/mod.rs", ""), [(1, "arrows")]);
    let source = Source::parse(CORE, "// No doc.\nfn a() {}").unwrap();
    assert_eq!(check(&source)[0].rule, "module-doc");
    let tests = format!(
        "#[cfg(test)]\nmod tests {{\n{}}}",
        "const A: u8 = 0;\n".repeat(79)
    );
    assert_eq!(broken(CORE, &tests), [(3, "tests-apart")]);
}

#[test]
fn a_long_function_is_caught_wherever_it_stands() {
    let body = "b();\n".repeat(69);
    let function = format!("fn a() {{\n{body}}}");
    assert_eq!(broken(CORE, &function), [(2, "function-length")]);
    assert_eq!(
        broken(CORE, &format!("impl A {{ {function} }}")),
        [(2, "function-length")]
    );
    assert_eq!(
        broken(CORE, &format!("trait A {{ {function} }}")),
        [(2, "function-length")]
    );
    assert_eq!(
        broken(CORE, &format!("mod a {{ {function} }}")),
        [(2, "function-length")]
    );
    assert_eq!(broken(CORE, &format!("fn b() {{ {function} }}")).len(), 2);
    let shorter = format!("fn a() {{\n{}}}", "b();\n".repeat(68));
    assert_eq!(broken(CORE, &shorter), []);
}

#[test]
fn the_nearest_good_texts_pass() {
    let address = format!("// https://example.org/{}", "x".repeat(90));
    let row = format!("const TABLE: &str = r\"\n{}\n\";", "x".repeat(120));
    for (path, text) in [
        (CORE, address.as_str()),
        (CORE, row.as_str()),
        (CORE, "impl Get for A { fn get_offset() {} }"),
        (CORE, "use std::time::Duration;"),
        (CORE, "use std::io::{self, Read, Write};"),
        (CORE, "use std::sync::Arc;"),
        (CORE, "fn a() { my::std::fs::read(); }"),
        (
            CORE,
            "const A: &str = \"std::fs::read, unsafe, todo!(), // FIXME\";",
        ),
        (
            CORE,
            "#[cfg(test)]\nmod tests { use std::fs; fn a() { println!(); } }",
        ),
        (CORE, "#[test]\nfn a() { std::thread::sleep(b); }"),
        (CORE, "use crate::format::Batch; use super::index::Index;"),
        (
            "engine/src/log/tests.rs",
            "use std::fs; use crate::io::Files;",
        ),
        ("engine/src/sys/region.rs", "fn a() { unsafe { b() } }"),
        ("loadgen/src/sys.rs", "fn a() { unsafe { b() } }"),
        (
            "engine/src/io/files.rs",
            "use std::fs; use crate::disk::Disk;",
        ),
        (
            "server/src/start/mod.rs",
            "use crate::runtime::run; use std::env;",
        ),
        (
            RUNTIME,
            "use glommio::net::TcpListener; use libc::SIGTERM; use std::net::TcpStream;",
        ),
        (
            SHARD,
            "use std::net::{IpAddr, SocketAddr}; use rand::{CryptoRng, RngCore};",
        ),
        (
            SHARD,
            "#[ignore = \"takes an hour: cargo test -- --ignored\"]\n#[test]\nfn a() {}",
        ),
        (
            SHARD,
            "// TODO: waits for sendfile in the ring, see IO notes\nfn a() {}",
        ),
    ] {
        assert_eq!(broken(path, text), [], "{path}: {text}");
    }
}

/// `#[cfg(test)] mod model;` makes `model.rs` and all below it tests.
#[test]
fn files_behind_a_test_module_are_tests() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "engine/src/log/mod.rs",
        "//! Doc.\n#[cfg(test)]\nmod model;\nmod modelled;\n",
    );
    write("engine/src/log/model.rs", "//! Doc.\nmod part;\n");
    write("engine/src/log/model/part.rs", "//! Doc.\nuse std::fs;\n");
    write("engine/src/log/modelled.rs", "//! Doc.\n");
    write("target/debug/made.rs", "not rust");
    let sources = crate::source::collect(folder.path());
    let tests: Vec<_> = sources
        .iter()
        .map(|one| (one.stem().to_owned(), one.is_test))
        .collect();
    let expected = [
        ("mod", false),
        ("model", true),
        ("part", true),
        ("modelled", false),
    ];
    assert_eq!(
        tests,
        expected.map(|(stem, is_test)| (stem.to_owned(), is_test))
    );
    assert!(sources.iter().all(|source| check(source).is_empty()));
}

#[test]
fn planted_manifests_are_caught() {
    let manifest = "[dependencies]\nlogmill-wire.workspace = true\nlibc = \"0.2\"\n\
                    [dev-dependencies]\nlogmill.workspace = true\n";
    let rules = |allowed: &[&str]| {
        let violations = manifests::crate_arrows("engine/Cargo.toml", manifest, allowed);
        violations
            .iter()
            .map(|violation| (violation.line, violation.rule))
            .collect::<Vec<_>>()
    };
    assert_eq!(rules(&[]), [(2, "crate-arrows"), (3, "dependency-reason")]);
    assert_eq!(rules(&["logmill-wire"]), [(3, "dependency-reason")]);

    let workspace = "[workspace.dependencies]\nlogmill = { path = \"server\" }\nlibc = \"0.2\"\n";
    let messages = |deny: &str| manifests::reasons(workspace, deny).len();
    assert_eq!(messages("# libc: what std leaves out of Linux\n"), 0);
    assert_eq!(messages("# libc: short\n"), 1);
    assert_eq!(
        messages("# libc: what std leaves out of Linux\n# nix: another way to say\n"),
        1
    );
}
