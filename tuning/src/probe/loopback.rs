//! TCP to this machine itself, one thread at each end: round trips and one-way throughput.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::Case;
use super::measurement::{Group, Run};

/// A small request with its reply, and a stream of large writes.
pub(super) fn cases() -> Vec<Box<dyn Case>> {
    vec![Box::new(RoundTrip), Box::new(Stream)]
}

struct RoundTrip;

impl Case for RoundTrip {
    fn group(&self) -> Group {
        Group::Loopback
    }

    fn name(&self) -> String {
        "round trip of 64 B".to_owned()
    }

    fn bytes(&self) -> u64 {
        SMALL_BYTES as u64
    }

    fn run(&mut self, slice: Duration) -> io::Result<Run> {
        with_peer(echo, |mut peer| {
            let mut message = [7_u8; SMALL_BYTES];
            let mut latencies = Vec::with_capacity(TRIPS_EXPECTED);
            let start = Instant::now();
            while latencies.is_empty() || start.elapsed() < slice {
                let begun = Instant::now();
                peer.write_all(&message)?;
                peer.read_exact(&mut message)?;
                latencies.push(begun.elapsed().as_nanos() as u64);
            }
            Ok(Run::new(latencies, start.elapsed()))
        })
    }
}

struct Stream;

impl Case for Stream {
    fn group(&self) -> Group {
        Group::Loopback
    }

    fn name(&self) -> String {
        "one way, writes of 256 KiB".to_owned()
    }

    fn bytes(&self) -> u64 {
        LARGE_BYTES as u64
    }

    fn run(&mut self, slice: Duration) -> io::Result<Run> {
        with_peer(swallow, |mut peer| {
            let block = vec![7_u8; LARGE_BYTES];
            let mut latencies = Vec::with_capacity(TRIPS_EXPECTED);
            let start = Instant::now();
            while latencies.is_empty() || start.elapsed() < slice {
                let begun = Instant::now();
                peer.write_all(&block)?;
                latencies.push(begun.elapsed().as_nanos() as u64);
            }
            // The run ends when the other end has read everything, which it says by closing.
            peer.shutdown(std::net::Shutdown::Write)?;
            let rest = io::copy(&mut peer, &mut io::sink())?;
            assert_eq!(rest, 0, "the other end only listens");
            Ok(Run::new(latencies, start.elapsed()))
        })
    }
}

/// Connects to a thread that runs `serve`, and ends it when `measure` is done.
fn with_peer(
    serve: fn(TcpStream) -> io::Result<()>,
    measure: impl FnOnce(TcpStream) -> io::Result<Run>,
) -> io::Result<Run> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let peer = TcpStream::connect(listener.local_addr()?)?;
    let (served, _) = listener.accept()?;
    for stream in [&peer, &served] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
    }
    let server = thread::spawn(move || serve(served));
    // `measure` takes the stream and so closes it: that is what ends the server.
    let run = measure(peer);
    server
        .join()
        .map_err(|_| io::Error::other("the serving thread died"))??;
    run
}

fn echo(mut peer: TcpStream) -> io::Result<()> {
    let mut message = [0; SMALL_BYTES];
    loop {
        match peer.read_exact(&mut message) {
            Ok(()) => peer.write_all(&message)?,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn swallow(mut peer: TcpStream) -> io::Result<()> {
    let mut block = vec![0; 4 * LARGE_BYTES];
    loop {
        match peer.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            // A process that was stopped and goes on leaves a read that has a time limit, see
            // signal(7).
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

const SMALL_BYTES: usize = 64;

const LARGE_BYTES: usize = 256 << 10;

const TRIPS_EXPECTED: usize = 16_384;

/// A loopback that is silent for so long is broken.
const PATIENCE: Duration = Duration::from_secs(10);
