//! Finds the brokers that were named, and says what is in the way while they do not answer.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::progress::is_interrupted;
use crate::net::Admin;

/// Waits until one of `addresses` answers as a broker does, at most `limit`. What is tried and why
/// it fails is told in time, and again whenever the reason changes.
pub(super) fn reach(
    addresses: &[SocketAddr],
    limit: Duration,
    mut tell: impl FnMut(&str),
) -> Result<(), String> {
    let mut admin = Admin::new(addresses, "", limit);
    let begun = Instant::now();
    let (mut told, mut next_word) = (String::new(), FIRST_WORD);
    loop {
        let ready = admin.try_ready(TURN.min(limit));
        if ready.map_err(|error| error.to_string())? {
            return Ok(());
        }
        let (passed, obstacles) = (begun.elapsed(), admin.obstacles());
        // A user who wants no more still wants the end in good order, if the broker is well.
        if passed >= limit || (is_interrupted() && passed >= FIRST_WORD) {
            return Err(unreachable(passed.min(limit), &obstacles));
        }
        if passed >= next_word && (obstacles != told || passed >= next_word + SAME_WORD) {
            let left = limit.saturating_sub(passed).as_secs_f64().ceil();
            tell(&format!(
                "no broker has answered yet; {obstacles}; trying for {left:.0} s more"
            ));
            (told, next_word) = (obstacles, passed + NEXT_WORD);
        }
    }
}

/// The addresses that `--bootstrap` names.
pub(super) fn resolve(addresses: &str) -> Result<Vec<SocketAddr>, String> {
    let mut found = Vec::new();
    let names = addresses.split(',').map(str::trim);
    for address in names.filter(|text| !text.is_empty()) {
        found.extend(look_up(address)?);
    }
    if found.is_empty() {
        Err("--bootstrap names no address; it takes HOST:PORT,HOST:PORT".to_owned())
    } else {
        Ok(found)
    }
}

fn look_up(address: &str) -> Result<impl Iterator<Item = SocketAddr>, String> {
    let no_port = || format!("--bootstrap '{address}' is no HOST:PORT, such as 127.0.0.1:9092");
    let (host, port) = address.rsplit_once(':').ok_or_else(no_port)?;
    let port = port.parse::<u16>().ok().filter(|&port| port > 0);
    let (Some(_), false) = (port, host.is_empty()) else {
        return Err(no_port());
    };
    let unknown =
        |error: io::Error| format!("--bootstrap '{address}': host '{host}' is not known: {error}");
    address.to_socket_addrs().map_err(unknown)
}

fn unreachable(tried: Duration, obstacles: &str) -> String {
    format!(
        "no broker answered within {tried:.1?}: {obstacles}\n\
         Is a broker running, and is this its Kafka listener, without TLS? --connect-timeout says \
         how long to try; without --bootstrap, most commands start a broker of their own."
    )
}

const TURN: Duration = Duration::from_millis(50);
/// A broker that is well has answered by then.
const FIRST_WORD: Duration = Duration::from_secs(1);
/// Reasons that alternate are not told more often than this.
const NEXT_WORD: Duration = Duration::from_secs(1);
/// How much longer it takes until the same reason is told again.
const SAME_WORD: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(1_500);

    fn failure(address: SocketAddr) -> (String, Vec<String>) {
        let mut words = Vec::new();
        let begun = Instant::now();
        let error = reach(&[address], LIMIT, |text| words.push(text.to_owned())).unwrap_err();
        assert!(begun.elapsed() >= LIMIT, "it goes on trying");
        assert!(begun.elapsed() < 10 * LIMIT, "and not for ever");
        (error, words)
    }

    fn check(address: SocketAddr, cause: &str) {
        let (error, words) = failure(address);
        for text in [&error, words.first().expect("it says so meanwhile")] {
            assert!(text.contains(&address.to_string()), "{text}");
            assert!(text.contains(cause), "{text}");
        }
        assert!(error.contains("--connect-timeout"), "{error}");
    }

    #[test]
    fn a_port_where_nobody_listens_is_named_with_the_reason() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        check(address, "refused");
    }

    #[test]
    fn a_server_that_is_no_broker_is_told_from_a_slow_one() {
        let web = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = web.local_addr().unwrap();
        thread::spawn(move || {
            for stream in web.incoming().map_while(Result::ok) {
                let mut stream = stream;
                let _ = stream.read(&mut [0; 512]);
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            }
        });
        check(address, "does not speak Kafka's protocol");
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        check(silent.local_addr().unwrap(), "not a word");
        let rude = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = rude.local_addr().unwrap();
        thread::spawn(move || rude.incoming().for_each(drop));
        check(address, "closed before");
    }

    #[test]
    fn addresses_that_are_none_are_told_apart_from_unknown_hosts() {
        for (bad, word) in [
            ("", "no address"),
            (" , ", "no address"),
            ("localhost", "HOST:PORT"),
            (":9092", "HOST:PORT"),
            ("localhost:0", "HOST:PORT"),
            ("localhost:99999", "HOST:PORT"),
            ("nowhere.invalid:9092", "'nowhere.invalid' is not known"),
        ] {
            let error = resolve(bad).unwrap_err();
            assert!(error.contains(word), "{bad}: {error}");
        }
        let two = resolve("127.0.0.1:1, 127.0.0.1:2").unwrap();
        assert_eq!(two.len(), 2);
        assert_eq!(resolve("[::1]:9092").unwrap().len(), 1);
    }
}
