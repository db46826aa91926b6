//! Configuration: the file, the environment over it, flags over both.

use super::process::Place;

#[test]
fn options_go_before_or_after_the_command() {
    let place = Place::new();
    place.write("conf/x.yaml", "workspaces-location: there\n");
    let run = |arguments: &[&str]| {
        let output = place.command(arguments).output().expect("the binary runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["--config", "conf/x.yaml", "user", "create", "ann"]);
    assert!(place.path().join("conf/there/.state").is_dir(), "relative to its file");
    for arguments in [
        &["--config", "conf/x.yaml", "user", "list"][..],
        &["user", "--config", "conf/x.yaml", "list"],
        &["user", "list", "--config", "conf/x.yaml"],
        &["--data", "conf/there", "user", "list"],
        &["user", "list", "--data", "conf/there"],
        &["user", "--data", "conf/there", "list", "--config", "conf/x.yaml"],
    ] {
        assert_eq!(run(arguments), "ann\n", "{arguments:?}");
    }
    // The flag beats the file.
    assert_eq!(run(&["user", "list", "--config", "conf/x.yaml", "--data", "empty"]), "");
}

#[test]
fn an_unknown_key_is_named_with_the_nearest() {
    let place = Place::new();
    for (text, complaint) in [
        ("listn: a", "workleaf: config.yaml has the unknown key \"listn\"; did you mean \"listen\"?\n"),
        ("limits: {boddy: 1}", "workleaf: config.yaml has the unknown key \"limits.boddy\"; did you mean \"body\"?\n"),
        ("zzzzzzzzzz: 1", "workleaf: config.yaml has the unknown key \"zzzzzzzzzz\"\n"),
        ("limits: 5", "workleaf: config.yaml: limits must be a section of keys\n"),
    ] {
        place.write("config.yaml", text);
        for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["user", "list"], &["check", "config.yaml"]] {
            let ran = place.run(arguments).expect(2);
            assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", complaint), "{text}");
        }
    }
    assert!(!place.data().exists(), "nothing was made");
    let missing = place.run(&["user", "list", "--config", "nope.yaml"]).expect(2);
    assert!(missing.err.starts_with("workleaf: cannot read nope.yaml"), "{}", missing.err);
}

#[test]
fn the_environment_beats_the_file_and_flags_beat_both() {
    let place = Place::new();
    place.write("config.yaml", "listen: nonsense\nlimits:\n  body: 100\n");
    let server = place.serve_with(&[], &[("WORKLEAF_LISTEN", "also nonsense"), ("WORKLEAF_LIMITS__BODY", "50")]);
    let password = server.admin_password();
    let post = |name: &str| {
        let body = format!(r#"{{"name": "{name}"}}"#);
        server.ask(("admin", &password), "POST", "/api/v1/componenttypes", &body).status
    };
    assert_eq!(post(&"a".repeat(30)), 201);
    assert_eq!(post(&"a".repeat(60)), 413);
    server.stop();

    let mut command = place.command(&["--data", "data", "user", "list"]);
    let output = command.env("WORKLEAF_LIMITS__BODYY", "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("WORKLEAF_LIMITS__BODYY") && text.contains("did you mean \"body\"?"), "{text}");
}

#[test]
fn variables_that_are_no_text_are_nobodys() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new();
    let mut command = place.command(&["--data", "data", "user", "list"]);
    let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    assert!(command.env("ODD", odd).env(odd, "x").status().unwrap().success());
}

#[test]
fn a_wrong_command_line_is_refused_with_help() {
    let place = Place::new();
    for arguments in [&["serv"][..], &["import"], &["import", "x"], &["check"], &["user", "passwd"], &[]] {
        let ran = place.run(arguments).expect(2);
        assert_eq!(ran.out, "");
        assert!(ran.err.contains("Usage:"), "{arguments:?}: {}", ran.err);
    }
    assert_eq!(place.run(&["--version"]).expect(0).out, format!("workleaf {}\n", env!("CARGO_PKG_VERSION")));
}
