//! Which version of each API both sides have.

use std::ops::RangeInclusive;

use logmill_wire::messages::api_versions::ApiVersionsResponse;
use logmill_wire::{ApiKey, ErrorCode};

/// The versions that a broker advertised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// By key, ascending.
    ranges: Vec<(i16, i16, i16)>,
}

impl Versions {
    /// Takes the table out of an `ApiVersions` response.
    pub(crate) fn from_response(response: &ApiVersionsResponse<'_>) -> Self {
        let mut ranges: Vec<(i16, i16, i16)> = response
            .api_keys
            .iter()
            .map(|api| (api.api_key, api.min_version, api.max_version))
            .collect();
        ranges.sort_unstable();
        ranges.dedup_by_key(|range| range.0);
        Self { ranges }
    }

    /// What the broker advertises for `api`, `None` if it does not have it.
    #[must_use]
    pub fn advertised(&self, api: ApiKey) -> Option<RangeInclusive<i16>> {
        let at = self
            .ranges
            .binary_search_by_key(&(api as i16), |range| range.0)
            .ok()?;
        let (_, low, high) = self.ranges[at];
        Some(low..=high)
    }

    /// The highest version of `api` that the broker advertises, this side holds as stable, and
    /// that is not above `cap`.
    #[must_use]
    pub fn pick(&self, api: ApiKey, cap: i16) -> Option<i16> {
        let theirs = self.advertised(api)?;
        let ours = api
            .stable_versions_4_1()
            .unwrap_or_else(|| api.valid_versions());
        let high = (*theirs.end()).min(*ours.end()).min(cap);
        let low = (*theirs.start()).max(*ours.start());
        (low <= high).then_some(high)
    }
}

/// The `ApiVersions` version to try again with, after a broker refused `tried` with error 35 and
/// listed what it has (KIP-511: the refusal is always in version 0).
pub(crate) fn retry_version(refusal: &ApiVersionsResponse<'_>, tried: i16) -> Option<i16> {
    if refusal.error_code != ErrorCode::UNSUPPORTED_VERSION.0 || tried == 0 {
        return None;
    }
    let key = ApiKey::ApiVersions as i16;
    let listed = refusal.api_keys.iter().find(|api| api.api_key == key);
    Some(listed.map_or(0, |api| api.max_version.clamp(0, tried - 1)))
}
