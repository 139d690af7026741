//! Against the crate `kafka-protocol`, which was written by others from the same schemas: bytes
//! are to be the same both ways, and values the same by name.

use kafka_protocol::messages::{ApiKey as OtherKey, RequestKind, ResponseKind};

use super::for_each_sample;
use super::named::Value;
use super::table::{Codec, apis};
use crate::ApiKey;

/// What the other codec makes of a frame: every field by name, and the frame encoded anew.
type Reencode = fn(OtherKey, &[u8], i16) -> Result<(String, Vec<u8>), String>;

#[test]
fn bytes_and_values_are_those_of_another_codec() {
    let mut unknown = Vec::new();
    let mut lonely = Vec::new();
    for ((request, response), api) in apis().iter().zip(live_apis()) {
        for (codec, reencode) in [
            (request, reencode_request as Reencode),
            (response, reencode_response),
        ] {
            let Ok(other) = OtherKey::try_from(api.as_i16()) else {
                unknown.push(codec.name.to_owned());
                continue;
            };
            compare(codec, other, reencode, &mut unknown, &mut lonely);
        }
    }
    unknown.dedup();
    assert_eq!(unknown, UNKNOWN);
    lonely.sort();
    lonely.dedup();
    assert_eq!(lonely, LONELY);
}

fn compare(
    codec: &Codec,
    other: OtherKey,
    reencode: Reencode,
    unknown: &mut Vec<String>,
    lonely: &mut Vec<String>,
) {
    for_each_sample(codec, |case, mut rng, version| {
        let sample = (codec.sample)(&mut rng, version);
        let (debug, bytes) = match reencode(other, &sample.bytes, version) {
            Ok(theirs) => theirs,
            Err(error) if error.contains("specified version not supported") => {
                return unknown.push(format!("{} {version}", codec.name));
            }
            Err(error) => panic!("{case}: {error}\n{}", sample.debug),
        };
        assert_eq!(bytes, sample.bytes, "{case}");
        assert_eq!(
            (codec.decode)(&bytes, version).as_ref(),
            Ok(&sample),
            "{case}"
        );
        let (ours, theirs) = (Value::parse(&sample.debug), Value::parse(&debug));
        let mut names = Vec::new();
        if let Err(difference) = ours.compare(&theirs, &mut names) {
            panic!("{case}: {difference}\n{}\n{debug}", sample.debug);
        }
        lonely.extend(
            names
                .into_iter()
                .map(|name| format!("{} {name}", codec.name)),
        );
    });
}

macro_rules! reencode {
    ($name:ident, $kind:ty) => {
        fn $name(api: OtherKey, frame: &[u8], version: i16) -> Result<(String, Vec<u8>), String> {
            let mut rest = frame.to_vec().into();
            let message =
                <$kind>::decode(api, &mut rest, version).map_err(|error| format!("{error:#}"))?;
            if !rest.is_empty() {
                return Err(format!("{} bytes left over", rest.len()));
            }
            let mut encoded = Default::default();
            message
                .encode(&mut encoded, version)
                .map_err(|error| format!("{error:#}"))?;
            Ok((format!("{message:?}"), encoded.to_vec()))
        }
    };
}

reencode!(reencode_request, RequestKind);
reencode!(reencode_response, ResponseKind);

fn live_apis() -> impl Iterator<Item = ApiKey> {
    ApiKey::ALL
        .iter()
        .copied()
        .filter(|api| !api.valid_versions().is_empty())
}

/// Messages and versions that the other codec does not have.
const UNKNOWN: &[&str] = &[
    "ListOffsetsRequest 11",
    "ListOffsetsResponse 11",
    "OffsetCommitRequest 10",
    "OffsetFetchRequest 10",
    "InitProducerIdRequest 6",
    "WriteTxnMarkersRequest 2",
    "WriteTxnMarkersResponse 2",
    "ShareFetchRequest 2",
    "ShareFetchResponse 2",
    "ShareAcknowledgeRequest 2",
    "ShareAcknowledgeResponse 2",
    "AddRaftVoterRequest 1",
    "AddRaftVoterResponse 1",
    "WriteShareGroupStateRequest 1",
    "WriteShareGroupStateResponse 1",
    "ReadShareGroupStateSummaryRequest 1",
    "ReadShareGroupStateSummaryResponse 1",
    "StreamsGroupHeartbeatRequest",
    "StreamsGroupHeartbeatResponse",
    "StreamsGroupDescribeRequest",
    "StreamsGroupDescribeResponse",
    "DescribeShareGroupOffsetsRequest 1",
    "DescribeShareGroupOffsetsResponse 1",
];

/// Fields of versions that only one of the codecs has: ours with a plus.
const LONELY: &[&str] = &[
    "AddRaftVoterRequest +ackwhencommitted",
    "DescribeShareGroupOffsetsResponse +lag",
    "ReadShareGroupStateSummaryResponse +deliverycompletecount",
    "ShareAcknowledgeRequest +isrenewack",
    "ShareAcknowledgeResponse +acquisitionlocktimeoutms",
    "ShareFetchRequest +isrenewack",
    "ShareFetchRequest +shareacquiremode",
    "ShareFetchRequest -partitionmaxbytes",
    "WriteShareGroupStateRequest +deliverycompletecount",
    "WriteTxnMarkersRequest +transactionversion",
];
