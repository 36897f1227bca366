//! The rooms side by side, in the order in which they see a connection.

use std::{convert::Infallible, sync::Arc};

use libp2p::{memory_connection_limits, swarm::NetworkBehaviour};

use super::{Roster, Settings, doorkeeper::Doorkeeper, line::Lines, supervisor::Supervisor};
pub(super) use super::{doorkeeper::DoorEvent, line::LineEvent, supervisor::Undialled};

/// The order matters: the doorkeeper decides first, and nobody after it refuses an established connection.
///
/// There is no identify: it would tell every stranger our internal addresses, and what it heard would flow into
/// what we dial. There is no ping either: it would run beside the line and prove less than the line's own word.
#[derive(NetworkBehaviour)]
#[behaviour(to_swarm = "RoomEvent")]
pub(super) struct Rooms {
    pub(super) door: Doorkeeper,
    memory: memory_connection_limits::Behaviour,
    pub(super) supervisor: Supervisor,
    pub(super) lines: Lines,
}

impl Rooms {
    pub(super) fn new(settings: &Arc<Settings>) -> Self {
        Self {
            door: Doorkeeper::new(settings),
            memory: memory_connection_limits::Behaviour::with_max_bytes(settings.memory_max),
            supervisor: Supervisor::new(settings),
            lines: Lines::new(settings),
        }
    }

    pub(super) fn set_roster(&mut self, roster: &Arc<Roster>) {
        self.door.set_roster(Arc::clone(roster));
        self.supervisor.set_roster(Arc::clone(roster));
        self.lines.set_roster(Arc::clone(roster));
    }
}

/// What the rooms tell the network task.
#[derive(Debug)]
pub(super) enum RoomEvent {
    Door(DoorEvent),
    Line(LineEvent),
    Undialled(Undialled),
}

impl From<DoorEvent> for RoomEvent {
    fn from(event: DoorEvent) -> Self {
        Self::Door(event)
    }
}

impl From<LineEvent> for RoomEvent {
    fn from(event: LineEvent) -> Self {
        Self::Line(event)
    }
}

impl From<Undialled> for RoomEvent {
    fn from(event: Undialled) -> Self {
        Self::Undialled(event)
    }
}

impl From<Infallible> for RoomEvent {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
