//! The binary under test, and calls of it.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use hallmesh::texts::Lang;
use serde_json::Value;

/// Names a binary to test in place of the one that would be built.
const OTHER: &str = "HALLMESH_BINARY";
/// How long one call of the command line may take.
const CALL_MAX: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// The product's own binary, built once: without the simulator's toy signatures, which a build of the whole
/// workspace may link into this test's copy of the library.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os(OTHER).map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace around the tests");
    let mut build = Command::new(cargo);
    build
        .args(["build", "-p", "hallmesh", "--message-format=json-render-diagnostics"])
        .current_dir(workspace);
    // What cargo tells this test about itself would have build scripts run again, here and in the next build.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|own| name.to_string_lossy().starts_with(own)) {
            build.env_remove(name);
        }
    }
    let built = build.stderr(Stdio::inherit()).output().expect("cargo runs");
    assert!(built.status.success(), "the binary under test does not build");
    let messages = String::from_utf8(built.stdout).expect("cargo speaks UTF-8");
    let found = messages.lines().filter_map(executable).next_back();
    found.expect("cargo says where the binary is")
}

fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let of_the_product = message["target"]["name"] == "hallmesh" && message["target"]["kind"][0] == "bin";
    of_the_product.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
}

/// What one call of the command line said.
#[derive(Debug)]
pub struct Said {
    /// Its exit code; none if it was ended by a signal.
    pub exit: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Calls the command line in a language. A call that takes too long is killed and fails the test.
pub fn cli(lang: Lang, arguments: &[&str]) -> Said {
    let lang = match lang {
        Lang::Zh => "zh",
        Lang::En => "en",
    };
    let (mut out, mut err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    let mut call = Command::new(binary())
        .args(["--lang", lang])
        .args(arguments)
        .stdin(Stdio::null())
        // Files, not pipes: a full pipe would hold up the call.
        .stdout(out.try_clone().unwrap())
        .stderr(err.try_clone().unwrap())
        .spawn()
        .expect("the binary runs");
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = call.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > CALL_MAX {
            call.kill().unwrap();
            call.wait().unwrap();
            panic!("{arguments:?} did not end: {}", text(&mut err));
        }
        std::thread::sleep(POLL);
    };
    Said { exit: status.code(), out: text(&mut out), err: text(&mut err) }
}

fn text(file: &mut File) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}
