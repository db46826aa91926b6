//! Clients that go, or do nothing, in the middle.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::client::Place;
use super::until;
use crate::support::{PASSWORD, basic, raw};

async fn begin_push(place: &Place, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&place.address).await.unwrap();
    let command = format!("{head} {} refs/heads/main\0report-status side-band-64k\n", "1".repeat(40));
    let packet = format!("{:04x}{command}0000PACK\0\0\0\u{2}\0\0\0\u{5}", command.len() + 4);
    let request = format!(
        "POST /git/ann/lab.git/git-receive-pack HTTP/1.1\r\nhost: test.local\r\nauthorization: {}\r\n\
         content-type: application/x-git-receive-pack-request\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{packet}\r\n",
        basic("ann", PASSWORD),
        packet.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// How many folders of unfinished pushes there are.
fn unfinished(place: &Place) -> usize {
    std::fs::read_dir(place.app.data().join(".state/incoming")).map_or(0, Iterator::count)
}

async fn write_works(place: &Place, name: &str) {
    let path = format!("/api/v1/workspaces/ann/lab/files/{name}.txt");
    let written = place.app.as_user("ann").header("if-none-match", "*").put(&path, raw("x")).await;
    written.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_leaves_nothing() {
    let place = Place::open().await;
    let head = place.app.head("ann/lab");
    let mut streams = Vec::new();
    for _ in 0..4 {
        streams.push(begin_push(&place, &head).await);
    }
    until(|| unfinished(&place) == 4, "pushes begin").await;
    // Nobody is held up meanwhile.
    write_works(&place, "during").await;
    drop(streams);
    until(|| unfinished(&place) == 0, "what they brought goes").await;
    write_works(&place, "after").await;
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stalls_is_given_up() {
    let place = Place::open_with(|config| {
        config.git.idle_timeout = 1;
        config.git.processes = 2;
    })
    .await;
    let head = place.app.head("ann/lab");
    let clone = place.clone("c").await;
    // As many as may run at once: the others wait for them to be given up.
    let mut streams = [begin_push(&place, &head).await, begin_push(&place, &head).await];
    until(|| unfinished(&place) == 2, "pushes begin").await;
    write_works(&place, "during").await;
    clone.write("a.txt", "a\n");
    clone.commit("After").await;
    clone.push().await.fails(&["fetch first"]);
    clone.git(&["pull", "-q", "--rebase", "origin", "main"]).await.ok();
    clone.push().await.ok();
    for stream in &mut streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 400") && answer.contains("hardly anything came for 1 seconds"),
            "{answer}"
        );
    }
    until(|| unfinished(&place) == 0, "what they brought goes").await;
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_given_up() {
    let place = Place::open_with(|config| {
        config.git.idle_timeout = 1;
        config.git.processes = 1;
    })
    .await;
    let clone = place.clone("c").await;
    // More than any buffer between the two holds.
    clone.write("a.bin", noise(1, 8 << 20));
    clone.write("b.bin", noise(2, 8 << 20));
    clone.commit("Much").await;
    clone.push().await.ok();
    let head = place.app.head("ann/lab");
    let stream = begin_fetch(&place, Some("ann"), &format!("0032want {head}\n00000009done\n"), 0).await;
    // The only turn is taken; it is free again when the other is given up.
    tokio::time::sleep(Duration::from_millis(300)).await;
    place.clone("d").await;
    drop(stream);
    place.finish().await;
}

/// Bytes that do not get smaller, other ones for each seed.
fn noise(mut seed: u64, bytes: usize) -> Vec<u8> {
    std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as u8
    })
    .take(bytes)
    .collect()
}

/// A fetch of which so many bytes are missing, or whose answer nobody reads.
async fn begin_fetch(place: &Place, who: Option<&str>, body: &str, missing: usize) -> TcpStream {
    let mut stream = TcpStream::connect(&place.address).await.unwrap();
    let credentials = who.map(|who| format!("authorization: {}\r\n", basic(who, PASSWORD))).unwrap_or_default();
    let request = format!(
        "POST /git/ann/lab.git/git-upload-pack HTTP/1.1\r\nhost: test.local\r\n{credentials}\
         content-type: application/x-git-upload-pack-request\r\ncontent-length: {}\r\n\r\n{body}",
        body.len() + missing
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_keeps_others_from_their_turn() {
    let place = Place::open_with(|config| {
        config.git.idle_timeout = 300;
        config.git.processes = 4;
    })
    .await;
    let ann = place.app.as_user("ann");
    ann.patch("/api/v1/workspaces/ann/lab", json!({ "public": true })).await.expect(200);
    let clone = place.clone("c").await;
    clone.write("a.bin", noise(1, 8 << 20));
    clone.write("b.bin", noise(2, 8 << 20));
    clone.commit("Much").await;
    clone.push().await.ok();
    let want = format!("0032want {}\n00000009done\n", place.app.head("ann/lab"));
    let mut streams = Vec::new();
    // They say what they want, but not all of it.
    for _ in 0..16 {
        streams.push(begin_fetch(&place, None, &want[..40], want.len() - 40).await);
    }
    place.clone("d").await;
    // They want all and read nothing: anonymous ones, and an account's.
    for who in [None, Some("bob")] {
        for _ in 0..6 {
            streams.push(begin_fetch(&place, who, &want, 0).await);
        }
    }
    // Until they have what they get: two turns and one, all but the one for pushes.
    tokio::time::sleep(Duration::from_millis(500)).await;
    clone.write("c.txt", "c\n");
    clone.commit("Small").await;
    clone.push().await.ok();
    drop(streams);
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_ask_before_it_sends() {
    let place = Place::open().await;
    let mut stream = TcpStream::connect(&place.address).await.unwrap();
    let body = "0014command=ls-refs\n0000";
    let request = format!(
        "POST /git/ann/lab.git/git-upload-pack HTTP/1.1\r\nhost: test.local\r\nauthorization: {}\r\n\
         content-type: application/x-git-upload-pack-request\r\ngit-protocol: version=2\r\nconnection: close\r\n\
         expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        basic("ann", PASSWORD),
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut told = [0; 25];
    stream.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("refs/heads/main"), "{answer}");
    place.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_drop_by_drop_is_given_up() {
    let place = Place::open_with(|config| config.git.idle_timeout = 1).await;
    let head = place.app.head("ann/lab");
    let (mut answers, mut drops) = begin_push(&place, &head).await.into_split();
    let dripping = tokio::spawn(async move {
        // Each comes in time.
        while drops.write_all(b"1\r\nx\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let mut answer = [0; 12];
    answers.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
    until(|| unfinished(&place) == 0, "what it brought goes").await;
    dripping.abort();
    place.finish().await;
}

/// Told as git tells it: the client waits for git's report.
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_goes_during_a_push_is_told() {
    let place = Place::open().await;
    let clone = place.clone("c").await;
    let head = place.app.head("ann/lab");
    clone.write("a.txt", "a\n");
    clone.commit("Push").await;
    let script = "alias.x=!printf '%s\\n' HEAD ^HEAD~ | git pack-objects --revs --stdout -q > ../pack";
    clone.git(&["-c", script, "x"]).await.ok();
    let pack = std::fs::read(place.folder("pack")).unwrap();
    let new = clone.head().await;
    let command = format!("{head} {new} refs/heads/main\0report-status side-band-64k\n");
    let mut body = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
    body.extend(pack);
    let (first, last) = body.split_at(body.len() - 10);
    let mut stream = TcpStream::connect(&place.address).await.unwrap();
    let request = format!(
        "POST /git/ann/lab.git/git-receive-pack HTTP/1.1\r\nhost: test.local\r\nauthorization: {}\r\n\
         connection: close\r\ncontent-type: application/x-git-receive-pack-request\r\ncontent-length: {}\r\n\r\n",
        basic("ann", PASSWORD),
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.write_all(first).await.unwrap();
    until(|| unfinished(&place) == 1, "the push begins").await;
    place.app.as_user("ann").delete("/api/v1/workspaces/ann/lab").await.expect(204);
    stream.write_all(last).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("ng refs/heads/main the workspace was deleted meanwhile"), "{answer}");
    place.finish().await;
}
