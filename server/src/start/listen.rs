//! Listeners: names resolved, ports checked, addresses told to clients.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::thread;
use std::time::{Duration, Instant};

use crate::config::{Config, Listener};
use crate::handlers::BrokerIdentity;
use crate::metadata::Endpoint;
use crate::start::error::StartError;

/// A listener that every shard may bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundListener {
    /// Its name.
    pub name: String,
    /// Where to bind, the port resolved.
    pub address: SocketAddr,
    /// The broker as its clients see it.
    pub identity: BrokerIdentity,
}

impl BoundListener {
    /// What the metadata log says of it.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            listener: self.name.clone(),
            host: self.identity.host.clone(),
            port: self.identity.port,
        }
    }
}

/// Resolves every listener and makes sure that nobody else has its port. Shards bind with
/// `SO_REUSEPORT`, which would share a port with another broker without a word.
///
/// # Errors
/// A host that is not known here, or a port that is taken.
pub fn resolve(
    config: &Config,
    cluster_id: &str,
    host_name: &str,
) -> Result<Vec<BoundListener>, StartError> {
    config
        .listeners
        .iter()
        .map(|listener| {
            let address = bind_once(listener).map_err(|source| StartError::Listener {
                name: listener.name.clone(),
                address: listener.bind_address(),
                source,
            })?;
            let port = match listener.advertised_port {
                0 => address.port(),
                port => port,
            };
            let host = listener
                .advertised_host
                .clone()
                .unwrap_or_else(|| host_name.to_owned());
            let identity = BrokerIdentity {
                cluster_id: cluster_id.to_owned(),
                node_id: config.node_id,
                rack: config.rack.clone(),
                host,
                port,
            };
            Ok(BoundListener {
                name: listener.name.clone(),
                address,
                identity,
            })
        })
        .collect()
}

/// A broker that was killed leaves its listeners to the kernel, which takes its rings apart some
/// time after the process is gone: the next one waits for that.
fn bind_once(listener: &Listener) -> io::Result<SocketAddr> {
    let addresses: Vec<SocketAddr> = listener.bind_address().to_socket_addrs()?.collect();
    let give_up = Instant::now() + PATIENCE;
    loop {
        match TcpListener::bind(&addresses[..]) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < give_up => {
                thread::sleep(AGAIN);
            }
            bound => return bound?.local_addr(),
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn config(listeners: &str) -> Config {
        let sets = [("listeners".to_owned(), listeners.to_owned())];
        Config::load(None, &sets).unwrap().config
    }

    #[test]
    fn port_zero_is_resolved_and_told() {
        let bound = resolve(&config("PLAINTEXT://127.0.0.1:0"), "c", "me").unwrap();
        assert_ne!(bound[0].address.port(), 0);
        assert_eq!(bound[0].identity.port, bound[0].address.port());
        assert_eq!(bound[0].identity.host, "127.0.0.1");
    }

    #[test]
    fn everywhere_is_told_as_the_host_name() {
        let bound = resolve(&config("PLAINTEXT://0.0.0.0:0"), "c", "me.example").unwrap();
        assert_eq!(bound[0].identity.host, "me.example");
    }

    #[test]
    fn a_port_that_is_free_soon_is_waited_for() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let leaver = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            drop(taken);
        });
        let bound = resolve(&config(&format!("PLAINTEXT://127.0.0.1:{port}")), "c", "me");
        assert_eq!(bound.unwrap()[0].address.port(), port);
        leaver.join().unwrap();
    }

    #[test]
    fn taken_port_is_refused() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = resolve(&config(&format!("PLAINTEXT://127.0.0.1:{port}")), "c", "me");
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains(&port.to_string()) && text.contains("in use"),
            "{text}"
        );
    }
}
