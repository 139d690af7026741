//! The image at start: the metadata log, read from its own segments.

use logmill_engine::base::{DirectoryIndex, Offset};
use logmill_engine::disk::BlockingDisk;
use logmill_engine::format::names::{FileKind, partition_folder, segment_file};
use logmill_engine::log::PartitionState;
use logmill_wire::batch::Batches;

use crate::metadata::{ImageLoader, MetadataImage};
use crate::start::error::StartError;

/// Replays the whole log. Recovery has cut it to what can be trusted, so a bad byte is a fault of
/// the disk.
///
/// # Errors
/// Bytes that are no batches, or a record that cannot be replayed.
pub fn load(disk: &dyn BlockingDisk, log: &PartitionState) -> Result<MetadataImage, StartError> {
    let mut loader = ImageLoader::default();
    let folder = partition_folder(&log.topic, log.index);
    for segment in &log.segments {
        let file = format!("{folder}/{}", segment_file(segment.base, FileKind::Log));
        let bytes = read(disk, log.directory, &file, u64::from(segment.size))?;
        replay(&mut loader, &file, &bytes)?;
    }
    Ok(loader.finish())
}

fn read(
    disk: &dyn BlockingDisk,
    directory: DirectoryIndex,
    file: &str,
    size: u64,
) -> Result<Vec<u8>, StartError> {
    let missing = |position| StartError::MetadataBytes {
        what: "the file ends too early".to_owned(),
        file: file.to_owned(),
        position,
    };
    // The length comes from a state that may be wrong: nothing is allocated beyond the file.
    let len = disk.len(directory, file)?.unwrap_or_default();
    if len < size {
        return Err(missing(len));
    }
    let mut bytes = vec![0; usize::try_from(size).map_err(|_| missing(0))?];
    let mut filled = 0;
    while filled < bytes.len() {
        match disk.read_at(directory, file, filled as u64, &mut bytes[filled..])? {
            0 => return Err(missing(filled as u64)),
            read => filled += read,
        }
    }
    Ok(bytes)
}

fn replay(loader: &mut ImageLoader, file: &str, bytes: &[u8]) -> Result<(), StartError> {
    let mut batches = Batches::new(bytes);
    loop {
        let position = (bytes.len() - batches.rest().len()) as u64;
        let wrong = |what: String| StartError::MetadataBytes {
            what,
            file: file.to_owned(),
            position,
        };
        let Some(batch) = batches.next() else {
            let is_whole = batches.rest().is_empty();
            return if is_whole {
                Ok(())
            } else {
                Err(wrong("half a batch".to_owned()))
            };
        };
        let batch = batch.map_err(|error| wrong(error.to_string()))?;
        batch
            .check_crc()
            .map_err(|error| wrong(error.to_string()))?;
        if !batch.header.attributes.is_control() {
            let records = batch.records().map_err(|error| wrong(error.to_string()))?;
            let mut values = Vec::with_capacity(records.size_hint().0);
            for record in records {
                let record = record.map_err(|error| wrong(error.to_string()))?;
                values.push(record.value.unwrap_or_default());
            }
            loader.batch(Offset(batch.header.base_offset), values)?;
        }
    }
}
