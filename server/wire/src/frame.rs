//! Whole frames: a size in 32 bits, a header, a body.

use crate::error::{EncodeError, EncodeErrorKind};
use crate::header::{RequestHeader, ResponseHeader};
use crate::message::{Message, Request, Response};
use crate::writer::Writer;

/// Appends a request as a frame, its size first.
///
/// # Errors
/// The body has no encoding at this version. `w` is as it was then.
pub fn write_request<'a, R: Request<'a>>(
    w: &mut Writer,
    version: i16,
    correlation_id: i32,
    client_id: Option<&str>,
    body: &R,
) -> Result<(), EncodeError> {
    let header = RequestHeader {
        request_api_key: R::API_KEY.as_i16(),
        request_api_version: version,
        correlation_id,
        client_id,
    };
    framed(w, |w| {
        header.encode(w, R::API_KEY.request_header_version(version))?;
        body.encode(w, version)
    })
}

/// Appends a response as a frame, its size first. The size counts the bytes of holes.
///
/// # Errors
/// The body has no encoding at this version. `w` is as it was then.
pub fn write_response<'a, R: Response<'a>>(
    w: &mut Writer,
    version: i16,
    correlation_id: i32,
    body: &R,
) -> Result<(), EncodeError> {
    framed(w, |w| {
        ResponseHeader { correlation_id }.encode(w, R::API_KEY.response_header_version(version))?;
        body.encode(w, version)
    })
}

/// Appends what `content` writes, preceded by its size in 32 bits.
fn framed(
    w: &mut Writer,
    content: impl FnOnce(&mut Writer) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let (start, holes) = (w.bytes.len(), w.holes.len());
    w.i32(0);
    let written = content(w).and_then(|()| {
        let external = w.holes[holes..]
            .iter()
            .map(|hole| hole.len as usize)
            .sum::<usize>();
        let length = w.bytes.len() - start - SIZE_BYTES + external;
        i32::try_from(length).map_err(|_| EncodeErrorKind::TooLong { length }.into())
    });
    match written {
        Ok(size) => {
            w.bytes[start..start + SIZE_BYTES].copy_from_slice(&size.to_be_bytes());
            Ok(())
        }
        Err(error) => {
            w.bytes.truncate(start);
            w.holes.truncate(holes);
            Err(error)
        }
    }
}

/// Bytes of the size before every frame.
pub const SIZE_BYTES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::api_versions::ApiVersionsRequest;
    use crate::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
    use crate::{ApiKey, Hole, Records};

    #[test]
    fn request_reads_back() {
        let mut w = Writer::new();
        let body = ApiVersionsRequest {
            client_software_name: "logmill",
            client_software_version: "1",
        };
        write_request(&mut w, 3, 7, Some("me"), &body).unwrap();
        let size = i32::from_be_bytes(w.bytes[..4].try_into().unwrap());
        assert_eq!(size as usize, w.bytes.len() - 4);
        let (header, mut r) = RequestHeader::decode(&w.bytes[4..]).unwrap();
        assert_eq!(header.request_api_key, ApiKey::ApiVersions.as_i16());
        assert_eq!((header.correlation_id, header.client_id), (7, Some("me")));
        let decoded = <ApiVersionsRequest as Message>::decode(&mut r, 3).unwrap();
        assert_eq!(decoded, body);
        r.finish().unwrap();
    }

    #[test]
    fn size_counts_external_records() {
        let mut w = Writer::new();
        let partitions = [PartitionProduceData {
            index: 0,
            records: Some(Records::External { len: 1000, id: 42 }),
        }];
        let topics = [TopicProduceData {
            partition_data: (&partitions).into(),
            ..Default::default()
        }];
        let body = ProduceRequest {
            topic_data: (&topics).into(),
            ..Default::default()
        };
        write_request(&mut w, 9, 1, None, &body).unwrap();
        let size = i32::from_be_bytes(w.bytes[..4].try_into().unwrap());
        assert_eq!(size as usize, w.total_len() - 4);
        // Behind the hole: the tagged fields of partition, topic and request, all empty.
        assert_eq!(
            w.holes,
            [Hole {
                at: w.bytes.len() - 3,
                len: 1000,
                id: 42
            }]
        );
    }

    #[test]
    fn failure_leaves_nothing_behind() {
        let mut w = Writer::new();
        w.raw(b"before");
        let body = ApiVersionsRequest {
            client_software_name: "x",
            ..Default::default()
        };
        assert!(write_request(&mut w, 5, 1, None, &body).is_err());
        assert_eq!(w.bytes, b"before");
        assert!(w.holes.is_empty());
    }
}
