//! DescribeCluster: the cluster's id, its controller and its brokers.

use logmill_wire::messages::describe_cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};
use logmill_wire::{Array, EncodeError, ErrorCode, Message, Writer};

use crate::handlers::authorized;
use crate::handlers::context::RequestContext;

/// Answers.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn answer(
    ctx: &RequestContext<'_>,
    request: &DescribeClusterRequest,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let refusal = match request.endpoint_type {
        BROKERS => None,
        CONTROLLERS => Some((
            ErrorCode::MISMATCHED_ENDPOINT_TYPE,
            "this listener is for clients of the broker, not for those of a controller",
        )),
        _ => Some((
            ErrorCode::UNSUPPORTED_ENDPOINT_TYPE,
            "endpoints are brokers or controllers",
        )),
    };
    if let Some((code, message)) = refusal {
        let response = DescribeClusterResponse {
            error_code: code.0,
            error_message: Some(message),
            ..DescribeClusterResponse::default()
        };
        return response.encode(out, ctx.version);
    }
    let broker = ctx.broker;
    let brokers = [DescribeClusterBroker {
        broker_id: broker.node_id,
        host: &broker.host,
        port: i32::from(broker.port),
        rack: broker.rack.as_deref(),
        is_fenced: false,
    }];
    let mut response = DescribeClusterResponse {
        endpoint_type: BROKERS,
        cluster_id: &broker.cluster_id,
        controller_id: broker.node_id,
        brokers: Array::Slice(&brokers),
        ..DescribeClusterResponse::default()
    };
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = authorized::CLUSTER;
    }
    response.encode(out, ctx.version)
}

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;
