//! Topics that go.

use std::collections::BTreeMap;

use logmill_engine::base::TopicId;
use logmill_wire::Uuid;
use logmill_wire::records::metadata::RemoveTopicRecord;

use crate::metadata::command::{DeleteTopics, MetadataError, MetadataOutcome, Submitted, TopicRef};
use crate::metadata::controller::LocalController;
use crate::metadata::image::MetadataImage;
use crate::metadata::records::encode;

type Answer = (Option<String>, TopicId, Result<(), MetadataError>);

/// Deletes topics that a client asked for by DeleteTopics.
pub(super) fn delete(
    controller: &LocalController,
    image: &MetadataImage,
    command: DeleteTopics,
) -> Submitted {
    let mut counts: BTreeMap<&TopicRef, usize> = BTreeMap::new();
    for topic in &command.topics {
        *counts.entry(topic).or_default() += 1;
    }
    let mut records = Vec::new();
    let mut deleted = Vec::new();
    let mut answers = Vec::with_capacity(command.topics.len());
    let mut answered = Vec::new();
    for topic in &command.topics {
        let repeated = counts[topic] > 1;
        if repeated {
            if answered.contains(&topic) {
                continue;
            }
            answered.push(topic);
        }
        let answer = match find(controller, image, topic) {
            (_, _, Ok(())) if repeated => {
                let (name, id) = given(topic);
                (name, id, Err(named_twice()))
            }
            // Once by name and once by id.
            (name, id, Ok(())) if deleted.contains(&id) => (name, id, Err(named_twice())),
            (name, id, Ok(())) => {
                deleted.push(id);
                records.push(encode(RemoveTopicRecord {
                    topic_id: Uuid(id.0),
                }));
                (name, id, Ok(()))
            }
            refused => refused,
        };
        answers.push(answer);
    }
    Submitted {
        records,
        outcome: MetadataOutcome::DeleteTopics(answers),
    }
}

fn find(controller: &LocalController, image: &MetadataImage, topic: &TopicRef) -> Answer {
    let (name, id) = given(topic);
    if !controller.delete_topics {
        return (name, id, Err(MetadataError::DeletionDisabled));
    }
    let found = match topic {
        TopicRef::Name(name) => image
            .topic(name)
            .ok_or_else(|| MetadataError::UnknownTopic(name.clone())),
        TopicRef::Id(id) => image
            .topic_by_id(*id)
            .ok_or(MetadataError::UnknownTopicId(*id)),
        TopicRef::Both(..) => Err(MetadataError::Request(
            "a topic is named and given by id as well".to_owned(),
        )),
        TopicRef::Neither => Err(MetadataError::Request(
            "a topic has neither a name nor an id".to_owned(),
        )),
    };
    match found {
        Ok(topic) => (Some(topic.name.to_string()), topic.id, Ok(())),
        Err(error) => (name, id, Err(error)),
    }
}

/// What of name and id the request has.
fn given(topic: &TopicRef) -> (Option<String>, TopicId) {
    match topic {
        TopicRef::Name(name) => (Some(name.clone()), TopicId::ZERO),
        TopicRef::Id(id) => (None, *id),
        TopicRef::Both(name, id) => (Some(name.clone()), *id),
        TopicRef::Neither => (None, TopicId::ZERO),
    }
}

fn named_twice() -> MetadataError {
    MetadataError::Request("a topic is given twice".to_owned())
}
