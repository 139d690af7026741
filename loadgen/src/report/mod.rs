//! What is left of a run: a table on the terminal, and a folder with a page, JSON and histograms.

mod groups;
mod html;
mod interval_log;
mod omb;
mod plots;
mod table;
mod trouble;

use std::io;
use std::path::Path;

pub use table::{again_text, findings_text, table};

use crate::load::{LoadPlan, LoadResult, Pace, Rereading};

/// A whole report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What it is about.
    pub title: String,
    /// Name and value of what matters about the host, the broker and the settings.
    pub environment: Vec<(String, String)>,
    /// The runs, in the order they were made.
    pub rows: Vec<Row>,
}

/// One run of a report.
#[derive(Clone, Debug)]
pub struct Row {
    /// A short name, which names its files as well.
    pub name: String,
    /// What was asked.
    pub plan: LoadPlan,
    /// What came.
    pub result: LoadResult,
    /// What an acknowledged record survives, in words.
    pub survives: String,
    /// What a second reading found, if there was one.
    pub again: Option<Rereading>,
}

impl Row {
    /// True for a run at a fixed rate, whose latencies mean something.
    pub fn is_open_loop(&self) -> bool {
        matches!(self.plan.pace, Pace::Open { .. })
    }

    /// True if records were sent or read; groups may do without.
    pub fn has_load(&self) -> bool {
        self.plan.producers > 0 || self.plan.consumers > 0
    }

    /// True if nothing was violated and nothing failed, in a second reading either.
    pub fn is_good(&self) -> bool {
        self.result.is_good() && self.again.as_ref().is_none_or(Rereading::is_good)
    }

    /// The name as part of a file's name.
    pub fn file_name(&self) -> String {
        let clean = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        };
        let mut name: String = self.name.chars().map(clean).collect();
        while name.contains("--") {
            name = name.replace("--", "-");
        }
        name.trim_matches('-').to_owned()
    }
}

impl Report {
    /// True if no run failed.
    pub fn is_good(&self) -> bool {
        self.rows.iter().all(Row::is_good)
    }

    /// Writes `report.html`, `report.json` and an `.hlog` of every run into `folder`, which is
    /// made if it is not there.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("report.html"), html::page(self))?;
        let json = serde_json::to_string_pretty(&omb::document(self)).map_err(io::Error::other)?;
        std::fs::write(folder.join("report.json"), json + "\n")?;
        for row in &self.rows {
            let path = folder.join(format!("{}.hlog", row.file_name()));
            std::fs::write(path, interval_log::log(row)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
