//! The principal inside of a forwarded request (KIP-590), preceded by its version in 16 bits.

use logmill_wire_derive::Message;

/// A principal by type and name, as brokers pass it on.
///
/// Version 0. Schema `DefaultPrincipalData`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(versions = "0", flexible = "0+")]
pub struct DefaultPrincipalData<'a> {
    pub r#type: &'a str,
    pub name: &'a str,
    pub token_authenticated: bool,
}
