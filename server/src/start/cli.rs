//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// A log broker for Linux that speaks Kafka's wire protocol.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(
    name = "logmill",
    version,
    about,
    long_about = LONG_ABOUT,
    after_help = EXAMPLES,
    subcommand_negates_reqs = true
)]
pub(super) struct Arguments {
    /// Reads the configuration from a file in Kafka's properties format
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Sets a configuration key; wins over the file, may be repeated
    #[arg(short, long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub sets: Vec<(String, String)>,

    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What else the binary does.
#[derive(Clone, Debug, PartialEq, Eq, clap::Subcommand)]
pub(super) enum Command {
    /// Prints README's configuration tables
    #[command(hide = true)]
    ConfigTable,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected KEY=VALUE, such as num.partitions=4".to_owned()),
    }
}

const LONG_ABOUT: &str = "A log broker for Linux that speaks Kafka's wire protocol.

Without options it keeps its data in ./data, serves 127.0.0.1:9092 with one shard per core, and \
needs no other service. It takes the keys of Apache Kafka's server.properties, and says at start \
which of them it does not act on.";

const EXAMPLES: &str = "\
Examples:
  logmill
      A broker on 127.0.0.1:9092 with its data in ./data.
  logmill --config server.properties
      Kafka's own configuration file, unchanged.
  logmill --set log.dirs=/srv/a,/srv/b --set listeners=PLAINTEXT://0.0.0.0:9092
      Two disks, all interfaces.
  logmill --set log.dirs=/tmp/second --set listeners=PLAINTEXT://127.0.0.1:9192
      A second broker on the same machine.

SIGTERM or SIGINT stops it cleanly; a second signal stops it at once.";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(["logmill"].iter().chain(words))
    }

    #[test]
    fn values_may_hold_equal_signs() {
        let arguments = parse(&["--set", "a=b=c", "--set", " k = v "]).unwrap();
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert_eq!(arguments.sets, [pair("a", "b=c"), pair("k", "v")]);
    }

    #[test]
    fn mistyped_flags_are_suggested() {
        let error = parse(&["--confg", "x"]).unwrap_err().to_string();
        assert!(error.contains("--config"), "{error}");
        assert!(
            parse(&["--set", "novalue"])
                .unwrap_err()
                .to_string()
                .contains("KEY=VALUE")
        );
    }

    #[test]
    fn help_and_version_are_there() {
        let help = parse(&["--help"]).unwrap_err();
        assert_eq!(help.kind(), clap::error::ErrorKind::DisplayHelp);
        assert!(help.to_string().contains("Examples:"));
        let version = parse(&["--version"]).unwrap_err().to_string();
        assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    }

    #[test]
    fn table_is_a_hidden_command() {
        assert_eq!(
            parse(&["config-table"]).unwrap().command,
            Some(Command::ConfigTable)
        );
    }
}
