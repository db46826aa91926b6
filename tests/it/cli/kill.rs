//! Killed without warning: what was acknowledged is there.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use std::io::Write as _;

use super::process::{Answer, Place, Server, request, wait_until};
use crate::support::git;

/// Clients that write at once, and how often each does.
const CLIENTS: usize = 10;
const EVERY: Duration = Duration::from_millis(50);

#[test]
fn nothing_acknowledged_is_lost() {
    let place = Place::new();
    let mut server = place.serve();
    let password = server.admin_password();
    let who = ("admin", password.as_str());
    let made = server.ask(who, "POST", "/api/v1/componenttypes", r#"{"name": "package"}"#).expect(201).json();
    let of = made["componenttype"]["id"].as_str().unwrap().to_owned();
    let mut acknowledged: Vec<(String, String)> = Vec::new();
    // Twice, so that what a killed server left is continued upon and killed again.
    for round in 0..2 {
        acknowledged.extend(write_and_kill(&mut server, who, &of, round));
        assert!(!acknowledged.is_empty());
        server = place.serve();
        for (id, name) in &acknowledged {
            let found = server.get(who, &format!("/api/v1/components/{id}")).expect(200).json();
            assert_eq!(found["component"]["name"], **name);
        }
        // In lists as well; there may be more, unacknowledged.
        let count =
            server.get(who, "/api/v1/components?limit=0").expect(200).json()["_meta"]["count"].as_u64().unwrap();
        assert!(count >= acknowledged.len() as u64, "{count} of {}", acknowledged.len());
        check_on_disk(&place);
    }
    server.ask(who, "POST", "/api/v1/componenttypes", r#"{"name": "after"}"#).expect(201);
    server.stop();
    let tree = place.data().join("catalogue/main");
    assert_eq!(git::run(&tree, &["status", "--porcelain", "--untracked-files=all"]), "");
    git::run(&tree, &["fsck", "--strict", "--full"]);
}

/// Some 200 writes a second until the kill; ids and names of those that were answered.
fn write_and_kill(server: &mut Server, who: (&str, &str), of: &str, round: usize) -> Vec<(String, String)> {
    let acknowledged = Mutex::new(Vec::new());
    let over = AtomicBool::new(false);
    let address = server.address.clone();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (acknowledged, over, address) = (&acknowledged, &over, &address);
            scope.spawn(move || {
                for n in 0.. {
                    let due = Instant::now() + EVERY;
                    let name = format!("{round}-{client}-{n}");
                    let body = format!(r#"{{"name": "{name}", "componenttype_id": "{of}"}}"#);
                    let asked = || {
                        let mut stream = std::net::TcpStream::connect(address).ok()?;
                        stream.write_all(request(who, "POST", "/api/v1/components", &body).as_bytes()).ok()?;
                        Answer::read(stream)
                    };
                    match asked() {
                        Some(answer) => {
                            let made = answer.expect(201).json();
                            let id = made["component"]["id"].as_str().unwrap().to_owned();
                            acknowledged.lock().unwrap().push((id, name));
                        }
                        None if over.load(Ordering::SeqCst) => return,
                        None => panic!("the server broke a connection before it was killed"),
                    }
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                }
            });
        }
        wait_until(|| acknowledged.lock().unwrap().len() >= 300, "300 writes");
        over.store(true, Ordering::SeqCst);
        server.signal(Signal::KILL);
        assert_eq!(server.wait(), None);
    });
    acknowledged.into_inner().unwrap()
}

/// With the server running: the repository is whole, and at rest its work tree is what HEAD says.
fn check_on_disk(place: &Place) {
    let tree = place.data().join("catalogue/main");
    git::run(&tree, &["fsck", "--strict", "--full"]);
    let status = || git::run(&tree, &["--no-optional-locks", "status", "--porcelain", "--untracked-files=all"]);
    wait_until(|| status().is_empty(), "the work tree is clean");
    assert!(!tree.join(".git/index.lock").exists(), "at rest nobody holds it");
}
