//! Limits that need a real peer, and what the server keeps to itself.

use std::os::unix::fs::PermissionsExt as _;

use super::process::Place;

#[test]
fn one_address_asks_so_often_and_no_more() {
    let place = Place::new();
    let server = place.serve_with(&[], &[("WORKLEAF_LIMITS__ADDRESS_RATE", "4")]);
    let statuses: Vec<u16> = (0..30).map(|_| server.get(("nobody", ""), "/health/live").status).collect();
    assert!(statuses.contains(&200) && statuses.contains(&429), "{statuses:?}");
    // The limit is a rate: whoever waits is served.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(server.get(("nobody", ""), "/health/live").status, 200);
    server.stop();
}

#[test]
fn what_is_secret_is_this_users_alone() {
    let place = Place::new();
    let server = place.serve();
    let mode = |name: &str| {
        let file = place.data().join(".state").join(name);
        std::fs::metadata(&file).unwrap_or_else(|error| panic!("{name}: {error}")).permissions().mode() & 0o777
    };
    assert_eq!(mode("secret"), 0o600);
    assert_eq!(mode("socket"), 0o600);
    assert_eq!(mode("../.state"), 0o700);
    server.stop();
}
