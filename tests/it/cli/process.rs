//! The real binary: commands that end, servers that run until told, each in a folder of its own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::basic;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder for a data directory and whatever a test puts beside it.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Place(tempfile::Builder::new().prefix("workleaf-cli-").tempdir().expect("a temporary directory"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// Writes a file beside the data directory, with the folders above it.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("folders can be made");
        fs::write(&path, text).expect("a file can be written");
        path
    }

    /// The binary in this folder, without anything of this process's environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_workleaf"));
        command.args(arguments).current_dir(self.path()).env_clear().stdin(Stdio::null());
        command
    }

    /// Runs a command on the data directory to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(&[&["--data", "data"], arguments].concat()).output().expect("the binary runs"))
    }

    /// As [`Place::run`], with a line on standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(&[&["--data", "data"], arguments].concat());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
        Ran::of(child.wait_with_output().expect("it ends"))
    }

    /// Starts a server on the data directory and waits until it listens.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[], &[])
    }

    /// As [`Place::serve`], with more arguments and environment.
    pub(crate) fn serve_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Server {
        let data: &[&str] = if arguments.contains(&"--data") { &[] } else { &["--data", "data"] };
        let mut command = self.command(&[data, &["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        command.envs(environment.iter().copied());
        Server::start(command, self.path().join("stderr"))
    }
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Fails unless it ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// The one line of the result that begins so; the rest of it.
    #[track_caller]
    pub(crate) fn line(&self, beginning: &str) -> &str {
        let found: Vec<&str> = self.out.lines().filter_map(|line| line.strip_prefix(beginning)).collect();
        assert_eq!(found.len(), 1, "lines that begin with {beginning:?}: {self:?}");
        found[0]
    }
}

/// A server that runs; it is killed when the test ends without stopping it.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    /// What it said before it listened.
    pub(crate) said: Vec<String>,
    pub(crate) address: String,
    log: PathBuf,
}

impl Server {
    fn start(mut command: Command, log: PathBuf) -> Self {
        let stderr = File::options().create(true).append(true).open(&log).expect("the log can be written");
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().expect("the binary runs");
        let out = child.stdout.take().expect("piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut server = Server { child, lines, said: Vec::new(), address: String::new(), log };
        loop {
            let Ok(line) = server.lines.recv_timeout(PATIENCE) else {
                panic!("the server does not listen: {}", server.logged());
            };
            if let Some(address) = line.strip_prefix("listening on http://") {
                server.address = address.to_owned();
                return server;
            }
            server.said.push(line);
        }
    }

    /// The password of `admin`, where this start made the account.
    pub(crate) fn admin_password(&self) -> String {
        let [line] = &self.said[..] else { panic!("not one line: {:?}", self.said) };
        let password = line.strip_prefix("created the account admin with the password ").expect("the account");
        password.strip_suffix(" (shown only now)").expect("once").to_owned()
    }

    /// The log of all servers in this folder so far.
    pub(crate) fn logged(&self) -> String {
        fs::read_to_string(&self.log).expect("the log can be read")
    }

    /// Waits until the log has it.
    pub(crate) fn wait_for_log(&self, text: &str) {
        wait_until(|| self.logged().contains(text), text);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the server can be signalled");
    }

    /// Waits for the end; the exit code, none after a killing signal.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status.code();
            }
            assert!(Instant::now() < until, "the server does not end: {}", self.logged());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it as an operator would; what else it said.
    pub(crate) fn stop(mut self) -> Vec<String> {
        self.signal(Signal::TERM);
        assert_eq!(self.wait(), Some(0), "{}", self.logged());
        self.lines.iter().collect()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("the server accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, who: (&str, &str), method: &str, path: &str, body: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request(who, method, path, body).as_bytes()).expect("the server reads");
        Answer::read(stream).expect("the server answers")
    }

    pub(crate) fn get(&self, who: (&str, &str), path: &str) -> Answer {
        self.ask(who, "GET", path, "")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request as it goes over the wire, the last on its connection.
pub(crate) fn request(who: (&str, &str), method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: test.local\r\nconnection: close\r\nauthorization: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        basic(who.0, who.1),
        body.len()
    )
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    /// Reads to the end of the connection; `None` when it broke before the answer was whole.
    pub(crate) fn read(mut stream: TcpStream) -> Option<Self> {
        let mut text = Vec::new();
        stream.read_to_end(&mut text).ok()?;
        let text = String::from_utf8(text).expect("the answer is UTF-8");
        let (head, body) = text.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse::<usize>().ok()?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        (body.len() == length).then(|| Answer { status, body: body.to_owned() })
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Looks again and again, for at most a minute.
pub(crate) fn wait_until(mut holds: impl FnMut() -> bool, what: &str) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
