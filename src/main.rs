//! argv in, exit code out.

fn main() -> std::process::ExitCode {
    workleaf::cli::main()
}
