//! The metadata log, `__cluster_metadata-0` (KIP-631): each record's value is a frame version, the
//! record type and its version, all three unsigned varints, and the record itself.

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::message::{Message, Record};
use crate::reader::Reader;
use crate::writer::Writer;

mod broker;
mod config;
mod log;
mod security;
mod topic;

pub use broker::*;
pub use config::*;
pub use log::*;
pub use security::*;
pub use topic::*;

macro_rules! metadata_records {
    ($($name:ident($ty:ty),)*) => {
        /// Any record of the metadata log.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(missing_docs, reason = "the variants are the records, which say what they are")]
        pub enum MetadataRecord<'a> {
            $($name($ty),)*
        }

        impl<'a> MetadataRecord<'a> {
            /// Decodes the value of a record of the metadata log.
            ///
            /// # Errors
            /// The frame, the type or the version is unknown, or the bytes are malformed.
            pub fn decode(value: &'a [u8]) -> Result<Self, DecodeError> {
                let mut r = Reader::new(value);
                let (record_type, version) = read_frame(&mut r)?;
                let record = match record_type {
                    $(<$ty as Record>::RECORD_TYPE => {
                        MetadataRecord::$name(Message::decode(&mut r, version)?)
                    })*
                    unknown => {
                        return Err(DecodeErrorKind::UnknownRecordType(i32::from(unknown)).into());
                    }
                };
                r.finish()?;
                Ok(record)
            }

            /// Appends the value of a record of the metadata log, in `version` of its type.
            ///
            /// # Errors
            /// The version does not exist or cannot hold the record.
            pub fn encode(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
                match self {
                    $(MetadataRecord::$name(record) => write_framed(w, record, version),)*
                }
            }

            /// The number of its type.
            #[must_use]
            pub fn record_type(&self) -> i16 {
                match self {
                    $(MetadataRecord::$name(_) => <$ty as Record>::RECORD_TYPE,)*
                }
            }

            /// The name of its type.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(MetadataRecord::$name(_) => <$ty as Message>::NAME,)*
                }
            }

            /// The newest version of its type.
            #[must_use]
            pub fn latest_version(&self) -> i16 {
                match self {
                    $(MetadataRecord::$name(_) => *<$ty as Message>::VERSIONS.end(),)*
                }
            }
        }

        $(impl<'a> From<$ty> for MetadataRecord<'a> {
            fn from(record: $ty) -> Self {
                MetadataRecord::$name(record)
            }
        })*
    };
}

/// Appends one record of the metadata log, its frame first.
///
/// # Errors
/// The version does not exist or cannot hold the record. `w` is as it was then.
pub fn write_framed<'a, R: Record<'a>>(
    w: &mut Writer,
    record: &R,
    version: i16,
) -> Result<(), EncodeError> {
    let start = w.bytes.len();
    w.unsigned_varint(FRAME_VERSION);
    w.unsigned_varint(u32::from(R::RECORD_TYPE.cast_unsigned()));
    w.unsigned_varint(u32::from(version.cast_unsigned()));
    record
        .encode(w, version)
        .inspect_err(|_| w.bytes.truncate(start))
}

/// Reads the frame before a record: its type and its version.
///
/// # Errors
/// The frame is of another version, or malformed.
pub fn read_frame(r: &mut Reader<'_>) -> Result<(i16, i16), DecodeError> {
    let frame_version = r.unsigned_varint()?;
    if frame_version != FRAME_VERSION {
        return Err(DecodeErrorKind::UnknownFrameVersion(frame_version).into());
    }
    let record_type = narrow(r.unsigned_varint()?)?;
    let version = narrow(r.unsigned_varint()?)?;
    Ok((record_type, version))
}

fn narrow(value: u32) -> Result<i16, DecodeError> {
    i16::try_from(value).map_err(|_| DecodeErrorKind::VarintTooLong { bits: 15 }.into())
}

/// The only layout of frames that there is.
const FRAME_VERSION: u32 = 1;

metadata_records! {
    RegisterBroker(RegisterBrokerRecord<'a>),
    UnregisterBroker(UnregisterBrokerRecord),
    Topic(TopicRecord<'a>),
    Partition(PartitionRecord<'a>),
    Config(ConfigRecord<'a>),
    PartitionChange(PartitionChangeRecord<'a>),
    FenceBroker(FenceBrokerRecord),
    UnfenceBroker(UnfenceBrokerRecord),
    RemoveTopic(RemoveTopicRecord),
    DelegationToken(DelegationTokenRecord<'a>),
    UserScramCredential(UserScramCredentialRecord<'a>),
    FeatureLevel(FeatureLevelRecord<'a>),
    ClientQuota(ClientQuotaRecord<'a>),
    ProducerIds(ProducerIdsRecord),
    BrokerRegistrationChange(BrokerRegistrationChangeRecord<'a>),
    AccessControlEntry(AccessControlEntryRecord<'a>),
    RemoveAccessControlEntry(RemoveAccessControlEntryRecord),
    NoOp(NoOpRecord),
    ZkMigrationState(ZkMigrationStateRecord),
    RemoveUserScramCredential(RemoveUserScramCredentialRecord<'a>),
    BeginTransaction(BeginTransactionRecord<'a>),
    EndTransaction(EndTransactionRecord),
    AbortTransaction(AbortTransactionRecord<'a>),
    RemoveDelegationToken(RemoveDelegationTokenRecord<'a>),
    RegisterController(RegisterControllerRecord<'a>),
    ClearElr(ClearElrRecord<'a>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Uuid;

    #[test]
    fn topic_record_has_the_bytes_of_kip_631() {
        let record = MetadataRecord::from(TopicRecord {
            name: "foo",
            topic_id: Uuid([9; 16]),
        });
        let mut w = Writer::new();
        record.encode(&mut w, 0).unwrap();
        let mut expected = vec![1, 2, 0, 4, b'f', b'o', b'o'];
        expected.extend([9; 16]);
        expected.push(0);
        assert_eq!(w.bytes, expected);
        assert_eq!(MetadataRecord::decode(&w.bytes), Ok(record));
    }

    #[test]
    fn change_record_writes_only_what_changes() {
        let record = PartitionChangeRecord {
            partition_id: 3,
            topic_id: Uuid([1; 16]),
            isr: Some((&[1, 2]).into()),
            leader: 2,
            ..Default::default()
        };
        let mut w = Writer::new();
        write_framed(&mut w, &record, 1).unwrap();
        let mut expected = vec![1, 5, 1, 0, 0, 0, 3];
        expected.extend([1; 16]);
        expected.extend([2, 0, 9, 3, 0, 0, 0, 1, 0, 0, 0, 2, 1, 4, 0, 0, 0, 2]);
        assert_eq!(w.bytes, expected);
        assert_eq!(MetadataRecord::decode(&w.bytes), Ok(record.into()));
    }

    #[test]
    fn unknown_frames_types_and_versions_are_refused() {
        let kind = |bytes: &[u8]| MetadataRecord::decode(bytes).unwrap_err().kind;
        assert_eq!(kind(&[2, 2, 0]), DecodeErrorKind::UnknownFrameVersion(2));
        assert_eq!(kind(&[1, 6, 0]), DecodeErrorKind::UnknownRecordType(6));
        let unsupported = DecodeErrorKind::UnsupportedVersion {
            version: 1,
            first: 0,
            last: 0,
        };
        assert_eq!(kind(&[1, 2, 1]), unsupported);
        assert_eq!(
            kind(&[1, 20, 0, 0, 0]),
            DecodeErrorKind::Trailing { left: 1 }
        );
    }
}
