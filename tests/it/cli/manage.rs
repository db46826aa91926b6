//! `manage`, the commands of the DMP tool's manage.py, and what else manages access: `token`,
//! `member`, `config check` (contracts/dmp.md, section 3).

use serde_json::{Value, json};

use super::process::{Place, Ran};

/// Both ways to run a command: on the directory, and beside a server that has it.
fn both(each: impl Fn(&Place)) {
    for with_server in [false, true] {
        let place = Place::new();
        // Somebody is there, so that the server makes no administrator.
        place.run_with_input(&["user", "create", "root", "--admin", "--password-stdin"], "pw-pw-pw\n").expect(0);
        let server = with_server.then(|| place.serve());
        each(&place);
        if let Some(server) = server {
            server.stop();
        }
    }
}

fn manage(place: &Place, arguments: &[&str], input: &str) -> Ran {
    place.run_with_input(&[&["manage"], arguments].concat(), input)
}

/// It fails with one line that says why.
#[track_caller]
fn fails(ran: Ran, why: &str) {
    let ran = ran.expect(1);
    assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    assert!(ran.err.starts_with("workleaf: ") && ran.err.contains(why), "{ran:?}");
}

/// What `GET /login` says to a name and a password; on a server for the purpose.
fn login(place: &Place, name: &str, password: &str) -> (u16, Value) {
    let server = place.serve();
    let answer = server.get((name, password), "/login");
    let told = (answer.status, answer.json());
    server.stop();
    told
}

#[test]
fn what_is_not_given_is_asked_for() {
    both(|place| {
        let made = manage(place, &["create_user"], "ann\npw of ann\nann@example.org\n").expect(0);
        assert_eq!(made.out, "Username: Password: Email: created ann\n");
        assert_eq!(made.err, "");
        manage(place, &["create_admin"], "bob\npw of bob\n\n").expect(0);
        let listed = place.run(&["user", "list"]).expect(0).out;
        assert_eq!(listed, "ann <ann@example.org>\nbob (admin)\nroot (admin)\n");
        let made = manage(place, &["create_project"], "Shelter 7\nPlants and people\n").expect(0);
        assert_eq!(made.out, "Name: Description: created the project Shelter 7\n");
        let linked = manage(place, &["create_relation"], "ann\nShelter 7\n").expect(0);
        assert_eq!(linked.out, "Username: Project Name: ann belongs to Shelter 7\n");
        manage(place, &["create_relation"], "ann\nShelter 7\n").expect(0);
        let unlinked = manage(place, &["delete_relation"], "ann\nShelter 7\n").expect(0);
        assert_eq!(unlinked.out, "Username: Project Name: ann does not belong to Shelter 7 any more\n");
        let deleted = manage(place, &["delete_project"], "Shelter 7\n").expect(0);
        assert_eq!(deleted.out, "Project Name: deleted the project Shelter 7\n");
        assert_eq!(manage(place, &["delete_user"], "ann\n").expect(0).out, "Username: deleted ann\n");
        assert_eq!(place.run(&["user", "list"]).expect(0).out, "bob (admin)\nroot (admin)\n");
    });
}

#[test]
fn what_is_given_by_flags_is_not_asked_for() {
    both(|place| {
        let ann = ["create_user", "--username", "ann", "--password-stdin", "--email", "ann@example.org"];
        assert_eq!(manage(place, &ann, "pw of ann\n").expect(0).out, "created ann\n");
        let bob = ["create_admin", "--username", "bob", "--password-stdin"];
        assert_eq!(manage(place, &bob, "pw of bob\n").expect(0).out, "created bob\n", "a script means no address");
        let project = ["create_project", "--name", "P", "--description", ""];
        assert_eq!(manage(place, &project, "").expect(0).out, "created the project P\n");
        let relation = ["--username", "ann", "--project", "P"];
        manage(place, &[&["create_relation"], &relation[..]].concat(), "").expect(0);
        manage(place, &[&["delete_relation"], &relation[..]].concat(), "").expect(0);
        manage(place, &["delete_project", "--name", "P"], "").expect(0);
        manage(place, &["delete_user", "--username", "ann"], "").expect(0);
        assert_eq!(place.run(&["user", "list"]).expect(0).out, "bob (admin)\nroot (admin)\n");
    });
    // What was made by hand logs in as by HTTP, with the project of longest standing.
    let place = Place::new();
    manage(&place, &["create_user"], "ann\npw of ann\nann@example.org\n").expect(0);
    for name in ["Second", "First"] {
        manage(&place, &["create_project", "--name", name, "--description", "of two"], "").expect(0);
    }
    for name in ["Second", "First"] {
        manage(&place, &["create_relation", "--username", "ann", "--project", name], "").expect(0);
    }
    let (status, told) = login(&place, "ann", "pw of ann");
    assert_eq!((status, &told["project"], &told["project_description"]), (200, &json!("Second"), &json!("of two")));
    assert_eq!((&told["username"], &told["email"]), (&json!("ann"), &json!("ann@example.org")));
}

#[test]
fn what_cannot_be_is_one_line_and_code_1() {
    both(|place| {
        manage(place, &["create_user"], "ann\npw\n\n").expect(0);
        manage(place, &["create_project"], "P\n\n").expect(0);
        fails(manage(place, &["create_user"], "ANN\npw\n\n"), "\"ANN\"");
        fails(manage(place, &["create_admin"], "ann\npw\n\n"), "\"ann\"");
        fails(manage(place, &["create_user"], "a b\npw\n\n"), "is not an account name");
        fails(manage(place, &["create_user"], "\npw\n\n"), "is not an account name");
        fails(manage(place, &["create_user"], "system\npw\n\n"), "reserved");
        fails(manage(place, &["create_user"], "eve\n\n\n"), "the password is empty");
        fails(manage(place, &["create_user"], "eve\n"), "Password was not given");
        fails(manage(place, &["create_user", "--username", "eve", "--password-stdin"], ""), "is empty");
        fails(manage(place, &["delete_user"], "eve\n"), "eve");
        fails(manage(place, &["delete_user"], ""), "Username was not given");
        fails(manage(place, &["create_project"], "P\nagain\n"), "P");
        fails(manage(place, &["create_project"], "\nnameless\n"), "a group has a name");
        fails(manage(place, &["delete_project"], "Q\n"), "Q");
        fails(manage(place, &["create_relation"], "eve\nP\n"), "eve");
        fails(manage(place, &["create_relation"], "ann\nQ\n"), "Q");
        fails(manage(place, &["delete_relation"], "ann\nP\n"), "ann");
        assert_eq!(place.run(&["user", "list"]).expect(0).out, "ann\nroot (admin)\n");
    });
}

#[test]
fn tables_are_dropped_only_when_that_is_meant() {
    both(|place| {
        manage(place, &["create_tables"], "").expect(0);
        manage(place, &["create_user"], "ann\npw\n\n").expect(0);
        const QUESTION: &str = "Are you sure you want to lose all your data [n]: ";
        for no in ["\n", "n\n", "NO\n", "0\n", "off\n", "False\n", "f\n", "what?\nmaybe\nn\n"] {
            let ran = manage(place, &["drop_tables"], no).expect(0);
            assert_eq!(ran.out, format!("{}nothing was deleted\n", QUESTION.repeat(no.lines().count())));
        }
        // Whoever goes away without an answer has not said yes.
        fails(manage(place, &["drop_tables"], ""), "was not given");
        assert_eq!(place.run(&["user", "list"]).expect(0).out, "ann\nroot (admin)\n");
        let ran = manage(place, &["drop_tables"], "Yes\n").expect(0);
        assert_eq!(ran.out, format!("{QUESTION}all accounts, projects, tokens and sessions were deleted\n"));
        assert_eq!(place.run(&["user", "list"]).expect(0).out, "");
        for yes in ["y", "1", "ON", "true", "t"] {
            manage(place, &["create_user"], "ann\npw\n\n").expect(0);
            manage(place, &["drop_tables"], &format!("{yes}\n")).expect(0);
            assert_eq!(place.run(&["user", "list"]).expect(0).out, "", "{yes}");
        }
        manage(place, &["create_user"], "ann\npw\n\n").expect(0);
        let ran = manage(place, &["drop_tables", "--yes"], "").expect(0);
        assert_eq!(ran.out, "all accounts, projects, tokens and sessions were deleted\n");
        manage(place, &["create_tables"], "").expect(0);
        manage(place, &["create_user"], "ann\npw\n\n").expect(0);
    });
}

#[test]
fn dropping_the_tables_beside_a_server_ends_what_it_believed() {
    let place = Place::new();
    place.run_with_input(&["user", "create", "ann", "--password-stdin"], "pw-pw-pw\n").expect(0);
    let server = place.serve();
    server.get(("ann", "pw-pw-pw"), "/api/v1/session").expect(200);
    manage(&place, &["drop_tables", "--yes"], "").expect(0);
    server.get(("ann", "pw-pw-pw"), "/api/v1/session").expect(401);
    server.stop();
    assert_eq!(place.serve().said.len(), 1, "the next start makes a new administrator");
}

#[test]
fn help_is_a_question_mark_and_h_is_the_host() {
    let place = Place::new();
    for command in [
        &["manage"][..],
        &["manage", "create_tables"],
        &["manage", "drop_tables"],
        &["manage", "create_user"],
        &["manage", "create_admin"],
        &["manage", "delete_user"],
        &["manage", "create_project"],
        &["manage", "delete_project"],
        &["manage", "create_relation"],
        &["manage", "delete_relation"],
        &["manage", "runserver"],
        &["manage", "runprodserver"],
    ] {
        for flag in ["-?", "--help"] {
            let ran = place.run(&[command, &[flag]].concat()).expect(0);
            assert!(ran.out.contains("Usage: workleaf manage") && ran.err.is_empty(), "{command:?}: {ran:?}");
        }
    }
    for wrong in [&["manage"][..], &["manage", "shell"], &["manage", "create_user", "ann"], &["manage", "createuser"]] {
        let ran = place.run(wrong).expect(2);
        assert!(ran.out.is_empty() && ran.err.contains("Usage: workleaf manage"), "{wrong:?}: {ran:?}");
    }
    assert!(!place.data().exists(), "nothing was made");
    let lost = place.run(&["manage", "runserver", "-h", "nowhere.invalid", "-p", "0"]).expect(1);
    let last = lost.err.lines().last().unwrap_or_default();
    assert!(last.starts_with("workleaf: cannot listen on nowhere.invalid:0"), "{lost:?}");
    for flag in ["--ssl-crt", "--ssl-key"] {
        fails(place.run(&["manage", "runserver", flag, "some.pem"]), "TLS is not served here");
    }
    place.run(&["manage", "runserver", "-p", "70000"]).expect(2);
}

#[test]
fn the_servers_of_manage_listen_where_they_are_told() {
    let old = ["--threaded", "--processes", "4", "--passthrough-errors", "-d", "-D", "-r", "-R"];
    let all = ["-h", "127.0.0.1", "--port", "0"];
    for (arguments, host) in [
        ([&["runserver", "-h", "127.0.0.1", "-p", "0"], &old[..]].concat(), "127.0.0.1:"),
        (vec!["runserver", "-p", "0"], "127.0.0.1:"),
        (vec!["runserver", "--host", "::1", "-p", "0"], "[::1]:"),
        (vec!["runprodserver", "-p", "0"], "0.0.0.0:"),
        ([&["runprodserver"], &all[..]].concat(), "127.0.0.1:"),
    ] {
        let place = Place::new();
        // The configuration file has less to say than the flags.
        place.write("config.yaml", "listen: nonsense\n");
        let server = place.start(&[&["--data", "data", "manage"], &arguments[..]].concat());
        assert!(server.address.starts_with(host), "{arguments:?}: {}", server.address);
        server.get(("admin", &server.admin_password()), "/start").expect(422);
        server.stop();
    }
}

#[test]
fn tokens() {
    both(|place| {
        place.run_with_input(&["user", "create", "ann", "--password-stdin"], "pw-pw-pw\n").expect(0);
        assert_eq!(place.run(&["token", "list", "ann"]).expect(0).out, "");
        let made = place.run(&["token", "create", "ann", "--name", "a script", "--scope", "read", "--expires", "90d"]);
        let token = made.expect(0).out.trim_end().to_owned();
        assert!(token.starts_with("wl_") && !token.contains(char::is_whitespace), "{token}");
        place.run(&["token", "create", "Ann", "--name", "git"]).expect(0);
        let listed = place.run(&["token", "list", "ann"]).expect(0).out;
        let lines: Vec<&str> = listed.lines().collect();
        let of = |name: &str| *lines.iter().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{listed}"));
        assert_eq!(lines.len(), 2, "{listed}");
        assert!(of(" a script ").contains("(read, until 2") && of(" a script ").contains("never used"), "{listed}");
        assert!(of(" git ").contains("(write, for ever"), "{listed}");
        assert!(!listed.contains(&token[3..]), "{listed}");
        let id = of(" a script ").split(' ').next().unwrap();
        place.run(&["token", "delete", "root", id]).expect(2);
        place.run(&["token", "delete", "ann", id]).expect(0);
        assert_eq!(place.run(&["token", "list", "ann"]).expect(0).out.lines().count(), 1);
        for wrong in [
            &["create", "ann"][..],
            &["create", "ann", "--name", ""],
            &["create", "eve", "--name", "x"],
            &["create", "ann", "--name", "x", "--scope", "root"],
            &["create", "ann", "--name", "x", "--expires", "soon"],
            &["create", "ann", "--name", "x", "--expires", "0d"],
            &["create", "ann", "--name", "x", "--expires", "-1d"],
            &["create", "ann", "--name", "x", "--expires", "99999999999999999d"],
            &["create", "ann", "--name", "x", "--expires", "d"],
            &["create", "ann", "--name", "x", "--expires", "5\u{1F343}"],
            &["create", "ann", "--name", "x", "--expires", "5dd"],
            &["list", "eve"],
            &["delete", "ann", "1"],
            &["delete", "ann", "x"],
        ] {
            let ran = place.run(&[&["token"], wrong].concat()).expect(2);
            assert!(ran.out.is_empty() && !ran.err.is_empty(), "{wrong:?}: {ran:?}");
        }
        assert_eq!(place.run(&["token", "list", "ann"]).expect(0).out.lines().count(), 1);
    });
    let place = Place::new();
    place.run_with_input(&["user", "create", "ann", "--password-stdin"], "pw-pw-pw\n").expect(0);
    let server = place.serve();
    let token = place.run(&["token", "create", "ann", "--name", "x"]).expect(0).out.trim_end().to_owned();
    server.get(("ann", &token), "/api/v1/session").expect(200);
    server.get(("bob", &token), "/api/v1/session").expect(401);
    let listed = place.run(&["token", "list", "ann"]).expect(0).out;
    assert!(listed.contains(", used 2"), "{listed}");
    place.run(&["token", "delete", "ann", listed.split(' ').next().unwrap()]).expect(0);
    server.get(("ann", &token), "/api/v1/session").expect(401);
    server.stop();
}

#[test]
fn members() {
    both(|place| {
        for name in ["ann", "bob"] {
            place.run_with_input(&["user", "create", name, "--password-stdin"], "pw-pw-pw\n").expect(0);
        }
        place.write("a/service.yml", "");
        place.run(&["import", "a", "--workspace", "ann/lab"]).expect(0);
        manage(place, &["create_project", "--name", "The team", "--description", ""], "").expect(0);
        let member = |arguments: &[&str]| place.run(&[&["member"], arguments].concat());
        assert_eq!(member(&["list", "ann/lab"]).expect(0).out, "");
        member(&["set", "ann/lab", "bob", "reader"]).expect(0);
        member(&["set", "ann/lab", "bob", "writer"]).expect(0);
        member(&["set", "ann/lab", "group:The team", "admin"]).expect(0);
        let listed = member(&["list", "ann/lab"]).expect(0).out;
        let mut lines: Vec<&str> = listed.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["bob writer", "group:The team admin"]);
        for wrong in [
            &["set", "ann/lab", "eve", "reader"][..],
            &["set", "ann/lab", "group:bob", "reader"],
            &["set", "ann/lab", "bob", "owner"],
            &["set", "ann/nowhere", "bob", "reader"],
            &["set", "lab", "bob", "reader"],
            &["set", "ann/lab", "bob"],
            &["list", "ann/nowhere"],
            &["remove", "ann/lab", "eve"],
        ] {
            let ran = member(wrong).expect(2);
            assert!(ran.out.is_empty() && !ran.err.is_empty(), "{wrong:?}: {ran:?}");
        }
        member(&["remove", "ann/lab", "group:The team"]).expect(0);
        assert_eq!(member(&["list", "ann/lab"]).expect(0).out, "bob writer\n");
    });
    let place = Place::new();
    for name in ["ann", "bob"] {
        place.run_with_input(&["user", "create", name, "--password-stdin"], "pw-pw-pw\n").expect(0);
    }
    place.write("a/service.yml", "");
    place.run(&["import", "a", "--workspace", "ann/lab"]).expect(0);
    let server = place.serve();
    let status = || server.get(("bob", "pw-pw-pw"), "/api/v1/workspaces/ann/lab").status;
    assert_eq!(status(), 404);
    place.run(&["member", "set", "ann/lab", "bob", "reader"]).expect(0);
    assert_eq!(status(), 200);
    place.run(&["member", "remove", "ann/lab", "bob"]).expect(0);
    assert_eq!(status(), 404);
    server.stop();
}

#[test]
fn the_configuration_is_shown_without_its_secrets_and_with_warnings() {
    let place = Place::new();
    let shown = place.run(&["config", "check"]).expect(0);
    assert!(shown.out.contains("listen: 127.0.0.1:5000\n"), "{shown:?}");
    assert!(shown.out.contains("ClientSecret: ''\n") && shown.err.is_empty(), "{shown:?}");
    assert!(!place.data().exists(), "nothing was made");
    place.write(
        "config.yaml",
        "listen: 0.0.0.0:80\nsession: {secretKey: key-that-nobody-sees}\n\
         authentication: {ClientID: Iv1, ClientSecret: hidden-one, provider: {name: p, ClientSecret: hidden-two}}\n",
    );
    let mut check = place.command(&["config", "check"]);
    let output = check.env("WORKLEAF_LIMITS__BODY", "77").output().expect("the binary runs");
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{err}");
    assert_eq!(out.matches("'********'").count() + out.matches("\"********\"").count(), 3, "{out}");
    assert!(out.contains("ClientID: Iv1") && out.contains("body: 77"), "{out}");
    for secret in ["key-that-nobody-sees", "hidden-one", "hidden-two"] {
        assert!(!out.contains(secret) && !err.contains(secret), "{secret}: {out}{err}");
    }
    assert!(err.lines().count() >= 4 && err.lines().all(|line| line.starts_with("warning: ")), "{err}");
    // Beside a server as well, and what is wrong is told.
    place.write("config.yaml", "{}");
    let server = place.serve();
    place.run(&["config", "check"]).expect(0);
    server.stop();
    place.write("config.yaml", "session: {secretKey: short-one}");
    let wrong = place.run(&["config", "check"]).expect(2);
    assert!(wrong.err.contains("session.secretKey") && !wrong.err.contains("short-one"), "{wrong:?}");
}
