//! The connection: what is in flight, and what came of it.

use std::collections::VecDeque;
use std::io::IoSlice;

use logmill_wire::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use logmill_wire::{
    ApiKey, DecodeError, EncodeError, ErrorCode, Message, Reader, Request, RequestHeader,
    ResponseHeader, Writer,
};
use thiserror::Error;

use crate::incoming::{Frame, Incoming};
use crate::outgoing::Outgoing;
use crate::versions::{Versions, retry_version};

/// How a connection behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The client's name, in every request header.
    pub client_id: String,
    /// Requests that may wait for their replies at once.
    pub in_flight_max: usize,
    /// The longest reply that is accepted, in bytes.
    pub frame_bytes_max: usize,
    /// How long the broker may take for `ApiVersions`, in ns.
    pub handshake_ns: u64,
}

/// How one request is sent.
#[derive(Clone, Copy, Debug)]
pub struct SendOptions {
    /// How long the broker may take for the reply, in ns.
    pub timeout_ns: u64,
    /// The highest version to use.
    pub version_max: i16,
    /// False for a request that is never answered (Produce with acks=0).
    pub answered: bool,
}

/// Tells a request of a connection from its others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CorrelationId(pub i32);

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// The request that it answers.
    pub correlation: CorrelationId,
    /// The API of both.
    pub api: ApiKey,
    /// The version of both.
    pub version: i16,
    /// The body.
    pub frame: Frame,
}

/// A connection to a broker. Payloads of type `P` are sent from where they lie and let go of once
/// they are written.
#[derive(Debug)]
pub struct Connection<P> {
    options: Options,
    versions: Option<Versions>,
    next_correlation: i32,
    in_flight: VecDeque<InFlight>,
    writer: Writer,
    outgoing: Outgoing<P>,
    incoming: Incoming,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    correlation: CorrelationId,
    api: ApiKey,
    version: i16,
    deadline: u64,
}

/// Why a request was not sent. The connection is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// The broker's versions are not known yet.
    #[error("the connection has not negotiated versions yet")]
    NotReady,
    /// As many requests as allowed wait for their replies.
    #[error("{0} requests are in flight, which is the limit")]
    TooManyInFlight(usize),
    /// The broker and this side have no version in common.
    #[error("the broker has no version of {0:?} that this client speaks")]
    NoCommonVersion(ApiKey),
    /// A field has a value that the version cannot hold.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Why a connection has to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConnectionError {
    /// A frame announces a size that cannot be.
    #[error("the broker announced a reply of {size} bytes; at most {max} are accepted")]
    FrameSize {
        /// The size as it was read.
        size: i32,
        /// The bound.
        max: usize,
    },
    /// A reply without a request.
    #[error("the broker sent a reply that nothing asked for")]
    Unexpected,
    /// A reply to another request than the oldest.
    #[error("the broker answered request {got} where {expected} was due")]
    Order {
        /// The correlation id of the oldest request.
        expected: i32,
        /// The correlation id of the reply.
        got: i32,
    },
    /// A reply that is not what its version says.
    #[error("the broker's reply to {api:?} cannot be read: {error}")]
    Decode {
        /// The API asked.
        api: ApiKey,
        /// What is wrong.
        error: DecodeError,
    },
    /// The broker refuses every version of `ApiVersions`, or fails at it.
    #[error("the broker refused ApiVersions with {0}")]
    Handshake(ErrorCode),
    /// A reply has not come in time.
    #[error("the broker has not answered {0:?} in time")]
    TimedOut(ApiKey),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            client_id: "logmill-client".to_owned(),
            in_flight_max: 5,
            frame_bytes_max: 128 << 20,
            handshake_ns: 10_000_000_000,
        }
    }
}

impl Default for SendOptions {
    fn default() -> Self {
        Self {
            timeout_ns: 30_000_000_000,
            version_max: i16::MAX,
            answered: true,
        }
    }
}

impl<P: AsRef<[u8]>> Connection<P> {
    /// A connection whose socket is being opened at `now`. `ApiVersions` is queued.
    #[must_use]
    pub fn new(options: Options, now: u64) -> Self {
        let incoming = Incoming::new(options.frame_bytes_max);
        let mut connection = Self {
            options,
            versions: None,
            next_correlation: 0,
            in_flight: VecDeque::new(),
            writer: Writer::new(),
            outgoing: Outgoing::new(),
            incoming,
        };
        connection.ask_versions(now, *ApiKey::ApiVersions.valid_versions().end());
        connection
    }

    /// Queues a request; `payload` is called with the id of each `Records::External` in it, in
    /// order, and gives the bytes, of exactly the length that was named.
    ///
    /// # Errors
    /// The request cannot be sent, now or at all; nothing was queued.
    pub fn send<'a, R: Request<'a>>(
        &mut self,
        now: u64,
        request: &R,
        options: SendOptions,
        payload: impl FnMut(u32) -> P,
    ) -> Result<CorrelationId, SendError> {
        let version = self.version(R::API_KEY, options.version_max)?;
        if !self.can_send() {
            return Err(SendError::TooManyInFlight(self.in_flight.len()));
        }
        self.enqueue(now, request, version, options, payload)
    }

    /// Fills `slices` with what is to be written next, returns how many are set.
    pub fn slices<'s>(&'s self, slices: &mut [IoSlice<'s>]) -> usize {
        self.outgoing.slices(slices)
    }

    /// Takes note that `count` bytes of [`Connection::slices`] were written.
    pub fn sent(&mut self, count: usize) {
        self.outgoing.sent(count);
    }

    /// Where to read into: never empty, and never more than is sensible to read at once.
    pub fn space(&mut self) -> &mut [u8] {
        self.incoming.space()
    }

    /// Takes note that `count` bytes were read into [`Connection::space`].
    pub fn received(&mut self, count: usize) {
        self.incoming.received(count);
    }

    /// The next reply that has come whole. `ApiVersions` of the handshake is dealt with inside.
    ///
    /// # Errors
    /// The broker broke the protocol: close the connection.
    pub fn poll(&mut self, now: u64) -> Result<Option<Reply>, ConnectionError> {
        loop {
            let max = self.options.frame_bytes_max;
            let next = self.incoming.next();
            let Some(mut frame) =
                next.map_err(|bad| ConnectionError::FrameSize { size: bad.0, max })?
            else {
                return Ok(None);
            };
            let request = self
                .in_flight
                .pop_front()
                .ok_or(ConnectionError::Unexpected)?;
            take_header(&mut frame, request)?;
            if self.versions.is_some() {
                let InFlight {
                    correlation,
                    api,
                    version,
                    ..
                } = request;
                return Ok(Some(Reply {
                    correlation,
                    api,
                    version,
                    frame,
                }));
            }
            self.handshake(now, request.version, &frame)?;
            self.incoming.recycle(frame);
        }
    }

    /// Takes a reply's memory back for the next one.
    pub fn recycle(&mut self, frame: Frame) {
        self.incoming.recycle(frame);
    }

    /// The version that [`Connection::send`] would use.
    ///
    /// # Errors
    /// There is none, or it is not known yet.
    pub fn version(&self, api: ApiKey, version_max: i16) -> Result<i16, SendError> {
        let versions = self.versions.as_ref().ok_or(SendError::NotReady)?;
        versions
            .pick(api, version_max)
            .ok_or(SendError::NoCommonVersion(api))
    }

    /// What the broker advertised, once it is known.
    #[must_use]
    pub fn versions(&self) -> Option<&Versions> {
        self.versions.as_ref()
    }

    /// True once versions are negotiated.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.versions.is_some()
    }

    /// True if a request can be sent now.
    #[must_use]
    pub fn can_send(&self) -> bool {
        self.is_ready() && self.in_flight.len() < self.options.in_flight_max
    }

    /// Requests that wait for their replies.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Bytes that wait to be written.
    #[must_use]
    pub fn outgoing_bytes(&self) -> usize {
        self.outgoing.len()
    }

    /// True if there is something to write.
    #[must_use]
    pub fn wants_write(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// When the next request will have waited too long.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.in_flight.iter().map(|request| request.deadline).min()
    }

    /// The error to close the connection with, if a request has waited too long at `now`.
    #[must_use]
    pub fn expired(&self, now: u64) -> Option<ConnectionError> {
        let late = self
            .in_flight
            .iter()
            .find(|request| request.deadline <= now)?;
        Some(ConnectionError::TimedOut(late.api))
    }

    fn ask_versions(&mut self, now: u64, version: i16) {
        let request = ApiVersionsRequest {
            client_software_name: SOFTWARE_NAME,
            client_software_version: env!("CARGO_PKG_VERSION"),
        };
        let options = SendOptions {
            timeout_ns: self.options.handshake_ns,
            ..SendOptions::default()
        };
        self.enqueue(now, &request, version, options, |_| {
            unreachable!("it holds no records")
        })
        .expect("ApiVersions of a version of its own can be encoded");
    }

    fn enqueue<'a, R: Request<'a>>(
        &mut self,
        now: u64,
        request: &R,
        version: i16,
        options: SendOptions,
        payload: impl FnMut(u32) -> P,
    ) -> Result<CorrelationId, SendError> {
        let api = R::API_KEY;
        let correlation = CorrelationId(self.next_correlation);
        self.writer.clear();
        self.writer.i32(0);
        let header = RequestHeader {
            request_api_key: api as i16,
            request_api_version: version,
            correlation_id: correlation.0,
            client_id: Some(&self.options.client_id),
        };
        header.encode(&mut self.writer, api.request_header_version(version))?;
        request.encode(&mut self.writer, version)?;
        let size = self.writer.total_len() - 4;
        let size = i32::try_from(size).map_err(|_| EncodeError {
            field: "frame",
            kind: logmill_wire::EncodeErrorKind::TooLong { length: size },
        })?;
        self.writer.bytes[..4].copy_from_slice(&size.to_be_bytes());
        self.outgoing.push(&mut self.writer, payload);
        self.next_correlation = self.next_correlation.wrapping_add(1) & i32::MAX;
        if options.answered {
            let deadline = now.saturating_add(options.timeout_ns);
            self.in_flight.push_back(InFlight {
                correlation,
                api,
                version,
                deadline,
            });
        }
        Ok(correlation)
    }

    fn handshake(&mut self, now: u64, tried: i16, frame: &Frame) -> Result<(), ConnectionError> {
        let decode = |version| {
            ApiVersionsResponse::decode(&mut Reader::new(frame.bytes()), version).map_err(|error| {
                ConnectionError::Decode {
                    api: ApiKey::ApiVersions,
                    error,
                }
            })
        };
        // A broker that does not know the version answers in version 0 (KIP-511).
        let refused = frame
            .bytes()
            .starts_with(&ErrorCode::UNSUPPORTED_VERSION.0.to_be_bytes());
        let response = decode(if refused { 0 } else { tried })?;
        if let Some(version) = retry_version(&response, tried) {
            self.ask_versions(now, version);
            return Ok(());
        }
        if response.error_code != ErrorCode::NONE.0 {
            return Err(ConnectionError::Handshake(ErrorCode(response.error_code)));
        }
        self.versions = Some(Versions::from_response(&response));
        Ok(())
    }
}

fn take_header(frame: &mut Frame, request: InFlight) -> Result<(), ConnectionError> {
    let api = request.api;
    let (header, body) = ResponseHeader::decode(frame.bytes(), api, request.version)
        .map_err(|error| ConnectionError::Decode { api, error })?;
    if header.correlation_id != request.correlation.0 {
        let (expected, got) = (request.correlation.0, header.correlation_id);
        return Err(ConnectionError::Order { expected, got });
    }
    frame.start = frame.end - body.remaining();
    Ok(())
}

const SOFTWARE_NAME: &str = "logmill-client";

#[cfg(test)]
mod tests;
