//! Speed and memory of the release build against their targets: see `scripts/bench --help`.
//!
//! The server is the real binary in a process of its own, over loopback; the load comes from this
//! process, one thread with connections that are kept alive. Both share the machine's cores, so a
//! figure compares with others of the same run, not with those of another machine.

mod bare;
mod client;
mod data;
mod load;
mod machine;
mod peer;
mod report;
mod rows;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use rows::{Bench, Row};

/// Measures the speed and memory of workleaf's release build.
#[derive(Debug, Parser)]
#[command(name = "scripts/bench", max_term_width = 100)]
pub(crate) struct Options {
    /// What to measure; by default everything, with --quick everything but list-million.
    #[arg(value_enum)]
    rows: Vec<Row>,
    /// Smaller data and shorter rounds: whether it works, not how fast.
    #[arg(long)]
    quick: bool,
    /// Seconds of one round; by default 4, with --quick 1.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: Option<u64>,
    /// Rounds of which the median counts; by default 5, with --quick 3.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=20))]
    rounds: Option<u64>,
    /// Write the results here too, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure this binary instead of the one just built.
    #[arg(long, value_name = "FILE", default_value = env!("CARGO_BIN_EXE_workleaf"))]
    server: PathBuf,
    /// Where the data go meanwhile: durable writes are only as fast as this disk.
    #[arg(long, value_name = "DIR", default_value = env!("CARGO_TARGET_TMPDIR"))]
    dir: PathBuf,
    /// What cargo adds; it says nothing.
    #[arg(long, hide = true)]
    bench: bool,
    /// Be the bare handler that answers with this recorded response.
    #[arg(long, hide = true, value_name = "FILE")]
    bare: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::tell(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<()> {
    if let Some(recorded) = &options.bare {
        return bare::serve(recorded);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Bench::new(options)?.run())
}
