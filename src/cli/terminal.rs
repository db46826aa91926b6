//! Lines for people.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

/// Prints a line of a result. A reader that went away is no error of ours.
pub(super) fn say(line: impl AsRef<str>) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{}", line.as_ref()).and_then(|()| out.flush());
}

/// Prints an error and its causes.
pub(super) fn complain(error: &anyhow::Error) {
    let _ = writeln!(io::stderr().lock(), "workleaf: {error:#}");
}

/// Prints something to look after.
pub(super) fn warn(text: &str) {
    let _ = writeln!(io::stderr().lock(), "warning: {text}");
}

/// Asks for a line.
pub(super) fn ask(label: &str) -> Result<String> {
    let mut out = io::stdout().lock();
    let _ = write!(out, "{label}: ").and_then(|()| out.flush());
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line).context("cannot read the answer")? == 0 {
        bail!("{label} was not given");
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks for a password: unseen and twice on a terminal, a line elsewhere.
pub(super) fn ask_password(label: &str) -> Result<String> {
    let password = if io::stdin().is_terminal() {
        let password = rpassword::prompt_password(format!("{label}: ")).context("cannot read the password")?;
        if rpassword::prompt_password(format!("{label} again: ")).context("cannot read the password")? != password {
            bail!("the two passwords differ");
        }
        password
    } else {
        ask(label)?
    };
    if password.is_empty() {
        bail!("the password is empty");
    }
    Ok(password)
}

/// Asks a question whose answer is no unless it is yes.
pub(super) fn confirm(question: &str) -> Result<bool> {
    loop {
        match ask(&format!("{question} [n]"))?.to_ascii_lowercase().as_str() {
            "y" | "yes" | "1" | "on" | "true" | "t" => return Ok(true),
            "" | "n" | "no" | "0" | "off" | "false" | "f" => return Ok(false),
            _ => {}
        }
    }
}

/// A bar on a terminal, nothing elsewhere.
pub(super) fn bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len} files").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

/// The first line of standard input.
pub(super) fn password() -> Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("cannot read the password")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("the password on standard input is empty");
    }
    Ok(password.to_owned())
}
