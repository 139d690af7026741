//! ListPartitionReassignments: with one broker nothing moves.

use logmill_wire::messages::list_partition_reassignments::ListPartitionReassignmentsResponse;
use logmill_wire::{EncodeError, Message, Writer};

use crate::handlers::context::RequestContext;

/// Answers that there are none, whatever topics were asked about.
///
/// # Errors
/// None in practice: the answer is small.
pub fn answer(ctx: &RequestContext<'_>, out: &mut Writer) -> Result<(), EncodeError> {
    let response = ListPartitionReassignmentsResponse {
        error_message: None,
        ..ListPartitionReassignmentsResponse::default()
    };
    response.encode(out, ctx.version)
}
