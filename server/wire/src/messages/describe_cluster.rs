//! DescribeCluster (API key 60): the cluster's id, its brokers and its controller.

use logmill_wire_derive::{Element, Message};

use crate::Array;

/// The request, versions 0 to 2. Schema `DescribeClusterRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Message)]
#[wire(request = DescribeCluster, versions = "0-2", flexible = "0+")]
pub struct DescribeClusterRequest {
    pub include_cluster_authorized_operations: bool,
    #[wire(versions = "1+", default = 1)]
    pub endpoint_type: i8,
    #[wire(versions = "2+")]
    pub include_fenced_brokers: bool,
}

/// The response, versions 0 to 2. Schema `DescribeClusterResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = DescribeCluster, versions = "0-2", flexible = "0+")]
pub struct DescribeClusterResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    #[wire(versions = "1+", default = 1)]
    pub endpoint_type: i8,
    pub cluster_id: &'a str,
    #[wire(default = -1)]
    pub controller_id: i32,
    pub brokers: Array<'a, DescribeClusterBroker<'a>>,
    #[wire(default = i32::MIN)]
    pub cluster_authorized_operations: i32,
}

/// An element of [`DescribeClusterResponse::brokers`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct DescribeClusterBroker<'a> {
    pub broker_id: i32,
    pub host: &'a str,
    pub port: i32,
    #[wire(nullable, default = None)]
    pub rack: Option<&'a str>,
    #[wire(versions = "2+")]
    pub is_fenced: bool,
}
