//! Lines between halls that can be slow, lossy and cut: a proxy in front of each hall, in user space.
//!
//! Every hall of a street makes known the address of its gate, not its own. A gate asks the system whose process
//! dialled it, so that each pair of halls has a line of its own and each line two ways, which differ if they should.
//!
//! What a way models. TCP repeats what is lost, so a proxy of connections cannot drop a segment: *loss* is the pause
//! until it was repeated, 200 ms and twice as long each time. A *held* way is a cut: bytes wait, as they do in a sender that hears nothing,
//! and go on if the connection is still there when the way opens; who dials over a line with a held way hears
//! nothing. A *reset* way is a machine that answers with a refusal: connections end at once and none begin.
//! Bandwidth is of the way, shared by its connections.

mod dialler;
mod gate;
mod pump;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hallmesh_protocol::chance::Chance;
use hallmesh_protocol::ids::HallId;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use dialler::process_behind;

/// Whether bytes pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// They do.
    #[default]
    Open,
    /// They wait.
    Held,
    /// Connections end.
    Reset,
}

/// One direction of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// How long every byte is under way.
    pub latency: Duration,
    /// Up to this much longer; the order stays.
    pub jitter: Duration,
    /// Bits a second; none for as many as the machine can.
    pub bits_per_second: Option<u64>,
    /// Of a thousand segments, so many are lost and repeated.
    pub loss_per_mille: u16,
    /// Whether they pass at all.
    pub flow: Flow,
}

impl Way {
    /// A way that is only long.
    pub fn long(latency: Duration) -> Self {
        Self { latency, ..Self::default() }
    }

    /// The same way, open or not.
    #[must_use]
    pub fn with(self, flow: Flow) -> Self {
        Self { flow, ..self }
    }
}

/// From one hall to another.
pub type Pair = (HallId, HallId);
/// Tells which hall dialled from an address; none if the process is gone.
pub type WhoDialled = Arc<dyn Fn(SocketAddr, SocketAddr) -> Option<HallId> + Send + Sync>;

/// The lines of a street. Clones share them; they end with the last one.
#[derive(Clone)]
pub struct Links {
    shared: Arc<Shared>,
    gates: Arc<Mutex<JoinSet<()>>>,
}

/// What gates and pumps share.
struct Shared {
    ways: watch::Sender<BTreeMap<Pair, Way>>,
    /// When the last byte that a way has taken will have left its sender.
    busy: Mutex<BTreeMap<Pair, Instant>>,
    /// Bytes that were taken in for each way.
    carried: Mutex<BTreeMap<Pair, u64>>,
    chance: Mutex<Chance>,
    who: WhoDialled,
}

impl Links {
    /// Lines that are all open; what is left to chance follows from the seed.
    pub fn new(seed: u64, who: WhoDialled) -> Self {
        let shared = Shared {
            ways: watch::Sender::default(),
            busy: Mutex::default(),
            carried: Mutex::default(),
            chance: Mutex::new(crate::seed::chance(seed)),
            who,
        };
        Self { shared: Arc::new(shared), gates: Arc::default() }
    }

    /// Opens the gate of a hall that listens at `behind`, and gives the address to make known. Needs a runtime.
    pub fn gate(&self, hall: HallId, behind: SocketAddr) -> std::io::Result<SocketAddr> {
        let (address, gate) = gate::open(Arc::clone(&self.shared), hall, behind)?;
        self.gates.lock().unwrap_or_else(PoisonError::into_inner).spawn(gate);
        Ok(address)
    }

    /// How a way is now.
    pub fn way(&self, pair: Pair) -> Way {
        self.shared.way(pair)
    }

    /// Bytes that one hall has sent to another so far, as TCP carries them: encrypted, with the heads of the layers above.
    pub fn carried(&self, pair: Pair) -> u64 {
        let carried = self.shared.carried.lock().unwrap_or_else(PoisonError::into_inner);
        carried.get(&pair).copied().unwrap_or(0)
    }

    /// Changes one way; connections that stand feel it, too.
    pub fn set(&self, pair: Pair, way: Way) {
        self.shared.ways.send_modify(|ways| {
            ways.insert(pair, way);
        });
    }

    /// Opens or closes one way and leaves the rest of it as it is.
    pub fn flow(&self, pair: Pair, flow: Flow) {
        self.set(pair, self.way(pair).with(flow));
    }

    /// Changes both ways between two halls.
    pub fn both(&self, (one, other): Pair, way: Way) {
        self.set((one, other), way);
        self.set((other, one), way);
    }

    /// Makes every line open, short and wide.
    pub fn heal(&self) {
        self.shared.ways.send_replace(BTreeMap::new());
    }
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Links").field("ways", &*self.shared.ways.borrow()).finish_non_exhaustive()
    }
}

impl Shared {
    fn way(&self, pair: Pair) -> Way {
        self.ways.borrow().get(&pair).copied().unwrap_or_default()
    }

    /// When `bytes` that are sent now arrive.
    fn arrival(&self, pair: Pair, bytes: usize, chance: &mut Chance) -> Instant {
        let carried = u64::try_from(bytes).unwrap_or(u64::MAX);
        *self.carried.lock().unwrap_or_else(PoisonError::into_inner).entry(pair).or_insert(0) += carried;
        let (way, now) = (self.way(pair), Instant::now());
        let sent = match way.bits_per_second {
            None => now,
            Some(rate) => {
                let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
                let nanos = 8_000_000_000 * u64::try_from(bytes).unwrap_or(u64::MAX) / rate.max(1);
                let free = busy.entry(pair).or_insert(now);
                *free = (*free).max(now) + Duration::from_nanos(nanos);
                *free
            }
        };
        let jitter = u64::try_from(way.jitter.as_micros()).unwrap_or(u64::MAX);
        let jitter = Duration::from_micros(chance.below(jitter.saturating_add(1)));
        sent + way.latency + jitter + repeated(way.loss_per_mille, chance)
    }

    fn fork(&self, label: &str) -> Chance {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).fork(label)
    }
}

/// The shortest time after which TCP repeats what nobody has confirmed.
const REPEAT: Duration = Duration::from_millis(200);
/// Losses of one segment in a row at the most.
const REPEATS_MAX: u32 = 6;

/// What loss costs a segment.
fn repeated(loss_per_mille: u16, chance: &mut Chance) -> Duration {
    let lost = (0..REPEATS_MAX).take_while(|_| chance.below(1_000) < u64::from(loss_per_mille)).count();
    (0..lost).map(|time| REPEAT * (1 << time)).sum()
}
