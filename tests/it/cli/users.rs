//! `user` and `reindex`, beside a running server and without one.

use serde_json::json;

use super::process::Place;

#[test]
fn accounts_without_a_server() {
    let place = Place::new();
    assert_eq!(place.run(&["user", "list"]).expect(0).out, "");
    let made = place.run(&["user", "create", "ann", "--email", "ann@example.org"]).expect(0);
    let random = made.line("created ann with the password ").strip_suffix(" (shown only now)").unwrap().to_owned();
    assert!(random.len() >= 20, "{random}");
    assert_eq!(made.err, "");
    let chosen = place.run_with_input(&["user", "create", "bob", "--admin", "--password-stdin"], "s3cret\nrest\n");
    assert_eq!(chosen.expect(0).out, "created bob\n", "a password that was given is not shown");
    let listed = place.run(&["user", "list"]).expect(0);
    assert_eq!(listed.out, "ann <ann@example.org>\nbob (admin)\n");

    // There are accounts, so that none is made.
    let server = place.serve();
    assert_eq!(server.said, Vec::<String>::new());
    server.get(("ann", &random), "/api/v1/componenttypes").expect(200);
    server.get(("bob", "s3cret"), "/api/v1/componenttypes").expect(200);
    server.stop();
}

#[test]
fn accounts_beside_a_server_that_knows_at_once() {
    let place = Place::new();
    let server = place.serve();
    let status = |name: &str, password: &str| server.get((name, password), "/api/v1/componenttypes").status;
    let made = place.run(&["user", "create", "ann"]).expect(0);
    let first = made.line("created ann with the password ").strip_suffix(" (shown only now)").unwrap().to_owned();
    assert_eq!(status("ann", &first), 200);
    // Her password was verified a moment ago; what was remembered counts no more.
    let again = place.run(&["user", "passwd", "ann"]).expect(0);
    let second = again.line("ann has the password ").strip_suffix(" now (shown only now)").unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!((status("ann", &first), status("ann", &second)), (401, 200));
    let given = place.run_with_input(&["user", "passwd", "ann", "--password-stdin"], "a b  c\r\n").expect(0);
    assert_eq!(given.out, "ann has the new password now\n");
    assert_eq!((status("ann", &second), status("ann", "a b  c")), (401, 200));
    assert_eq!(place.run(&["user", "delete", "ann"]).expect(0).out, "deleted ann\n");
    assert_eq!(status("ann", "a b  c"), 401);
    server.stop();
}

#[test]
fn administrators_manage_what_is_others() {
    let place = Place::new();
    let server = place.serve();
    for (name, admin) in [("ann", false), ("root", true)] {
        let arguments = ["user", "create", name, "--password-stdin", "--admin"];
        place.run_with_input(&arguments[..if admin { 5 } else { 4 }], "pw-pw-pw\n").expect(0);
    }
    let body = r#"{"owner": "bob", "name": "lab"}"#;
    server.ask(("ann", "pw-pw-pw"), "POST", "/api/v1/workspaces", body).expect(403);
    server.ask(("root", "pw-pw-pw"), "POST", "/api/v1/workspaces", body).expect(201);
    server.stop();
}

#[test]
fn what_cannot_be_is_said_and_changes_nothing() {
    for with_server in [false, true] {
        let place = Place::new();
        place.run_with_input(&["user", "create", "ann", "--password-stdin"], "pw-pw-pw\n").expect(0);
        let server = with_server.then(|| place.serve());
        for (arguments, input, complaint) in [
            (&["user", "create", "Ann"][..], "", "Ann"),
            (&["user", "create", "a/b"], "", "is not an account name"),
            (&["user", "create", "catalogue"], "", "reserved"),
            (&["user", "create", "eve", "--password-stdin"], "\n", "the password on standard input is empty"),
            (&["user", "delete", "eve"], "", "eve"),
            (&["user", "passwd", "eve"], "", "eve"),
        ] {
            let ran = place.run_with_input(arguments, input).expect(2);
            assert_eq!(ran.out, "", "{arguments:?}");
            let line = ran.err.lines().last().unwrap_or_default();
            assert!(line.starts_with("workleaf: ") && line.contains(complaint), "{arguments:?}: {line}");
        }
        assert_eq!(place.run(&["user", "list"]).expect(0).out, "ann\n");
        if let Some(server) = server {
            server.stop();
        }
    }
}

#[test]
fn commands_wait_for_each_other_and_for_a_server_that_starts() {
    let place = Place::new();
    place.run(&["user", "list"]).expect(0);
    std::thread::scope(|scope| {
        let ran: Vec<_> = (0..4)
            .map(|n| {
                let place = &place;
                scope.spawn(move || place.run(&["user", "create", &format!("user{n}")]).expect(0))
            })
            .collect();
        for ran in ran {
            ran.join().unwrap();
        }
    });
    assert_eq!(place.run(&["user", "list"]).expect(0).out, "user0\nuser1\nuser2\nuser3\n");
}

#[test]
fn reindex() {
    let place = Place::new();
    place.write("a/service.yml", "");
    place.run(&["import", "a", "--workspace", "ann/lab"]).expect(0);
    assert_eq!(place.run(&["reindex"]).expect(0).out, "the index of 1 workspaces is built anew\n");
    let server = place.serve();
    let password = server.admin_password();
    let who = ("admin", password.as_str());
    server.ask(who, "POST", "/api/v1/componenttypes", r#"{"name": "a"}"#).expect(201);
    let before = server.get(who, "/api/v1/componenttypes").expect(200).json();
    assert_eq!(place.run(&["reindex"]).expect(0).out, "the index of 2 workspaces is built anew\n");
    assert_eq!(server.get(who, "/api/v1/componenttypes").expect(200).json(), before);
    assert_eq!(before["_meta"]["count"], json!(1));
    server.stop();
}
