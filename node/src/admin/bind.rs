//! Taking the socket's place in the file system.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;
use tokio::net::{UnixListener, UnixStream};

/// Reading and writing for the node's user and group, nothing for others.
const SOCKET_MODE: u32 = 0o660;

/// Why the node cannot listen.
#[derive(Debug, Error)]
pub enum BindError {
    /// Another process answers there.
    #[error("another process answers at {}", path.display())]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// Something that is no socket has the name; it is left alone.
    #[error("{} is there already and is no socket", path.display())]
    NotASocket {
        /// The file.
        path: PathBuf,
    },
    /// The node's user may not make the socket.
    #[error("no permission for {}", path.display())]
    NotPermitted {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system failed.
    #[error("cannot listen at {}", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

pub(super) async fn listen(path: &Path) -> Result<UnixListener, BindError> {
    remove_stale(path).await?;
    let listener = UnixListener::bind(path).map_err(|source| explain(path, source))?;
    fs::set_permissions(path, Permissions::from_mode(SOCKET_MODE)).map_err(|source| explain(path, source))?;
    Ok(listener)
}

/// Frees the name, if what has it is a socket nobody listens on.
async fn remove_stale(path: &Path) -> Result<(), BindError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {}
        Ok(_) => return Err(BindError::NotASocket { path: path.to_owned() }),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(explain(path, source)),
    }
    match UnixStream::connect(path).await {
        Ok(_) => Err(BindError::InUse { path: path.to_owned() }),
        Err(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|source| explain(path, source))
        }
        Err(source) => Err(explain(path, source)),
    }
}

fn explain(path: &Path, source: io::Error) -> BindError {
    let path = path.to_owned();
    let kind = source.kind();
    if kind == io::ErrorKind::AddrInUse {
        BindError::InUse { path }
    } else if matches!(kind, io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) {
        BindError::NotPermitted { path, source }
    } else {
        BindError::Io { path, source }
    }
}
