//! git's own server for comparison: nginx, fcgiwrap and `git http-backend`, as Debian has them.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::server::git;

const PATIENCE: Duration = Duration::from_secs(20);

/// Both processes; killed when dropped.
pub(crate) struct Peer {
    children: Vec<Child>,
    folder: PathBuf,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
}

/// A program of this name, where Debian puts it.
fn program(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/usr/bin", "/usr/lib/git-core"];
    folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists())
}

impl Peer {
    /// Starts it over an empty folder; says what is missing where it cannot.
    pub(crate) fn start(folder: PathBuf) -> Result<Self> {
        let needed = |name: &str, package: &str| {
            program(name).with_context(|| format!("there is no {name} to compare with: install {package}"))
        };
        let (nginx, fcgiwrap) = (needed("nginx", "nginx-light")?, needed("fcgiwrap", "fcgiwrap")?);
        let backend = needed("git-http-backend", "git")?;
        fs::create_dir_all(folder.join("repos"))?;
        // Free a moment ago, and nobody else asks for one so soon.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let here = folder.display();
        let user = if rustix::process::getuid().is_root() { "user root;" } else { "" };
        let temporary = ["client_body", "fastcgi", "proxy", "uwsgi", "scgi"];
        let temporary: String = temporary.iter().map(|name| format!("  {name}_temp_path {here}/{name};\n")).collect();
        let passed = [
            ("QUERY_STRING", "$query_string"),
            ("REQUEST_METHOD", "$request_method"),
            ("CONTENT_TYPE", "$content_type"),
            ("CONTENT_LENGTH", "$content_length"),
            ("HTTP_CONTENT_ENCODING", "$http_content_encoding"),
            ("GIT_PROTOCOL", "$http_git_protocol"),
            ("PATH_INFO", "$1"),
            ("REMOTE_USER", "bench"),
            ("GIT_HTTP_EXPORT_ALL", "1"),
        ];
        let passed: String =
            passed.iter().map(|(name, value)| format!("      fastcgi_param {name} {value};\n")).collect();
        let text = format!(
            "{user}\ndaemon off;\npid {here}/nginx.pid;\nerror_log {here}/error.log;\nworker_processes 2;\n\
             events {{ worker_connections 256; }}\nhttp {{\n  access_log off;\n  client_max_body_size 0;\n{temporary}  \
             server {{\n    listen {address};\n    location ~ ^/git(/.*)$ {{\n      fastcgi_pass unix:{here}/socket;\n      \
             fastcgi_param SCRIPT_FILENAME {};\n      fastcgi_param GIT_PROJECT_ROOT {here}/repos;\n{passed}    \
             }}\n  }}\n}}\n",
            backend.display()
        );
        fs::write(folder.join("nginx.conf"), text)?;
        let socket = format!("unix:{here}/socket");
        let log = || fs::File::options().create(true).append(true).open(folder.join("log"));
        let mut children = Vec::new();
        for (program, arguments) in [
            (fcgiwrap, vec!["-c".to_owned(), "8".into(), "-s".into(), socket]),
            (nginx, vec!["-c".into(), format!("{here}/nginx.conf"), "-e".into(), format!("{here}/error.log")]),
        ] {
            let mut command = Command::new(program);
            command.args(arguments).process_group(0).stdin(Stdio::null()).stdout(log()?).stderr(log()?);
            children.push(command.spawn()?);
        }
        let peer = Peer { children, folder, address };
        let until = Instant::now() + PATIENCE;
        while !peer.folder.join("socket").exists() || TcpStream::connect(&peer.address).is_err() {
            ensure!(Instant::now() < until, "nginx does not start: see {}", peer.folder.join("log").display());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(peer)
    }

    /// Makes an empty repository that takes pushes.
    pub(crate) fn create(&self, name: &str) -> Result<()> {
        let repository = self.folder.join("repos/bench").join(format!("{name}.git"));
        fs::create_dir_all(&repository)?;
        git(&repository, &["init", "-q", "--bare", "-b", "main"])?;
        git(&repository, &["config", "http.receivepack", "true"])?;
        // As any workspace has.
        let identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"];
        let tree = git(&repository, &["hash-object", "-t", "tree", "-w", "/dev/null"])?;
        let root = git(&repository, &[&identity[..], &["commit-tree", "-m", "Create the workspace", &tree]].concat())?;
        git(&repository, &["update-ref", "refs/heads/main", &root]).map(drop)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        for child in &mut self.children {
            // Both have workers, of which fcgiwrap's outlive it.
            let group = rustix::process::Pid::from_child(child);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
            let _ = child.wait();
        }
    }
}
