//! What the figures were measured on.

use std::fs::read_to_string;
use std::path::Path;

use serde_json::{Value, json};

/// Cores, processor, kernel, file system of the data, load before the run.
pub(crate) fn describe(data: &Path) -> Value {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    json!({
        "cores": cores,
        "cpu": processor.map_or("unknown", |(_, name)| name),
        "kernel": kernel.trim(),
        "filesystem": file_system(data),
        "load": load.split(' ').next().unwrap_or_default(),
    })
}

/// The type of the file system that holds a folder (proc(5), mountinfo).
fn file_system(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mounts = read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mount = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let point = left.split(' ').nth(4)?;
        folder.starts_with(point).then(|| (point.len(), right.split(' ').next().unwrap_or_default().to_owned()))
    };
    // Of two mounts at one point the later one is seen.
    mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length).map_or("unknown".into(), |(_, kind)| kind)
}
