//! The traits of whole messages, and what each is for.

use std::ops::RangeInclusive;

use crate::api_key::ApiKey;
use crate::element::Element;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::writer::Writer;

/// A message with versions of its own: the body of a request or a response, or a record.
pub trait Message<'a>: Element<'a> {
    /// The schema's name.
    const NAME: &'static str;
    /// The versions there are.
    const VERSIONS: RangeInclusive<i16>;
    /// The first version in compact form with tagged fields (KIP-482), if there is one.
    const FLEXIBLE_FROM: Option<i16>;

    /// Decodes the message from the front of `r`. What is left then is not its business:
    /// see [`Reader::finish`].
    ///
    /// # Errors
    /// The version is not one of [`VERSIONS`](Self::VERSIONS), or the bytes are not the message.
    #[inline]
    fn decode(r: &mut Reader<'a>, version: i16) -> Result<Self, DecodeError> {
        if !Self::VERSIONS.contains(&version) {
            return Err(DecodeError::unsupported_version(
                Self::NAME,
                version,
                &Self::VERSIONS,
            ));
        }
        Self::read(r, version, Self::is_flexible(version))
    }

    /// Appends the message to `w`. On an error `w` is as it was.
    ///
    /// # Errors
    /// The version is not one of [`VERSIONS`](Self::VERSIONS), or cannot hold a field's value.
    #[inline]
    fn encode(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if !Self::VERSIONS.contains(&version) {
            return Err(EncodeError::unsupported_version(
                Self::NAME,
                version,
                &Self::VERSIONS,
            ));
        }
        let (length, holes) = (w.bytes.len(), w.holes.len());
        self.write(w, version, Self::is_flexible(version))
            .inspect_err(|_| {
                w.bytes.truncate(length);
                w.holes.truncate(holes);
            })
    }

    /// Whether `version` is in compact form with tagged fields.
    #[inline]
    #[must_use]
    fn is_flexible(version: i16) -> bool {
        Self::FLEXIBLE_FROM.is_some_and(|first| version >= first)
    }
}

/// The body of a request.
pub trait Request<'a>: Message<'a> {
    /// The API it asks for.
    const API_KEY: ApiKey;
}

/// The body of a response.
pub trait Response<'a>: Message<'a> {
    /// The API it answers.
    const API_KEY: ApiKey;
}

/// A record of one of Kafka's own topics.
pub trait Record<'a>: Message<'a> {
    /// The number that tells the record's type within its topic.
    const RECORD_TYPE: i16;
}

#[cfg(test)]
mod tests;
