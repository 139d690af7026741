//! More partitions for topics that are there.

use std::collections::BTreeSet;

use crate::metadata::command::{
    CreatePartitions, MetadataError, MetadataOutcome, NewPartitions, Submitted,
};
use crate::metadata::controller::LocalController;
use crate::metadata::create_topics::{check_assignment, check_room};
use crate::metadata::image::{MetadataImage, TopicImage};
use crate::metadata::records;

/// Adds partitions that a client asked for by CreatePartitions.
pub(super) fn create(
    controller: &mut LocalController,
    image: &MetadataImage,
    command: CreatePartitions,
) -> Submitted {
    let mut batch = Batch {
        records: Vec::new(),
        total: image.partition_count(),
        new: 0,
    };
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<&str> = command
        .topics
        .iter()
        .map(|topic| topic.name.as_str())
        .filter(|name| !seen.insert(*name))
        .collect();
    let mut answers = Vec::with_capacity(command.topics.len());
    let mut answered = BTreeSet::new();
    for topic in &command.topics {
        if !answered.insert(topic.name.as_str()) {
            continue;
        }
        let result = if twice.contains(topic.name.as_str()) {
            Err(MetadataError::Request(format!(
                "the topic {:?} is named twice",
                topic.name
            )))
        } else {
            batch.add(controller, image, topic)
        };
        answers.push((topic.name.clone(), result));
    }
    let records = if command.validate_only {
        Vec::new()
    } else {
        batch.records
    };
    Submitted {
        records,
        outcome: MetadataOutcome::CreatePartitions(answers),
    }
}

struct Batch {
    records: Vec<Vec<u8>>,
    total: usize,
    new: usize,
}

impl Batch {
    fn add(
        &mut self,
        controller: &mut LocalController,
        image: &MetadataImage,
        asked: &NewPartitions,
    ) -> Result<(), MetadataError> {
        let topic = image
            .topic(&asked.name)
            .ok_or_else(|| MetadataError::UnknownTopic(asked.name.clone()))?;
        let first = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
        let added = added(topic, first, asked.count)?;
        if let Some(assignments) = &asked.assignments {
            if assignments.len() != added {
                let given = assignments.len();
                let text = format!("{added} partitions are added and {given} are assigned");
                return Err(MetadataError::Assignment(text));
            }
            for brokers in assignments {
                check_assignment(controller, brokers)?;
            }
        }
        check_room(controller, self.total + added, self.new + added)?;
        self.total += added;
        self.new += added;
        for index in first..asked.count {
            let directory = controller.next_directory();
            let replicas = [controller.node_id];
            self.records
                .push(records::partition(topic.id, index, &replicas, &directory));
        }
        Ok(())
    }
}

fn added(topic: &TopicImage, have: i32, count: i32) -> Result<usize, MetadataError> {
    let name = &topic.name;
    if count == have {
        let text = format!("the topic {name:?} has {have} partitions already");
        return Err(MetadataError::Partitions(text));
    }
    let added = count
        .checked_sub(have)
        .and_then(|added| usize::try_from(added).ok());
    added.ok_or_else(|| {
        let text =
            format!("the topic {name:?} has {have} partitions: {count} would take some away");
        MetadataError::Partitions(text)
    })
}
