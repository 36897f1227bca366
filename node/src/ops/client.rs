//! The caller's side: one call to a running node, signed by a clerk where that is needed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hallmesh_protocol::ids::{ClerkId, HallId};
use hallmesh_protocol::seal::SecretKey;

use super::answers::{Answer, Status};
use super::{Ask, Call, Problem};
use crate::admin::{AdminClient, AdminError};

/// How long a node may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// A running node, as a caller sees it.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    /// The node behind a socket; nothing is opened before the first call.
    pub fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Asks; a refusal is an error.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, Problem> {
        self.call(&Call::plain(ask).ok().ok_or_else(|| Problem::new("call.malformed"))?).await
    }

    /// How the node is.
    pub async fn status(&self) -> Result<Status, Problem> {
        let Answer::Status(status) = self.ask(&Ask::Status).await? else {
            return Err(Problem::new("call.malformed"));
        };
        Ok(*status)
    }

    /// Asks as a clerk, whose key signs this very call.
    pub async fn ask_as(&self, ask: &Ask, clerk: u16, key: &SecretKey) -> Result<Answer, Problem> {
        let status = self.status().await?;
        let hall: HallId = status.hall.parse().ok().ok_or_else(|| Problem::new("call.malformed"))?;
        let nonce = crate::home::chance().bytes16();
        let call =
            Call::signed(ask, ClerkId { hall, number: clerk }, status.boot, (status.clock, nonce), key);
        self.call(&call.ok().ok_or_else(|| Problem::new("call.malformed"))?).await
    }

    /// Asks as two clerks, whose keys sign this very call.
    pub async fn ask_together(
        &self,
        ask: &Ask,
        [(one, key), (other, other_key)]: [(u16, &SecretKey); 2],
    ) -> Result<Answer, Problem> {
        let malformed = || Problem::new("call.malformed");
        let status = self.status().await?;
        let hall: HallId = status.hall.parse().ok().ok_or_else(malformed)?;
        let signed = |number, key| {
            let nonce = crate::home::chance().bytes16();
            Call::signed(ask, ClerkId { hall, number }, status.boot, (status.clock, nonce), key)
        };
        let (mut call, second) = (
            signed(one, key).ok().ok_or_else(malformed)?,
            signed(other, other_key).ok().ok_or_else(malformed)?,
        );
        call.second = second.act;
        self.call(&call).await
    }

    async fn call(&self, call: &Call) -> Result<Answer, Problem> {
        let bytes = serde_json::to_vec(call).ok().ok_or_else(|| Problem::new("call.malformed"))?;
        let answer = tokio::time::timeout(ANSWER_MAX, AdminClient::call(&self.socket, &bytes)).await;
        let answer = answer.ok().ok_or_else(|| self.problem("node.no_answer"))?;
        let answer = answer.map_err(|why| self.unreachable(&why))?;
        match serde_json::from_slice(&answer) {
            Ok(Answer::Refused(problem)) => Err(problem),
            Ok(answer) => Ok(answer),
            Err(_) => Err(self.problem("node.other_version")),
        }
    }

    fn unreachable(&self, why: &AdminError) -> Problem {
        match why {
            AdminError::NotRunning { .. } => self.problem("node.not_running"),
            AdminError::NotPermitted { .. } => self.problem("node.socket_not_permitted"),
            AdminError::Broken { .. } => self.problem("node.broken_off"),
            AdminError::TooLarge { .. } => self.problem("call.too_large"),
        }
    }

    fn problem(&self, code: &str) -> Problem {
        Problem::new(code).with("socket", self.socket.display())
    }
}
