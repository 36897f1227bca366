//! The repository as the rules see it: what git keeps, what is a test, what is a document.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Documents whose links must lead somewhere, besides everything under `deploy`.
const DOCUMENTS: [&str; 3] = ["README.md", "README.zh-CN.md", "protocol/README.md"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

/// Every file that git keeps, or would take up.
pub(crate) fn tracked() -> Vec<PathBuf> {
    let list = ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = Command::new("git").args(list).current_dir(root()).output().expect("git is installed");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).unwrap();
    let paths = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    paths.filter(|path| root().join(path).is_file()).collect()
}

/// The Rust files under a folder, with their text.
pub(crate) fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let rust = |path: &PathBuf| path.starts_with(folder) && path.extension().is_some_and(|it| it == "rs");
    let found: Vec<_> = tracked().into_iter().filter(rust).map(|path| (path.clone(), read(&path))).collect();
    assert!(!found.is_empty(), "no sources under {folder:?}");
    found
}

/// Whether a file is part of a test: of a unit test, or of one that stands for itself.
pub(crate) fn is_test(path: &Path) -> bool {
    is_unit_test(path) || path.components().any(|part| part.as_os_str() == "tests")
}

/// Whether a file belongs to a crate and is compiled for its tests only.
pub(crate) fn is_unit_test(path: &Path) -> bool {
    let inner = path.components().skip_while(|part| part.as_os_str() != "src");
    let named = inner.into_iter().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")));
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let parent = fs::read_to_string(root().join(path).with_file_name("mod.rs")).unwrap_or_default();
    let above = parent.split_once(&format!("\nmod {name};")).map_or("", |(above, _)| above);
    let mut attributes = above.lines().rev().take_while(|line| line.starts_with("#["));
    named || attributes.any(|line| line == "#[cfg(test)]")
}

pub(crate) fn documents() -> Vec<PathBuf> {
    let below = |path: &PathBuf| path.starts_with("deploy") && path.extension().is_some_and(|it| it == "md");
    DOCUMENTS.into_iter().map(PathBuf::from).chain(tracked().into_iter().filter(below)).collect()
}

/// The module of the crate that a file belongs to: its name, or that of its first folder below `src`.
pub(crate) fn module_of(path: &Path) -> String {
    let below = path.strip_prefix("protocol/src").unwrap().components().next().unwrap();
    below.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}
