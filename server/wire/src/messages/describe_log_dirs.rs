//! DescribeLogDirs (API key 35): a broker's log directories and the replicas in them.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 1 to 4, flexible from 2. Schema `DescribeLogDirsRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = DescribeLogDirs, versions = "1-4", flexible = "2+")]
pub struct DescribeLogDirsRequest<'a> {
    #[wire(nullable)]
    pub topics: Option<Array<'a, DescribableLogDirTopic<'a>>>,
}

/// An element of [`DescribeLogDirsRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribableLogDirTopic<'a> {
    pub topic: &'a str,
    pub partitions: Array<'a, i32>,
}

/// The response, versions 1 to 4, flexible from 2. Schema `DescribeLogDirsResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DescribeLogDirs, versions = "1-4", flexible = "2+")]
pub struct DescribeLogDirsResponse<'a> {
    pub throttle_time_ms: i32,
    #[wire(versions = "3+", ignorable)]
    pub error_code: i16,
    pub results: Array<'a, DescribeLogDirsResult<'a>>,
}

/// An element of [`DescribeLogDirsResponse::results`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeLogDirsResult<'a> {
    pub error_code: i16,
    pub log_dir: &'a str,
    pub topics: Array<'a, DescribeLogDirsTopic<'a>>,
    #[wire(versions = "4+", default = -1, ignorable)]
    pub total_bytes: i64,
    #[wire(versions = "4+", default = -1, ignorable)]
    pub usable_bytes: i64,
}

/// An element of [`DescribeLogDirsResult::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeLogDirsTopic<'a> {
    pub name: &'a str,
    pub partitions: Array<'a, DescribeLogDirsPartition>,
}

/// An element of [`DescribeLogDirsTopic::partitions`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct DescribeLogDirsPartition {
    pub partition_index: i32,
    pub partition_size: i64,
    pub offset_lag: i64,
    pub is_future_key: bool,
}
