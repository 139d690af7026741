//! InitProducerId: an id for an idempotent producer. Ids come from blocks that the metadata log
//! gives away, so none is ever given twice, not even after a kill.

use logmill_wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use crate::handlers::context::{Planned, RequestContext, Suspended};
use crate::metadata::{MetadataCommand, ProducerIdBlock};

/// Answers from the shard's block, or asks for another one.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn plan(
    ctx: &RequestContext<'_>,
    request: &InitProducerIdRequest<'_>,
    block: &mut ProducerIdBlock,
    out: &mut Writer,
) -> Result<Planned, EncodeError> {
    let refusal = match request.transactional_id {
        Some("") => Some(ErrorCode::INVALID_REQUEST),
        // Both or neither: an epoch belongs to an id.
        _ if (request.producer_id == -1) != (request.producer_epoch == -1) => {
            Some(ErrorCode::INVALID_REQUEST)
        }
        // Transactions are not built yet; FindCoordinator says the same.
        Some(_) => Some(ErrorCode::COORDINATOR_NOT_AVAILABLE),
        None => None,
    };
    if let Some(code) = refusal {
        refuse(ctx, code, out)?;
        return Ok(Planned::Answered);
    }
    match block.take() {
        Some(id) => {
            give(ctx, id, out)?;
            Ok(Planned::Answered)
        }
        None => Ok(Planned::Command {
            command: MetadataCommand::AllocateProducerIds,
            suspended: Suspended::InitProducerId,
        }),
    }
}

/// Writes the answer, when the shard has a new block.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn reply(
    ctx: &RequestContext<'_>,
    block: &mut ProducerIdBlock,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    match block.take() {
        Some(id) => give(ctx, id, out),
        None => refuse(ctx, ErrorCode::COORDINATOR_LOAD_IN_PROGRESS, out),
    }
}

fn give(ctx: &RequestContext<'_>, id: i64, out: &mut Writer) -> Result<(), EncodeError> {
    let response = InitProducerIdResponse {
        producer_id: id,
        producer_epoch: 0,
        ..InitProducerIdResponse::default()
    };
    response.encode(out, ctx.version)
}

fn refuse(ctx: &RequestContext<'_>, code: ErrorCode, out: &mut Writer) -> Result<(), EncodeError> {
    let response = InitProducerIdResponse {
        error_code: code.0,
        producer_id: -1,
        producer_epoch: -1,
        ..InitProducerIdResponse::default()
    };
    response.encode(out, ctx.version)
}
