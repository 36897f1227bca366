//! One change of the lists, when somebody wants to see how it spreads.

use hallmesh_protocol::step::{Command, Ticket};

use super::{EDITOR, People};
use crate::city::City;
use crate::station::{Seat, Station};

impl People {
    /// The editor of a hall changes the first entry that is its own.
    pub(crate) fn edit(&mut self, city: &City, seat: Seat, station: &Station) -> Option<(Ticket, Command)> {
        let scope = station.at.hall.division();
        let matter = city.matters.iter().find(|matter| matter.area == scope)?;
        let body = self.revised(station, matter);
        let (_, ticket, command) = self.publishing(city, seat, station, EDITOR, body)?;
        Some((ticket, command))
    }
}
