//! The binary `hallmesh`: the node of a government service hall, and its command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    hallmesh::cli::run(std::env::args_os()).into()
}
