//! TLS in front of a server on this machine, with a certificate of its own for `localhost`.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::thread::JoinHandle;

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Runs until it is dropped.
pub(crate) struct Tls {
    pub(crate) port: u16,
    folder: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tls {
    /// Passes what comes on to a port.
    pub(crate) fn before(target: u16) -> Self {
        let folder = tempfile::Builder::new().prefix("workleaf-tls-").tempdir().expect("a temporary directory");
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
            .current_dir(folder.path())
            .output()
            .expect("openssl runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let certificate = CertificateDer::from_pem_file(folder.path().join("certificate.pem")).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(folder.path().join("key.pem")).expect("a key");
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("they belong together")));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.set_nonblocking(true).expect("the listener takes it");
        let port = listener.local_addr().expect("it has an address").port();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let pass = async {
                    loop {
                        let (stream, _) = listener.accept().await.expect("it accepts");
                        let acceptor = acceptor.clone();
                        tokio::spawn(async move {
                            // A client that does not believe the certificate goes.
                            let Ok(mut near) = acceptor.accept(stream).await else { return };
                            let mut far = TcpStream::connect(("127.0.0.1", target)).await.expect("the server is there");
                            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                        });
                    }
                };
                tokio::select! {
                    () = pass => {}
                    _ = stopped => {}
                }
            });
        });
        Tls { port, folder, stop: Some(stop), thread: Some(thread) }
    }

    /// What a client has to believe.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
