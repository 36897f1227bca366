//! Showing this hall's charter to a neighbour that does not know it yet.
//!
//! A new hall's charter reaches the city through the hall that issued it. Until it has, other neighbours
//! see a stranger; a stranger may say one thing, and this is it.

use std::time::Duration;

use hallmesh_protocol::query;
use hallmesh_protocol::record::encode_records;
use libp2p::Multiaddr;
use libp2p::identity::Keypair;

use super::shared::Shared;
use crate::net::ask_as_guest;
use crate::ops::Problem;

/// How long a visit may take.
const VISIT_MAX: Duration = Duration::from_secs(10);

/// The one frame: this hall's chain of charters, from the root down.
pub(crate) fn frame(shared: &Shared) -> Result<Vec<u8>, Problem> {
    Ok(encode_records(&query::chain(&shared.snapshot()?, shared.at)))
}

/// Visits the first address that answers.
pub(crate) async fn visit(keypair: Keypair, addresses: Vec<Multiaddr>, frame: Vec<u8>) {
    for address in addresses {
        match ask_as_guest(keypair.clone(), address.clone(), frame.clone(), VISIT_MAX).await {
            Ok(_) => return tracing::debug!(%address, "showed this hall's charter"),
            Err(why) => tracing::debug!(%address, %why, "could not show this hall's charter"),
        }
    }
}
