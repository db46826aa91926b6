//! A real browser without a window, driven by the DevTools protocol over a pipe.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Chromium with a profile of its own. Closed when it is dropped.
pub(crate) struct Chromium {
    child: Child,
    input: ChildStdin,
    answers: Receiver<Value>,
    asked: u64,
    _profile: TempDir,
}

/// One page in it.
pub(crate) struct Page {
    target: String,
    session: String,
}

impl Chromium {
    pub(crate) fn open() -> Self {
        let profile = tempfile::Builder::new().prefix("workleaf-chromium-").tempdir().expect("a temporary directory");
        // It reads commands from file descriptor 3 and answers on 4. Only pages of these tests are
        // shown, so that it may do without its sandbox, which does not work everywhere.
        let mut child = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "chromium"])
            .args(["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu"])
            .args(["--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"])
            .args(["--disable-component-update", "--disable-sync", "--no-proxy-server"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .env("HOME", profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell runs");
        let input = child.stdin.take().expect("piped");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, answers) = mpsc::channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while output.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                let read = serde_json::from_slice(message.strip_suffix(&[0]).unwrap_or(&message));
                if read.is_ok_and(|read| sender.send(read).is_err()) {
                    return;
                }
                message.clear();
            }
        });
        let mut browser = Chromium { child, input, answers, asked: 0, _profile: profile };
        let version = browser.call(None, "Browser.getVersion", json!({}));
        assert!(version.is_ok(), "Chromium does not start: is it installed (Debian: chromium)? {version:?}");
        browser
    }

    /// Runs a command, in a page or in the browser; its result or its error.
    fn call(&mut self, page: Option<&Page>, method: &str, parameters: Value) -> Result<Value, Value> {
        self.asked += 1;
        let mut message = json!({ "id": self.asked, "method": method, "params": parameters });
        if let Some(page) = page {
            message["sessionId"] = json!(page.session);
        }
        let written = self.input.write_all(format!("{message}\0").as_bytes()).and_then(|()| self.input.flush());
        written.map_err(|error| json!(error.to_string()))?;
        loop {
            let answer = self.answers.recv_timeout(PATIENCE).map_err(|error| json!(error.to_string()))?;
            if answer["id"] == self.asked {
                return if answer["error"].is_null() {
                    Ok(answer["result"].clone())
                } else {
                    Err(answer["error"].clone())
                };
            }
        }
    }

    fn attach(&mut self, target: &str) -> Page {
        let attached = self.call(None, "Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        let session = attached.expect("the page is there")["sessionId"].as_str().expect("a session").to_owned();
        Page { target: target.to_owned(), session }
    }

    /// Opens a page.
    pub(crate) fn page(&mut self, url: &str) -> Page {
        let made = self.call(None, "Target.createTarget", json!({ "url": url })).expect("a page can be opened");
        let target = made["targetId"].as_str().expect("a target").to_owned();
        self.attach(&target)
    }

    /// Waits for the page that another opens.
    pub(crate) fn opened_by(&mut self, opener: &Page) -> Page {
        let found = self.until("no page was opened", |browser| {
            let targets = browser.call(None, "Target.getTargets", json!({})).ok()?;
            let pages = targets["targetInfos"].as_array()?;
            let page = pages.iter().find(|page| page["openerId"] == opener.target.as_str())?;
            page["targetId"].as_str().map(str::to_owned)
        });
        self.attach(&found)
    }

    /// Waits until a page is gone.
    pub(crate) fn closed(&mut self, page: &Page) {
        self.until("the page stays open", |browser| {
            let targets = browser.call(None, "Target.getTargets", json!({})).ok()?;
            let is_there =
                targets["targetInfos"].as_array()?.iter().any(|open| open["targetId"] == page.target.as_str());
            (!is_there).then_some(())
        });
    }

    /// The value of an expression in a page, awaited where it is a promise, as if a person had
    /// done it.
    pub(crate) fn eval(&mut self, page: &Page, expression: &str) -> Value {
        self.try_eval(page, expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    fn try_eval(&mut self, page: &Page, expression: &str) -> Result<Value, Value> {
        let parameters =
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true });
        let done = self.call(Some(page), "Runtime.evaluate", parameters)?;
        if done["exceptionDetails"].is_null() {
            Ok(done["result"]["value"].clone())
        } else {
            Err(done["exceptionDetails"].clone())
        }
    }

    /// Waits until an expression is true in a page, whatever the page is then.
    pub(crate) fn wait(&mut self, page: &Page, expression: &str) {
        self.until(expression, |browser| (browser.try_eval(page, expression) == Ok(json!(true))).then_some(()));
    }

    fn until<T>(&mut self, what: &str, mut look: impl FnMut(&mut Self) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(Instant::now() < until, "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Its other processes end with it.
        let _ = self.call(None, "Browser.close", json!({}));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
