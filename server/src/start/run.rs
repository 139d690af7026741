//! The whole life of the broker: start, run, stop.

use std::fs;
use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use logmill_engine::base::{DirectoryIndex, LeaderEpoch, TopicId};
use logmill_engine::io::Files;
use logmill_engine::log::PartitionState;
use logmill_engine::recovery::{self, Recovered};
use logmill_tuning::doctor::{self, Needs};
use logmill_tuning::host::Host;
use logmill_tuning::volume::Volume;
use logmill_wire::Uuid;

use crate::config::{Config, Loaded, MemoryPlan};
use crate::metadata::{BrokerRegistration, LocalController, MetadataImage};
use crate::runtime;
use crate::start::assemble::{self, RecoveredStores};
use crate::start::cli::Arguments;
use crate::start::directories::DataDirectories;
use crate::start::error::StartError;
use crate::start::prepared::Prepared;
use crate::start::screen::Screen;
use crate::start::{listen, metadata_log, resources};

/// Starts, runs until a signal, and stops.
///
/// # Errors
/// Why the broker could not start, or did not end well.
pub(super) fn run(arguments: &Arguments) -> Result<(), StartError> {
    let started = Instant::now();
    let Loaded { config, notices } = load(arguments)?;
    let host = Host::inspect();
    let (prepared, recovery) = prepare(Arc::new(config), &host, started)?;
    let volumes: Vec<Volume> = prepared
        .directories
        .paths
        .iter()
        .map(|path| Volume::inspect(path))
        .collect();
    let findings = doctor::diagnose(&host, &volumes, &needs(&prepared));
    let screen = Screen {
        prepared: &prepared,
        host: &host,
        volumes: &volumes,
        findings: &findings,
        notices: &notices,
        recovery: &recovery.lines,
    };
    say(&screen.to_string());
    serve(prepared, recovery, started)
}

/// What recovery gave, and what is said of it.
struct Recovery {
    recovered: Recovered,
    boot_id: [u8; 16],
    files: Files,
    lines: Vec<String>,
}

fn load(arguments: &Arguments) -> Result<Loaded, StartError> {
    let text = match &arguments.config {
        None => None,
        Some(path) => Some(
            fs::read_to_string(path).map_err(|source| StartError::ConfigFile {
                path: path.clone(),
                source,
            })?,
        ),
    };
    Ok(Config::load(text.as_deref(), &arguments.sets)?)
}

fn prepare(
    config: Arc<Config>,
    host: &Host,
    started: Instant,
) -> Result<(Prepared, Recovery), StartError> {
    let cores = resources::cores(host, config.shards);
    let shards = u16::try_from(cores.len()).unwrap_or(u16::MAX);
    let host_bytes = host.memory_usable_bytes().unwrap_or(HOST_BYTES_UNKNOWN);
    let memory = MemoryPlan::new(&config, host_bytes, shards)?;
    let allowed = resources::raise_descriptor_limit();
    let descriptors = resources::share_descriptors(&config, &memory, allowed)?;
    let directories = DataDirectories::open(&config.log_dirs, config.node_id, new_id)?;
    let listeners = listen::resolve(
        &config,
        &directories.cluster_id.to_string(),
        &resources::host_name(),
    )?;
    let (recovery, image, metadata) = recover(&config, &directories)?;
    let unclean = recovery
        .recovered
        .directories
        .iter()
        .any(|directory| !directory.clean);
    let usable: Vec<Uuid> = directories
        .ids
        .iter()
        .zip(&recovery.recovered.directories)
        .filter(|(_, directory)| !directory.failed)
        .map(|(id, _)| *id)
        .collect();
    let registration = BrokerRegistration {
        node_id: config.node_id,
        incarnation: new_id(),
        endpoints: listeners
            .iter()
            .map(listen::BoundListener::endpoint)
            .collect(),
        rack: config.rack.clone(),
        directories: directories.ids.clone(),
        unclean: unclean && !directories.is_new,
    };
    let prepared = Prepared {
        startup_records: registration.records(&image),
        controller: LocalController::new(&config, &usable, memory.partitions_max)
            .with_connections_max(descriptors.connections_max),
        metadata_directory: metadata.directory,
        metadata_epoch: metadata.epoch,
        image: Arc::new(image),
        config,
        memory,
        descriptors,
        cores,
        directories,
        listeners,
        started,
    };
    Ok((prepared, recovery))
}

/// Where the metadata log lives, and the term in which it is written now.
struct MetadataLog {
    directory: DirectoryIndex,
    epoch: LeaderEpoch,
}

fn recover(
    config: &Config,
    directories: &DataDirectories,
) -> Result<(Recovery, MetadataImage, MetadataLog), StartError> {
    let files = Files::new(directories.log.clone());
    let began = Instant::now();
    let boot_id = resources::boot_id()?;
    let mut recovered = recovery::recover(&files, boot_id)?;
    let is_metadata = |state: &&PartitionState| state.topic_id == METADATA_TOPIC;
    let configured = u16::try_from(config.metadata_log_dir).unwrap_or_default();
    let failed = recovered
        .directories
        .iter()
        .any(|directory| directory.failed);
    let (image, metadata) = match recovered.partitions.iter().find(is_metadata) {
        // It may well be in the directory that failed: to begin anew would orphan everything.
        None if failed => {
            let findings = recovered.findings.iter().map(ToString::to_string);
            return Err(StartError::MetadataMissing {
                findings: findings.collect::<Vec<_>>().join("; "),
            });
        }
        None => {
            let directory = DirectoryIndex(configured);
            (
                MetadataImage::default(),
                MetadataLog {
                    directory,
                    epoch: LeaderEpoch(1),
                },
            )
        }
        Some(state) => {
            let last = state
                .epochs
                .last()
                .map_or(LeaderEpoch(0), |epoch| epoch.epoch);
            let epoch = LeaderEpoch(last.0.saturating_add(1));
            let image = metadata_log::load(&files, state)?;
            (
                image,
                MetadataLog {
                    directory: state.directory,
                    epoch,
                },
            )
        }
    };
    let mut lines = Vec::new();
    set_strays_aside(&mut recovered, &image, &mut lines);
    describe(&recovered, directories.is_new, began, &mut lines);
    Ok((
        Recovery {
            recovered,
            boot_id,
            files,
            lines,
        },
        image,
        metadata,
    ))
}

/// Partitions of topics that the metadata does not know are left as they are, and said.
fn set_strays_aside(recovered: &mut Recovered, image: &MetadataImage, lines: &mut Vec<String>) {
    let is_known = |state: &PartitionState| {
        state.topic_id == METADATA_TOPIC || image.partition(state.topic_id, state.index).is_some()
    };
    recovered.partitions.retain(|state| {
        let known = is_known(state);
        if !known {
            let (topic, index, id) = (&state.topic, state.index, state.topic_id);
            lines.push(format!(
                "{topic}-{index} left alone: the metadata has no topic {id}"
            ));
        }
        known
    });
}

fn describe(recovered: &Recovered, is_new: bool, began: Instant, lines: &mut Vec<String>) {
    if is_new {
        return;
    }
    let clean = recovered
        .directories
        .iter()
        .all(|directory| directory.clean);
    let stop = if clean {
        "a clean stop"
    } else {
        "an unclean stop: leader epochs are raised"
    };
    let ms = began.elapsed().as_millis();
    let count = recovered.partitions.len();
    lines.insert(0, format!("{count} logs in {ms} ms, after {stop}"));
    lines.extend(recovered.findings.iter().map(ToString::to_string));
}

fn serve(prepared: Prepared, recovery: Recovery, started: Instant) -> Result<(), StartError> {
    let Recovery {
        recovered,
        boot_id,
        files,
        ..
    } = recovery;
    // Locked until all is written.
    let locks = prepared.directories.log.clone();
    let shards = prepared.cores.len();
    let failed: Vec<bool> = recovered
        .directories
        .iter()
        .map(|directory| directory.failed)
        .collect();
    let eras: Vec<u64> = recovered
        .directories
        .iter()
        .map(|directory| directory.era)
        .collect();
    let names: Vec<u64> = recovered
        .directories
        .iter()
        .map(|directory| directory.next_journal_name)
        .collect();
    let stores = RecoveredStores {
        partitions: recovered.partitions,
        eras: eras.clone(),
        next_names: vec![names; shards],
        fenced: recovered.fenced.clone(),
        deleted: recovered.deleted,
        failed: failed.clone(),
        boot_id,
    };
    let ready = Box::new(move |addresses: &[SocketAddr]| say(&ready_line(started, addresses)));
    let stopped = runtime::run(assemble::plan(prepared, stores, ready))?;
    let began = Instant::now();
    let is_level = |at: usize| !failed[at] && stopped.iter().all(|shard| shard.level[at]);
    let ends: Vec<Option<u64>> = (0..eras.len())
        .map(|at| is_level(at).then_some(eras[at]))
        .collect();
    let is_clean = ends.iter().all(Option::is_some);
    let partitions = stopped
        .into_iter()
        .flat_map(|shard| shard.partitions)
        .collect();
    recovery::finish_stop(&files, partitions, &recovered.fenced, &ends)?;
    let ms = began.elapsed().as_millis();
    say(&match is_clean {
        true => format!("stopped cleanly in {ms} ms\n"),
        false => String::from(
            "stopped; not every log could be written out, the next start recovers them\n",
        ),
    });
    drop(locks);
    Ok(())
}

fn ready_line(started: Instant, addresses: &[SocketAddr]) -> String {
    let addresses: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
    format!(
        "ready in {} ms on {}\n",
        started.elapsed().as_millis(),
        addresses.join(", ")
    )
}

fn needs(prepared: &Prepared) -> Needs {
    Needs {
        file_descriptors: u64::from(prepared.descriptors.connections)
            + u64::from(prepared.descriptors.files),
        memory_bytes: Some(prepared.memory.worst_bytes()),
        ..Needs::default()
    }
}

/// One write to standard output; a closed one is no reason to stop.
fn say(text: &str) {
    let mut out = stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A random id that is not one of Kafka's reserved ones.
fn new_id() -> Uuid {
    Uuid(crate::metadata::random_topic_id(&mut rand::rng()).0)
}

/// Memory of a host that does not tell.
const HOST_BYTES_UNKNOWN: u64 = 4 << 30;
const METADATA_TOPIC: TopicId = TopicId(Uuid::METADATA_TOPIC.0);
