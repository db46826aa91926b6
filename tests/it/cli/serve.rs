//! `serve`: start, signals, what is left over from before.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;

use rustix::process::Signal;
use serde_json::json;

use super::process::{Answer, Place, request, wait_until};
use crate::support::git;

#[test]
fn the_first_start_makes_an_administrator_and_says_so_once() {
    let place = Place::new();
    let server = place.serve();
    let password = server.admin_password();
    let port = server.address.strip_prefix("127.0.0.1:").expect("the address that was asked for");
    assert_ne!(port, "0", "the port is the one that was picked");
    server.get(("admin", &password), "/api/v1/componenttypes").expect(200);
    server.get(("admin", "wrong"), "/api/v1/componenttypes").expect(401);
    let ready = server.get(("", ""), "/health/ready").expect(200);
    assert_eq!(ready.json(), json!({ "status": "ready" }));
    assert_eq!(server.stop(), Vec::<String>::new(), "results are all that goes to stdout");

    let again = place.serve();
    assert_eq!(again.said, Vec::<String>::new());
    again.get(("admin", &password), "/api/v1/componenttypes").expect(200);
    again.stop();
}

#[test]
fn a_signal_finishes_what_was_accepted() {
    for signal in [Signal::TERM, Signal::INT] {
        let place = Place::new();
        let mut server = place.serve();
        let password = server.admin_password();
        let who = ("admin", password.as_str());
        // Accepted: half of it has arrived.
        let whole = request(who, "POST", "/api/v1/componenttypes", r#"{"name": "late"}"#);
        let whole = whole.replacen("\r\n", "\r\nExpect: 100-continue\r\n", 1);
        let (first, rest) = whole.split_at(whole.len() - 5);
        let mut stream = server.connect();
        stream.write_all(first.as_bytes()).unwrap();
        // It is being answered: the server asks for the body.
        let mut asked = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut asked).unwrap();
        // A connection that asks nothing keeps nobody.
        let _idle = server.connect();
        // The server has taken both: it answers what comes after them.
        server.get(who, "/health/live").expect(200);
        server.signal(signal);
        server.wait_for_log("stopping");
        wait_until(|| TcpStream::connect(&server.address).is_err(), "no more is accepted");
        stream.write_all(rest.as_bytes()).unwrap();
        let answer = Answer::read(stream).expect("a whole answer").expect(201);
        assert_eq!(server.wait(), Some(0), "{}", server.logged());

        let again = place.serve();
        let id = answer.json()["componenttype"]["id"].as_str().unwrap().to_owned();
        again.get(who, &format!("/api/v1/componenttypes/{id}")).expect(200);
        again.stop();
    }
}

#[test]
fn a_signal_finishes_a_command_that_was_taken() {
    let place = Place::new();
    let mut server = place.serve();
    let mut stream = UnixStream::connect(place.data().join(".state/socket")).unwrap();
    let mut send = |line: serde_json::Value| writeln!(stream, "{line}").unwrap();
    send(json!({ "Run": { "Import": { "workspace": "ann/lab", "kind": null } } }));
    send(json!({ "File": { "path": "a.txt", "name": "a.txt", "bytes": "YQ==" } }));
    // A command after it is answered, so that it was taken.
    place.run(&["user", "list"]).expect(0);
    server.signal(Signal::TERM);
    server.wait_for_log("stopping");
    wait_until(|| TcpStream::connect(&server.address).is_err(), "no more is accepted");
    send(json!("End"));
    let lines: Vec<String> = BufReader::new(stream).lines().map(Result::unwrap).collect();
    assert!(lines.last().is_some_and(|line| line.starts_with(r#"{"Done":{"Imported":"#)), "{lines:?}");
    assert_eq!(server.wait(), Some(0), "{}", server.logged());
    assert_eq!(git::run(&place.data().join("ann/lab"), &["show", "main:a.txt"]), "a");
}

#[test]
fn a_second_signal_waits_for_no_client() {
    for signals in [[Signal::INT, Signal::INT], [Signal::TERM, Signal::INT]] {
        let place = Place::new();
        let mut server = place.serve();
        let password = server.admin_password();
        let who = ("admin", password.as_str());
        let made = server.ask(who, "POST", "/api/v1/componenttypes", r#"{"name": "done"}"#).expect(201);
        // Clients that never come to an end: of a request, and of a command.
        let whole = request(who, "POST", "/api/v1/componenttypes", r#"{"name": "slow"}"#);
        let whole = whole.replacen("\r\n", "\r\nExpect: 100-continue\r\n", 1);
        let mut stream = server.connect();
        stream.write_all(&whole.as_bytes()[..whole.len() - 5]).unwrap();
        let mut asked = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut asked).unwrap();
        let mut command = UnixStream::connect(place.data().join(".state/socket")).unwrap();
        writeln!(command, "{}", json!({ "Run": { "Import": { "workspace": "ann/lab", "kind": null } } })).unwrap();
        place.run(&["user", "list"]).expect(0);
        server.signal(signals[0]);
        server.wait_for_log("finishing what was accepted");
        wait_until(|| TcpStream::connect(&server.address).is_err(), "no more is accepted");
        let begun = std::time::Instant::now();
        server.signal(signals[1]);
        assert_eq!(server.wait(), Some(0), "{}", server.logged());
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
        assert!(server.logged().contains("stopping at once"), "{}", server.logged());
        assert!(Answer::read(stream).is_none());

        let again = place.serve();
        let id = made.json()["componenttype"]["id"].as_str().unwrap().to_owned();
        again.get(who, &format!("/api/v1/componenttypes/{id}")).expect(200);
        assert_eq!(again.get(who, "/api/v1/componenttypes").expect(200).json()["_meta"]["count"], 1);
        again.stop();
    }
}

#[test]
fn a_data_directory_may_lie_deep() {
    let place = Place::new();
    let deep = format!("{}/data", ["deep"; 40].join("/"));
    std::fs::create_dir_all(place.path().join(&deep)).unwrap();
    let server = place.serve_with(&["--data", &deep], &[]);
    let listed = place.command(&["user", "list", "--data", &deep]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "admin (admin)\n", "{listed:?}");
    server.stop();
}

#[test]
fn logs_go_to_stderr_without_colours() {
    let place = Place::new();
    let server = place.serve_with(&[], &[("WORKLEAF_LOG__FILTER", "debug")]);
    let password = server.admin_password();
    server.ask(("admin", &password), "POST", "/api/v1/componenttypes", r#"{"name": "a"}"#).expect(201);
    server.wait_for_log("answered");
    let log = server.logged();
    assert!(!log.contains('\u{1b}'), "{log:?}");
    assert!(!log.contains(&password), "a password is in the log");
    assert_eq!(server.stop(), Vec::<String>::new());

    let machine = Place::new();
    let server = machine.serve_with(&[], &[("WORKLEAF_LOG__FORMAT", "json")]);
    let password = server.admin_password();
    server.ask(("admin", &password), "POST", "/api/v1/componenttypes", r#"{"name": "a"}"#).expect(201);
    server.wait_for_log("answered");
    for line in server.logged().lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    server.stop();
}

#[test]
fn one_server_at_a_time() {
    let place = Place::new();
    let server = place.serve();
    let password = server.admin_password();
    let second = place.run(&["serve", "--listen", "127.0.0.1:0"]).expect(2);
    assert!(second.err.contains("another workleaf has the data directory data"), "{}", second.err);
    assert_eq!(second.out, "");
    server.get(("admin", &password), "/api/v1/componenttypes").expect(200);
    place.run(&["user", "list"]).expect(0);

    let elsewhere = Place::new();
    let taken = elsewhere.run(&["serve", "--listen", &server.address]).expect(2);
    assert!(taken.err.contains(&format!("cannot listen on {}", server.address)), "{}", taken.err);
    server.stop();
}

#[test]
fn what_a_dead_server_left_is_no_obstacle() {
    let place = Place::new();
    let mut server = place.serve();
    let password = server.admin_password();
    let socket = place.data().join(".state/socket");
    let meta = std::fs::symlink_metadata(&socket).unwrap();
    assert!(meta.file_type().is_socket());
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    let state = std::fs::metadata(place.data().join(".state")).unwrap();
    assert_eq!(state.permissions().mode() & 0o777, 0o700);
    server.signal(Signal::KILL);
    assert_eq!(server.wait(), None);
    assert!(socket.exists(), "left over");
    // A command first: it is alone now.
    assert_eq!(place.run(&["user", "list"]).expect(0).out, "admin (admin)\n");
    let again = place.serve();
    again.get(("admin", &password), "/api/v1/componenttypes").expect(200);
    assert_eq!(place.run(&["user", "list"]).expect(0).out, "admin (admin)\n");
    again.stop();
    assert!(!socket.exists(), "a stop leaves none");
}

#[test]
fn sighup_reads_the_kinds_again() {
    let place = Place::new();
    place.write("config.yaml", "templates: [more]\n");
    let recipe = |field: &str| {
        let schema = r#"{"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}}"#;
        place.write("more/recipe/schema.json", schema);
        place.write("more/recipe/starter.yml", "title: Soup\n");
        let kind = format!(
            "kind: recipe\nplural: recipes\ntitle: Recipe\ndescription: Food.\nfile: recipes/{{name}}.yml\n\
             schema: schema.json\nstarter: starter.yml\nindex:\n  {field}: text\n"
        );
        place.write("more/recipe/kind.yaml", kind);
    };
    place.write("more/README.md", "Kinds of ours.\n");
    place.write("soup.yml", "title: Soup\n");
    place.run(&["import", "soup.yml", "--workspace", "cook/book", "--into", "recipes"]).expect(0);
    let server = place.serve();
    let password = server.admin_password();
    let who = ("admin", password.as_str());
    server.get(who, "/api/v1/recipes").expect(404);

    recipe("title");
    server.signal(Signal::HUP);
    // Documents that were there are documents of the new kind.
    let listed = || {
        let answer = server.get(who, "/api/v1/recipes?where=title:Soup");
        answer.status == 200 && answer.json()["_meta"]["count"] == 1
    };
    wait_until(listed, "the recipe is listed");
    let document = server.get(who, "/openapi.json").json();
    assert!(document["paths"].get("/api/v1/recipes").is_some());

    // What is wrong with the new ones changes nothing.
    place.write("more/recipe/kind.yaml", "kind: [\n");
    server.signal(Signal::HUP);
    server.wait_for_log("the kinds stay as they were");
    assert!(listed());
    server.stop();
}

#[test]
fn the_document_is_the_servers() {
    let place = Place::new();
    let printed = place.run(&["openapi"]).expect(0);
    let printed: serde_json::Value = serde_json::from_str(&printed.out).expect("JSON");
    assert!(!place.data().exists(), "nothing is made for it");
    let server = place.serve();
    assert_eq!(server.get(("", ""), "/openapi.json").expect(200).json(), printed);
    server.stop();
    assert_eq!(printed["openapi"], "3.1.0");
}
