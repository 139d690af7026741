//! Listeners: where the broker accepts, and which address it tells clients.

use std::collections::BTreeMap;

use crate::config::error::ConfigError;
use crate::config::settings::{Notice, Settings};
use crate::config::value::items;

/// One address to accept clients on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name, in capitals as Kafka has it.
    pub name: String,
    /// Host name or address to bind; empty is every interface.
    pub host: String,
    /// Port to bind; 0 lets the kernel choose.
    pub port: u16,
    /// The host told to clients; `None` is this machine's name.
    pub advertised_host: Option<String>,
    /// The port told to clients; 0 is the one that was bound.
    pub advertised_port: u16,
}

impl Listener {
    /// The address to bind, as `host:port` that the resolver understands.
    #[must_use]
    pub fn bind_address(&self) -> String {
        let host = if self.host.is_empty() {
            "0.0.0.0"
        } else {
            &self.host
        };
        if host.contains(':') {
            format!("[{host}]:{}", self.port)
        } else {
            format!("{host}:{}", self.port)
        }
    }
}

/// Reads `listeners` and the keys around it.
///
/// # Errors
/// Names the key that is at fault: an address that cannot be read, a name without a protocol, a
/// protocol that is not served, two listeners of one name or port, no listener for clients.
pub(super) fn read(
    settings: &Settings,
    notices: &mut Vec<Notice>,
) -> Result<Vec<Listener>, ConfigError> {
    let protocols = protocol_map(settings)?;
    let controllers = settings.list("controller.listener.names");
    let advertised = endpoints(
        "advertised.listeners",
        settings.text("advertised.listeners"),
    )?;
    let mut listeners = Vec::new();
    for endpoint in endpoints("listeners", settings.text("listeners"))? {
        if controllers.contains(&endpoint.name) {
            notices.push(Notice {
                keys: vec!["listeners".to_owned()],
                text: format!("{} is not opened: it is for controllers", endpoint.name),
            });
            continue;
        }
        check_protocol(&endpoint.name, &protocols)?;
        check_unique(&listeners, &endpoint)?;
        listeners.push(advertise(endpoint, &advertised)?);
    }
    if listeners.is_empty() {
        return Err(wrong(
            "listeners",
            "there is none for clients; add PLAINTEXT://127.0.0.1:9092",
        ));
    }
    let known = |e: &Endpoint| listeners.iter().any(|l| l.name == e.name);
    match advertised
        .iter()
        .find(|e| !known(e) && !controllers.contains(&e.name))
    {
        Some(stray) => {
            let what = format!("{} is not one of the listeners", stray.name);
            Err(wrong("advertised.listeners", &what))
        }
        None => Ok(listeners),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Endpoint {
    name: String,
    host: String,
    port: u16,
}

fn advertise(bound: Endpoint, advertised: &[Endpoint]) -> Result<Listener, ConfigError> {
    let public = if advertised.is_empty() {
        bound.clone()
    } else {
        let Some(found) = advertised.iter().find(|e| e.name == bound.name) else {
            let what = format!(
                "{} is missing: clients that come through it need an address",
                { &bound.name }
            );
            return Err(wrong("advertised.listeners", &what));
        };
        if is_everywhere(&found.host) && !found.host.is_empty() {
            let what = format!("{} is no address that a client can connect to", found.host);
            return Err(wrong("advertised.listeners", &what));
        }
        found.clone()
    };
    let advertised_host = (!is_everywhere(&public.host)).then(|| public.host.clone());
    Ok(Listener {
        name: bound.name,
        host: bound.host,
        port: bound.port,
        advertised_host,
        advertised_port: public.port,
    })
}

fn endpoints(key: &'static str, raw: &str) -> Result<Vec<Endpoint>, ConfigError> {
    items(raw).map(|item| endpoint(key, item)).collect()
}

/// `NAME://host:port`; an IPv6 address stands in brackets.
fn endpoint(key: &'static str, item: &str) -> Result<Endpoint, ConfigError> {
    let bad = || {
        wrong(
            key,
            &format!("{item:?} is not of the form NAME://host:port"),
        )
    };
    let (name, address) = item.split_once("://").ok_or_else(bad)?;
    let (host, port) = address.rsplit_once(':').ok_or_else(bad)?;
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']').ok_or_else(bad)?,
        None => host,
    };
    let name_is_good = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    let host_is_good = host
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_-.:%".contains(&b));
    if !name_is_good || !host_is_good {
        return Err(bad());
    }
    let port = port.parse().map_err(|_| {
        wrong(
            key,
            &format!("{port:?} in {item:?} is not a port: 0 to 65535"),
        )
    })?;
    Ok(Endpoint {
        name: name.to_ascii_uppercase(),
        host: host.to_owned(),
        port,
    })
}

fn protocol_map(settings: &Settings) -> Result<BTreeMap<String, String>, ConfigError> {
    const KEY: &str = "listener.security.protocol.map";
    let mut map = BTreeMap::new();
    for item in items(settings.text(KEY)) {
        let Some((name, protocol)) = item.split_once(':') else {
            return Err(wrong(
                KEY,
                &format!("{item:?} is not of the form NAME:PROTOCOL"),
            ));
        };
        map.insert(
            name.trim().to_ascii_uppercase(),
            protocol.trim().to_ascii_uppercase(),
        );
    }
    Ok(map)
}

fn check_protocol(name: &str, map: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    match map.get(name).map(String::as_str) {
        Some("PLAINTEXT") => Ok(()),
        Some(protocol @ ("SSL" | "SASL_PLAINTEXT" | "SASL_SSL")) => {
            let what = format!("{name} asks for {protocol}, which is not built yet: use PLAINTEXT");
            Err(wrong("listeners", &what))
        }
        Some(other) => {
            let what = format!("{other:?} is not a protocol: PLAINTEXT is served");
            Err(wrong("listener.security.protocol.map", &what))
        }
        None => {
            let what = format!("no protocol for the listener {name}: add {name}:PLAINTEXT");
            Err(wrong("listener.security.protocol.map", &what))
        }
    }
}

fn check_unique(listeners: &[Listener], new: &Endpoint) -> Result<(), ConfigError> {
    for known in listeners {
        if known.name == new.name {
            return Err(wrong("listeners", &format!("two are called {}", new.name)));
        }
        let same_host = known.host == new.host || is_everywhere(&known.host);
        if new.port != 0 && known.port == new.port && same_host {
            return Err(wrong("listeners", &format!("two are on port {}", new.port)));
        }
    }
    Ok(())
}

fn is_everywhere(host: &str) -> bool {
    matches!(host, "" | "0.0.0.0" | "::" | "0:0:0:0:0:0:0:0")
}

fn wrong(key: &'static str, what: &str) -> ConfigError {
    ConfigError::Listener {
        key,
        what: what.to_owned(),
    }
}
