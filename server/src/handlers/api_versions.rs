//! ApiVersions: what this broker serves, in which versions, and its features.

use std::ops::RangeInclusive;

use logmill_wire::messages::api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use logmill_wire::{ApiKey, EncodeError, ErrorCode, Message, Writer};

use crate::handlers::context::RequestContext;
use crate::metadata::SUPPORTED_FEATURES;

/// Every API that works.
pub const SERVED: &[ApiKey] = &[
    ApiKey::Produce,
    ApiKey::Fetch,
    ApiKey::ListOffsets,
    ApiKey::Metadata,
    ApiKey::OffsetCommit,
    ApiKey::OffsetFetch,
    ApiKey::FindCoordinator,
    ApiKey::JoinGroup,
    ApiKey::Heartbeat,
    ApiKey::LeaveGroup,
    ApiKey::SyncGroup,
    ApiKey::DescribeGroups,
    ApiKey::ListGroups,
    ApiKey::SaslHandshake,
    ApiKey::ApiVersions,
    ApiKey::CreateTopics,
    ApiKey::DeleteTopics,
    ApiKey::DeleteRecords,
    ApiKey::InitProducerId,
    ApiKey::OffsetForLeaderEpoch,
    ApiKey::DescribeConfigs,
    ApiKey::AlterConfigs,
    ApiKey::SaslAuthenticate,
    ApiKey::CreatePartitions,
    ApiKey::IncrementalAlterConfigs,
    ApiKey::DeleteGroups,
    ApiKey::OffsetDelete,
    ApiKey::ListPartitionReassignments,
    ApiKey::DescribeCluster,
    ApiKey::ListConfigResources,
    ApiKey::DescribeTopicPartitions,
];

/// The versions in which an API is served; `None` for one that is not. With `unstable`, also
/// those that Kafka 4.1 holds back.
#[must_use]
pub fn served_versions(api: ApiKey, unstable: bool) -> Option<RangeInclusive<i16>> {
    if !SERVED.contains(&api) {
        return None;
    }
    match api {
        // Version 10 of these names topics by id, and is not built.
        ApiKey::OffsetCommit | ApiKey::OffsetFetch => api.stable_versions_4_1(),
        _ if unstable => Some(api.valid_versions()),
        _ => api.stable_versions_4_1(),
    }
}

/// Answers a request of a version that is served.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn answer(
    ctx: &RequestContext<'_>,
    request: &ApiVersionsRequest<'_>,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    const NAMED_SINCE: i16 = 3;
    let named = is_software_name(request.client_software_name)
        && is_software_name(request.client_software_version);
    if ctx.version >= NAMED_SINCE && !named {
        let refusal = ApiVersionsResponse {
            error_code: ErrorCode::INVALID_REQUEST.0,
            ..ApiVersionsResponse::default()
        };
        return refusal.encode(out, ctx.version);
    }
    let finalized: Vec<_> = ctx
        .image
        .features()
        .map(|(name, level)| FinalizedFeatureKey {
            name,
            max_version_level: level,
            min_version_level: level,
        })
        .collect();
    let response = ApiVersionsResponse {
        api_keys: advertised(ctx.config.unstable_api_versions).into(),
        supported_features: supported(ctx.version).into(),
        finalized_features_epoch: ctx.image.features_epoch(),
        finalized_features: finalized.into(),
        ..ApiVersionsResponse::default()
    };
    response.encode(out, ctx.version)
}

/// Answers a request of a version that is not known: in version 0, with the versions of this one
/// API, so that the client can ask again.
///
/// # Errors
/// None in practice: the answer is small.
pub fn answer_unsupported(unstable: bool, out: &mut Writer) -> Result<(), EncodeError> {
    let own =
        served_versions(ApiKey::ApiVersions, unstable).map(|v| entry(ApiKey::ApiVersions, &v));
    let response = ApiVersionsResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION.0,
        api_keys: own.into_iter().collect::<Vec<_>>().into(),
        ..ApiVersionsResponse::default()
    };
    response.encode(out, 0)
}

fn advertised(unstable: bool) -> Vec<ApiVersion> {
    SERVED
        .iter()
        .filter_map(|api| Some((*api, served_versions(*api, unstable)?)))
        .map(|(api, versions)| entry(api, &versions))
        .collect()
}

/// Produce is advertised from 0, although its first three versions are gone: older librdkafka
/// would stop to compress otherwise (KAFKA-18659).
fn entry(api: ApiKey, versions: &RangeInclusive<i16>) -> ApiVersion {
    let min_version = if api == ApiKey::Produce {
        0
    } else {
        *versions.start()
    };
    ApiVersion {
        api_key: api.as_i16(),
        min_version,
        max_version: *versions.end(),
    }
}

/// Before version 4, clients cannot read a feature whose lowest level is 0 (KAFKA-17011).
fn supported(version: i16) -> Vec<SupportedFeatureKey<'static>> {
    const ZERO_SINCE: i16 = 4;
    SUPPORTED_FEATURES
        .iter()
        .filter(|feature| version >= ZERO_SINCE || feature.min > 0)
        .map(|feature| SupportedFeatureKey {
            name: feature.name,
            min_version: feature.min,
            max_version: feature.max,
        })
        .collect()
}

/// Letters, digits, `-` and `.`, the last two not at an end (KIP-511).
fn is_software_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let bytes = name.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter()
        .all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
        && bytes.iter().all(|byte| inner(*byte))
}
