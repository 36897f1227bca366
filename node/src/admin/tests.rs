//! The admin socket, with a node that answers every call with its own bytes reversed.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;

const CALLS_MAX: usize = 4;

#[tokio::test]
async fn a_call_gets_its_answer() {
    let street = Street::start().await;
    assert_eq!(AdminClient::call(&street.path, b"abc").await.unwrap(), b"cba");
    assert_eq!(AdminClient::call(&street.path, b"").await.unwrap(), b"");
    let large = vec![7; ADMIN_FRAME_MAX];
    assert_eq!(AdminClient::call(&street.path, &large).await.unwrap(), large);
}

#[tokio::test]
async fn one_connection_may_call_again_and_many_may_call_at_once() {
    let street = Street::start().await;
    let mut stream = UnixStream::connect(&street.path).await.unwrap();
    for body in [b"one".as_slice(), b"two"] {
        write_frame(&mut stream, body).await.unwrap();
        assert_eq!(read_frame(&mut stream).await.unwrap(), reversed(body));
    }
    let calls = (0..40u8).map(|n| {
        let path = street.path.clone();
        tokio::spawn(async move { AdminClient::call(&path, &[n, 1]).await.unwrap() })
    });
    for (n, call) in (0..40u8).zip(calls.collect::<Vec<_>>()) {
        assert_eq!(call.await.unwrap(), [1, n]);
    }
}

#[tokio::test]
async fn the_socket_is_for_user_and_group() {
    let street = Street::start().await;
    let mode = std::fs::metadata(&street.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
}

#[tokio::test]
async fn a_node_that_does_not_run_is_told_from_one_that_broke() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("socket");
    assert!(matches!(AdminClient::call(&path, b"x").await, Err(AdminError::NotRunning { .. })));
    drop(UnixListener::bind(&path).unwrap());
    assert!(matches!(AdminClient::call(&path, b"x").await, Err(AdminError::NotRunning { .. })));
    let street = Street::start().await;
    assert!(matches!(AdminClient::call(&street.path, b"drop").await, Err(AdminError::Broken { .. })));
    assert_eq!(AdminClient::call(&street.path, b"on").await.unwrap(), b"no");
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("socket");
    drop(UnixListener::bind(&path).unwrap());
    let server = AdminServer::bind(&path).await.unwrap();
    assert!(matches!(AdminServer::bind(&path).await, Err(BindError::InUse { .. })));
    drop(server);
    drop(AdminServer::bind(&path).await.unwrap());
}

#[tokio::test]
async fn a_file_under_the_name_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("socket");
    std::fs::write(&path, b"mine").unwrap();
    assert!(matches!(AdminServer::bind(&path).await, Err(BindError::NotASocket { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    let nowhere = dir.path().join("none/socket");
    assert!(matches!(AdminServer::bind(&nowhere).await, Err(BindError::Io { .. })));
}

#[tokio::test]
async fn a_frame_over_the_limit_is_refused_by_both_ends() {
    let street = Street::start().await;
    let body = vec![0; ADMIN_FRAME_MAX + 1];
    let sent = AdminClient::call(&street.path, &body).await;
    assert!(matches!(sent, Err(AdminError::TooLarge { max: ADMIN_FRAME_MAX, .. })));
    let mut stream = UnixStream::connect(&street.path).await.unwrap();
    stream.write_u32(u32::MAX).await.unwrap();
    assert!(is_closed(&mut stream).await);
    assert!(matches!(AdminClient::call(&street.path, b"flood").await, Err(AdminError::Broken { .. })));
    let mut claims: &[u8] = &u32::MAX.to_be_bytes();
    assert!(matches!(read_frame(&mut claims).await, Err(AdminError::TooLarge { .. })));
}

#[tokio::test]
async fn a_silent_client_is_let_go() {
    let street = Street::start_with(Duration::from_millis(50)).await;
    let mut stream = UnixStream::connect(&street.path).await.unwrap();
    stream.write_u32(10).await.unwrap();
    assert!(is_closed(&mut stream).await);
}

#[tokio::test]
async fn silent_clients_cannot_keep_others_out_for_long() {
    let street = Street::start_with(Duration::from_millis(50)).await;
    let mut silent = Vec::new();
    for _ in 0..ADMIN_CONNECTIONS_MAX * 2 {
        silent.push(UnixStream::connect(&street.path).await.unwrap());
    }
    assert_eq!(AdminClient::call(&street.path, b"ok").await.unwrap(), b"ko");
}

#[tokio::test]
async fn a_client_that_leaves_gives_up_its_answer() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("socket");
    let (calls, mut asked) = mpsc::channel(CALLS_MAX);
    let (_stop, stopped) = watch::channel(false);
    let server = tokio::spawn(AdminServer::bind(&path).await.unwrap().run(calls, stopped));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    write_frame(&mut stream, b"wait").await.unwrap();
    let mut call = asked.recv().await.unwrap();
    drop(stream);
    call.reply.closed().await;
    drop(asked);
    server.await.unwrap();
}

#[tokio::test]
async fn a_call_says_whose_process_it_comes_from() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("socket");
    let (calls, mut asked) = mpsc::channel(CALLS_MAX);
    let (_stop, stopped) = watch::channel(false);
    let server = tokio::spawn(AdminServer::bind(&path).await.unwrap().run(calls, stopped));
    let caller = tokio::spawn(async move { AdminClient::call(&path, b"who").await });
    assert_eq!(asked.recv().await.unwrap().user, Some(rustix::process::geteuid().as_raw()));
    assert!(matches!(caller.await.unwrap(), Err(AdminError::Broken { .. })));
    server.abort();
}

#[tokio::test]
async fn a_call_under_way_is_answered_when_the_node_stops_and_no_other_is_taken() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("socket");
    let (calls, mut asked) = mpsc::channel(CALLS_MAX);
    let (stop, stopped) = watch::channel(false);
    let server = tokio::spawn(AdminServer::bind(&path).await.unwrap().run(calls, stopped));
    let mut idle = UnixStream::connect(&path).await.unwrap();
    let mut stream = UnixStream::connect(&path).await.unwrap();
    write_frame(&mut stream, b"deed").await.unwrap();
    let call = asked.recv().await.unwrap();
    stop.send_replace(true);
    assert!(is_closed(&mut idle).await);
    assert!(matches!(AdminClient::call(&path, b"late").await, Err(AdminError::NotRunning { .. })));
    call.reply.send(b"done".to_vec()).unwrap();
    assert_eq!(read_frame(&mut stream).await.unwrap(), b"done");
    assert!(is_closed(&mut stream).await);
    server.await.unwrap();
    assert!(asked.recv().await.is_none());
}

struct Street {
    path: PathBuf,
    server: JoinHandle<()>,
    _stop: watch::Sender<bool>,
    _dir: TempDir,
}

impl Street {
    async fn start() -> Street {
        Self::start_with(ADMIN_IDLE_MAX).await
    }

    async fn start_with(idle_max: Duration) -> Street {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("socket");
        let server = AdminServer { idle_max, ..AdminServer::bind(&path).await.unwrap() };
        let (calls, asked) = mpsc::channel(CALLS_MAX);
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(answer(asked));
        Street { path, server: tokio::spawn(server.run(calls, stopped)), _stop: stop, _dir: dir }
    }
}

impl Drop for Street {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(mut asked: mpsc::Receiver<AdminCall>) {
    while let Some(AdminCall { body, reply, .. }) = asked.recv().await {
        let answer = match body.as_slice() {
            b"drop" => continue,
            b"flood" => vec![0; ADMIN_FRAME_MAX + 1],
            other => reversed(other),
        };
        // A client that left is one of the cases under test.
        drop(reply.send(answer));
    }
}

fn reversed(body: &[u8]) -> Vec<u8> {
    body.iter().rev().copied().collect()
}

async fn is_closed(stream: &mut UnixStream) -> bool {
    stream.read_u8().await.is_err()
}
