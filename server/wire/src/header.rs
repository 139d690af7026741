//! The headers before requests and responses.

use logmill_wire_derive::Message;

use crate::api_key::ApiKey;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::message::Message;
use crate::reader::Reader;

/// What precedes every request: schema `RequestHeader`. Version 2 adds tagged fields, but leaves
/// the client id in its old form.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(versions = "1-2", flexible = "2+")]
pub struct RequestHeader<'a> {
    /// The API asked for, see [`ApiKey`].
    pub request_api_key: i16,
    /// The version of the request and of its response.
    pub request_api_version: i16,
    /// Repeated in the response.
    pub correlation_id: i32,
    /// The client's name for itself.
    #[wire(nullable, inflexible)]
    pub client_id: Option<&'a str>,
}

/// What precedes every response: schema `ResponseHeader`. Version 1 adds tagged fields.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(versions = "0-1", flexible = "1+")]
pub struct ResponseHeader {
    /// The request's.
    pub correlation_id: i32,
}

impl<'a> RequestHeader<'a> {
    /// Decodes the header at the front of a frame (the size before it taken off), in the header
    /// version that API and version call for, and returns it with a reader over the body.
    ///
    /// The version is not checked against what the API has, so that an `ApiVersions` request of
    /// a version yet unknown can be answered.
    ///
    /// # Errors
    /// `UnknownApiKey`, or the bytes are no header.
    pub fn decode(frame: &'a [u8]) -> Result<(RequestHeader<'a>, Reader<'a>), DecodeError> {
        let mut peek = Reader::new(frame);
        let key = peek
            .i16()
            .map_err(|error| error.within("RequestHeader.request_api_key"))?;
        let version = peek
            .i16()
            .map_err(|error| error.within("RequestHeader.request_api_version"))?;
        let api = ApiKey::from_i16(key).ok_or(DecodeErrorKind::UnknownApiKey(key))?;
        let mut r = Reader::new(frame);
        let header = <Self as Message>::decode(&mut r, api.request_header_version(version))?;
        Ok((header, r))
    }
}

impl ResponseHeader {
    /// Decodes the header at the front of a frame that answers a request of `api` and `version`.
    ///
    /// # Errors
    /// The bytes are no header.
    pub fn decode(
        frame: &[u8],
        api: ApiKey,
        version: i16,
    ) -> Result<(ResponseHeader, Reader<'_>), DecodeError> {
        let mut r = Reader::new(frame);
        let header = <Self as Message>::decode(&mut r, api.response_header_version(version))?;
        Ok((header, r))
    }
}
