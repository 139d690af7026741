//! What only some places may do: `unsafe`, system calls, the runtime; and what the cores never
//! do: look at a clock, touch a file or a socket, start a thread, roll dice, take a lock.

use crate::source::{Mention, Source, Violation};

/// All rules of this file.
pub fn check(source: &Source) -> Vec<Violation> {
    let mut violations = unsafe_place(source);
    for mention in source.shipped_mentions() {
        violations.extend(runtime_place(source, mention));
        violations.extend(system_call_place(source, mention));
        violations.extend(core_purity(source, mention));
    }
    if is_core(&source.path) {
        violations.extend(core_printing(source));
    }
    violations
}

/// Whether a file belongs to a core: plain state machines that a simulator can drive.
pub fn is_core(path: &str) -> bool {
    let under = |rooms: &[&str]| rooms.iter().any(|room| is_under(path, room));
    under(CORES) && !under(DRIVERS)
}

fn unsafe_place(source: &Source) -> Vec<Violation> {
    if source
        .path
        .split('/')
        .any(|part| matches!(part, "sys" | "sys.rs"))
    {
        return Vec::new();
    }
    let unsafe_tokens = source.tokens.iter().filter(|token| token.text == "unsafe");
    unsafe_tokens
        .map(|token| {
            let message = "`unsafe` belongs into a module called sys: give it a safe function \
                           there, with a SAFETY comment and a test";
            source.violation(token.start.line, "unsafe-place", message)
        })
        .collect()
}

/// `glommio` is named by the broker's runtime alone, so that it can be replaced.
fn runtime_place(source: &Source, mention: &Mention) -> Option<Violation> {
    let named = mention.path.first().is_some_and(|first| first == "glommio");
    (named && !is_under(&source.path, "server/src/runtime")).then(|| {
        let message = "only server/src/runtime names glommio: give the shard an event or an \
                       effect, and carry it out there";
        source.violation(mention.line, "runtime-place", message)
    })
}

fn system_call_place(source: &Source, mention: &Mention) -> Option<Violation> {
    let bound = ["engine/src", "server/src"]
        .iter()
        .any(|root| is_under(&source.path, root));
    let first = mention.path.first().map(String::as_str);
    let named = first.filter(|name| matches!(*name, "libc" | "io_uring" | "nix" | "rustix"))?;
    (bound && !DRIVERS.iter().any(|room| is_under(&source.path, room))).then(|| {
        let message = format!(
            "`{named}` is for engine/src/{{sys, io}} and server/src/{{runtime, start}}: ask one of \
             them for a safe function"
        );
        source.violation(mention.line, "system-call-place", message)
    })
}

fn core_purity(source: &Source, mention: &Mention) -> Option<Violation> {
    if !is_core(&source.path) {
        return None;
    }
    let path = mention.path.join("::");
    let is_harmless = HARMLESS
        .iter()
        .any(|harmless| is_path_under(&path, harmless));
    let (banned, way_out) = BANNED_IN_CORES
        .iter()
        .find(|(banned, _)| is_path_under(&path, banned) && !is_harmless)?;
    let message = format!("a core may not use {banned}: {way_out}");
    Some(source.violation(mention.line, "core-purity", message))
}

fn core_printing(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for pair in source.tokens.windows(2) {
        let line = pair[0].start.line;
        let prints = PRINTING.contains(&pair[0].text.as_str()) && pair[1].text == "!";
        if prints && !source.in_test(line) {
            let message = format!(
                "a core may not use {}!: return what is to be told",
                pair[0].text
            );
            violations.push(source.violation(line, "core-purity", message));
        }
    }
    violations
}

/// Whether `path` is the room's folder, its file, or below it.
fn is_under(path: &str, room: &str) -> bool {
    path.strip_prefix(room)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']))
}

fn is_path_under(path: &str, ancestor: &str) -> bool {
    path.strip_prefix(ancestor)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

const CORES: &[&str] = &[
    "engine/src",
    "server/client/src",
    "server/src/auth",
    "server/src/connection",
    "server/src/groups",
    "server/src/handlers",
    "server/src/metadata",
    "server/src/shard",
    "server/src/transactions",
    "server/wire/src",
];

/// The places that touch the world. `start` locks directories and asks for limits before there
/// is a shard.
const DRIVERS: &[&str] = &[
    "engine/src/io",
    "engine/src/sys",
    "server/src/runtime",
    "server/src/start",
];

const BANNED_IN_CORES: &[(&str, &str)] = &[
    ("std::time::Instant", "take `now` as an argument"),
    ("std::time::SystemTime", "take `now` as an argument"),
    ("std::time::UNIX_EPOCH", "take `now` as an argument"),
    ("Instant::now", "take `now` as an argument"),
    ("SystemTime::now", "take `now` as an argument"),
    ("std::fs", "return a disk operation, or take a BlockingDisk"),
    (
        "std::net",
        "return bytes to send; addresses such as std::net::IpAddr are fine",
    ),
    ("std::os", "leave descriptors to the driver"),
    ("std::process", "return an error; the driver decides"),
    (
        "std::thread",
        "return an effect; the driver has the threads",
    ),
    (
        "std::env",
        "take the value as an argument, from the configuration",
    ),
    ("std::io::stdin", "take the bytes as an argument"),
    ("std::io::stdout", "return what is to be told"),
    ("std::io::stderr", "return what is to be told"),
    ("std::sync::Mutex", "a shard owns its state: send mail"),
    ("std::sync::RwLock", "a shard owns its state: send mail"),
    (
        "std::sync::Condvar",
        "a shard never waits: return and be fed",
    ),
    ("rand", "take the random source as an argument"),
    (
        "uuid::Uuid::new_v4",
        "take the random source as an argument",
    ),
    ("Uuid::new_v4", "take the random source as an argument"),
    ("getrandom", "take the random source as an argument"),
];

/// What lies below banned paths and touches nothing: types that are data, and the traits of a
/// random source that is passed in.
const HARMLESS: &[&str] = &[
    "rand::CryptoRng",
    "rand::Rng",
    "rand::RngCore",
    "std::net::AddrParseError",
    "std::net::IpAddr",
    "std::net::Ipv4Addr",
    "std::net::Ipv6Addr",
    "std::net::SocketAddr",
    "std::net::SocketAddrV4",
    "std::net::SocketAddrV6",
];

const PRINTING: [&str; 4] = ["print", "println", "eprint", "eprintln"];
