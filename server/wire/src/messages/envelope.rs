//! Envelope (API key 58): a client's request, forwarded by a broker to the controller (KIP-590).

use logmill_wire_derive::Message;

/// The request, version 0. Schema `EnvelopeRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = Envelope, versions = "0", flexible = "0+")]
pub struct EnvelopeRequest<'a> {
    pub request_data: &'a [u8],
    #[wire(nullable)]
    pub request_principal: Option<&'a [u8]>,
    pub client_host_address: &'a [u8],
}

/// The response, version 0. Schema `EnvelopeResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = Envelope, versions = "0", flexible = "0+")]
pub struct EnvelopeResponse<'a> {
    #[wire(nullable, default = None)]
    pub response_data: Option<&'a [u8]>,
    pub error_code: i16,
}
