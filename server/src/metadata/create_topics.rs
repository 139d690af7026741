//! New topics: the checks of Kafka's controller, and the records.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngCore;

use crate::config::{TopicConfigError, check_topic};
use crate::metadata::command::{
    CreateTopics, CreatedTopic, MetadataError, MetadataOutcome, NewTopic, Submitted,
};
use crate::metadata::controller::{LocalController, random_topic_id};
use crate::metadata::image::{ConfigResource, MetadataImage};
use crate::metadata::records;
use crate::metadata::topic_name::{
    CLUSTER_METADATA, OFFSETS_TOPIC, check_collision, check_topic_name, collides, is_internal,
};

/// Creates topics that a client asked for by CreateTopics.
pub(super) fn create(
    controller: &mut LocalController,
    image: &MetadataImage,
    command: CreateTopics,
    rng: &mut dyn RngCore,
) -> Submitted {
    let mut batch = Batch::new(image, command.validate_only);
    let twice = duplicates(command.topics.iter().map(|topic| topic.name.as_str()));
    let mut answers = Vec::with_capacity(command.topics.len());
    let mut answered = BTreeSet::new();
    for topic in command.topics {
        // A name that stands twice is answered once.
        if !answered.insert(topic.name.clone()) {
            continue;
        }
        let result = if twice.contains(&topic.name) {
            Err(MetadataError::Request(format!(
                "the topic {:?} is named twice",
                topic.name
            )))
        } else {
            batch.add(controller, image, &topic, rng)
        };
        answers.push((topic.name, result));
    }
    Submitted {
        records: batch.records,
        outcome: MetadataOutcome::CreateTopics(answers),
    }
}

/// Creates topics with the broker's defaults, for clients that asked about them.
pub(super) fn auto_create(
    controller: &mut LocalController,
    image: &MetadataImage,
    names: Vec<String>,
    rng: &mut dyn RngCore,
) -> Submitted {
    let mut batch = Batch::new(image, false);
    let answers = names
        .into_iter()
        .map(|name| {
            let topic = match name.as_str() {
                OFFSETS_TOPIC => offsets_topic(controller),
                name if is_internal(name) => {
                    let error = MetadataError::UnknownTopic(name.to_owned());
                    return (name.to_owned(), Err(error));
                }
                _ => NewTopic {
                    name,
                    partitions: -1,
                    replication_factor: -1,
                    assignments: Vec::new(),
                    configs: Vec::new(),
                },
            };
            let result = match batch.add(controller, image, &topic, rng) {
                // Another client was faster: what was asked for is there.
                Ok(_) | Err(MetadataError::TopicExists(_)) => Ok(()),
                Err(error) => Err(error),
            };
            (topic.name, result)
        })
        .collect();
    Submitted {
        records: batch.records,
        outcome: MetadataOutcome::AutoCreate(answers),
    }
}

/// KAFKA: `GroupCoordinatorService.groupMetadataTopicConfigs`.
fn offsets_topic(controller: &LocalController) -> NewTopic {
    let settings = &controller.settings;
    let segment_bytes = settings.int("offsets.topic.segment.bytes").to_string();
    let configs = [
        ("cleanup.policy", "compact"),
        ("compression.type", "producer"),
        ("segment.bytes", &segment_bytes),
    ];
    NewTopic {
        name: OFFSETS_TOPIC.to_owned(),
        partitions: settings.int("offsets.topic.num.partitions"),
        replication_factor: 1,
        assignments: Vec::new(),
        configs: configs
            .map(|(key, value)| (key.to_owned(), Some(value.to_owned())))
            .to_vec(),
    }
}

/// Topics that one command creates together.
struct Batch {
    validate_only: bool,
    records: Vec<Vec<u8>>,
    names: Vec<String>,
    /// Partitions of the cluster with those of the batch.
    partitions: usize,
    /// Partitions of the batch alone.
    new_partitions: usize,
}

impl Batch {
    fn new(image: &MetadataImage, validate_only: bool) -> Self {
        Self {
            validate_only,
            records: Vec::new(),
            names: Vec::new(),
            partitions: image.partition_count(),
            new_partitions: 0,
        }
    }

    fn add(
        &mut self,
        controller: &mut LocalController,
        image: &MetadataImage,
        topic: &NewTopic,
        rng: &mut dyn RngCore,
    ) -> Result<CreatedTopic, MetadataError> {
        self.check_name(image, &topic.name)?;
        let configs = check_configs(topic)?;
        let (partitions, replication_factor) = layout(controller, topic)?;
        let count = usize::try_from(partitions).unwrap_or_default();
        check_room(
            controller,
            self.partitions + count,
            self.new_partitions + count,
        )?;
        self.partitions += count;
        self.new_partitions += count;
        self.names.push(topic.name.clone());
        let id = random_topic_id(rng);
        if !self.validate_only {
            self.records.push(records::topic(&topic.name, id));
            let resource = ConfigResource::topic(&topic.name);
            for (name, value) in &configs {
                let record = records::config(&resource, name, Some(value));
                self.records.push(record);
            }
            for index in 0..partitions {
                let directory = controller.next_directory();
                let replicas = [controller.node_id];
                self.records
                    .push(records::partition(id, index, &replicas, &directory));
            }
        }
        Ok(CreatedTopic {
            id,
            partitions,
            replication_factor,
            configs,
        })
    }

    fn check_name(&self, image: &MetadataImage, name: &str) -> Result<(), MetadataError> {
        if name == CLUSTER_METADATA {
            return Err(MetadataError::Forbidden(name.to_owned()));
        }
        check_topic_name(name)?;
        if image.topic(name).is_some() || self.names.iter().any(|new| new == name) {
            return Err(MetadataError::TopicExists(name.to_owned()));
        }
        check_collision(image, name)?;
        match self.names.iter().find(|new| collides(new, name)) {
            None => Ok(()),
            Some(new) => Err(crate::metadata::TopicNameError::Collides {
                new: name.to_owned(),
                existing: new.clone(),
            }
            .into()),
        }
    }
}

fn check_configs(topic: &NewTopic) -> Result<BTreeMap<String, String>, MetadataError> {
    let mut configs = BTreeMap::new();
    for (name, value) in &topic.configs {
        let Some(value) = value else {
            return Err(TopicConfigError::Null(name.clone()).into());
        };
        configs.insert(name.clone(), value.clone());
    }
    check_topic(&configs)?;
    Ok(configs)
}

/// How many partitions and replicas the topic gets.
fn layout(controller: &LocalController, topic: &NewTopic) -> Result<(i32, i16), MetadataError> {
    if !topic.assignments.is_empty() {
        return assigned_layout(controller, topic);
    }
    let replication_factor = match topic.replication_factor {
        -1 => controller.replication_factor,
        factor if factor > 0 => factor,
        factor => {
            let text = format!("a topic cannot have {factor} replicas: at least 1, or -1");
            return Err(MetadataError::ReplicationFactor(text));
        }
    };
    let partitions = match topic.partitions {
        -1 => controller.num_partitions,
        count if count > 0 => count,
        count => {
            let text = format!("a topic cannot have {count} partitions: at least 1, or -1");
            return Err(MetadataError::Partitions(text));
        }
    };
    check_replicas(replication_factor)?;
    Ok((partitions, replication_factor))
}

/// There is one broker, which holds one replica.
pub(super) fn check_replicas(replication_factor: i16) -> Result<(), MetadataError> {
    if replication_factor == 1 {
        return Ok(());
    }
    let text = format!("{replication_factor} replicas need as many brokers, and there is 1");
    Err(MetadataError::ReplicationFactor(text))
}

fn assigned_layout(
    controller: &LocalController,
    topic: &NewTopic,
) -> Result<(i32, i16), MetadataError> {
    if topic.replication_factor != -1 || topic.partitions != -1 {
        let text = "with assigned brokers, both counts have to be -1".to_owned();
        return Err(MetadataError::Request(text));
    }
    let mut indexes = BTreeSet::new();
    for (index, brokers) in &topic.assignments {
        if !indexes.insert(*index) {
            let text = format!("partition {index} is assigned twice");
            return Err(MetadataError::Assignment(text));
        }
        check_assignment(controller, brokers)?;
    }
    let count = i32::try_from(indexes.len()).unwrap_or(i32::MAX);
    if !indexes.iter().copied().eq(0..count) {
        let text = "assigned partitions have to be numbered from 0 without a gap".to_owned();
        return Err(MetadataError::Assignment(text));
    }
    Ok((count, 1))
}

/// Brokers that a client chose for one partition.
pub(super) fn check_assignment(
    controller: &LocalController,
    brokers: &[i32],
) -> Result<(), MetadataError> {
    let text = if brokers.is_empty() {
        "a partition is assigned to no broker".to_owned()
    } else if let Some(unknown) = brokers.iter().find(|id| **id != controller.node_id) {
        format!("a partition is assigned to broker {unknown}, which is not there")
    } else if brokers.len() > 1 {
        format!(
            "a partition is assigned to broker {} twice",
            controller.node_id
        )
    } else {
        return Ok(());
    };
    Err(MetadataError::Assignment(text))
}

/// Room in the broker, and in one request.
pub(super) fn check_room(
    controller: &LocalController,
    total: usize,
    new: usize,
) -> Result<(), MetadataError> {
    if new > REQUEST_PARTITIONS_MAX {
        let text = format!("a request may create {REQUEST_PARTITIONS_MAX} partitions, not {new}");
        return Err(MetadataError::Limit(text));
    }
    if total > controller.partitions_max as usize {
        let text = format!(
            "{total} partitions are more than logmill.partitions.max allows: {}",
            controller.partitions_max
        );
        return Err(MetadataError::Limit(text));
    }
    Ok(())
}

fn duplicates<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    names
        .filter(|name| !seen.insert(*name))
        .map(str::to_owned)
        .collect()
}

/// Partitions that one request may create, as in Kafka: their records are one atomic batch.
const REQUEST_PARTITIONS_MAX: usize = 10_000;
