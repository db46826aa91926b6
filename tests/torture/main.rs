//! Kills the real server again and again while clients of every sort write, and looks each time
//! whether anything that was acknowledged is gone, torn or there twice: see `scripts/torture --help`.

mod checks;
mod clients;
mod http;
mod ledger;
mod server;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Parser;

use clients::Sort;
use ledger::Ledger;
use server::World;

/// Kills workleaf while 16 clients write, and checks what is left.
#[derive(Debug, Parser)]
#[command(name = "scripts/torture", max_term_width = 100)]
struct Options {
    /// Ends after so many minutes, whatever is left of the kills.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    minutes: u64,
    /// How often the server is killed.
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// Repeats the choices of an earlier run, though not its timing.
    #[arg(long)]
    seed: Option<u64>,
    /// Torture this binary instead of the one just built.
    #[arg(long, value_name = "FILE", default_value = env!("CARGO_BIN_EXE_workleaf"))]
    server: PathBuf,
    /// Where the data go meanwhile.
    #[arg(long, value_name = "DIR", default_value = env!("CARGO_TARGET_TMPDIR"))]
    dir: PathBuf,
    /// Leave the data where they are.
    #[arg(long)]
    keep: bool,
    /// What cargo adds; it says nothing.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How long clients write before the server is killed, in milliseconds.
const SHORTEST: u64 = 100;
const LONGEST: u64 = 2_500;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let seed = options.seed.unwrap_or_else(|| u64::from_le_bytes(workleaf::base::random::bytes()) >> 32);
    tell(&format!("seed {seed}"));
    let mut random = Random::new(seed);
    let until = Instant::now() + Duration::from_secs(options.minutes * 60);
    let mut world = World::new(&options.server, &options.dir, options.keep)?;
    let ledger = Ledger::default();
    let mut server = world.start()?;
    clients::prepare(&world, &server)?;
    let (mut kills, mut slowest) = (0, Duration::ZERO);
    while kills < options.kills && Instant::now() < until {
        let load = Duration::from_millis(SHORTEST + random.below(LONGEST - SHORTEST));
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for (number, sort) in Sort::all().enumerate() {
                let (world, server, ledger, over) = (&world, &server, &ledger, &over);
                let random = Random::new(random.next());
                scope.spawn(move || {
                    clients::work(sort, number, &clients::Round { world, server, ledger, over }, random)
                });
            }
            std::thread::sleep(load);
            over.store(true, Ordering::SeqCst);
            server.kill()
        })?;
        server.wait()?;
        kills += 1;
        let began = Instant::now();
        server = world.start()?;
        slowest = slowest.max(began.elapsed());
        checks::after_restart(&world, &server, &ledger)?;
        if !ledger.complaints().is_empty() {
            break;
        }
        if kills % 10 == 0 {
            tell(&format!("{kills} kills, {} writes acknowledged", ledger.acknowledged()));
        }
    }
    server.stop()?;
    checks::at_rest(&world)?;
    tell(&format!(
        "{kills} kills, {} acknowledged writes ({}), slowest start {:.2} s",
        ledger.acknowledged(),
        ledger.by_sort(),
        slowest.as_secs_f64()
    ));
    let complaints = ledger.complaints();
    if complaints.is_empty() {
        return Ok(());
    }
    world.keep();
    bail!("{}\nthe data are kept in {}", complaints.join("\n"), world.path().display())
}

/// Says something to whoever runs this.
fn tell(text: &str) {
    use std::io::Write as _;
    // Nobody is left to be told when this fails.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// xorshift64*: choices that can be repeated.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 16) % end
    }
}
