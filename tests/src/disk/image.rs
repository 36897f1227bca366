//! What lies on a disk: bytes in shared pages, so that a hundred thousand images of one file cost little.

use std::sync::Arc;

pub(super) const PAGE: usize = 4096;

/// The bytes of a file. A copy shares every page that neither of the two has written since.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    pages: Vec<Arc<[u8; PAGE]>>,
    len: usize,
}

impl Image {
    /// Bytes of the file.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn set_len(&mut self, len: usize) {
        self.pages.truncate(len.div_ceil(PAGE));
        // What is cut off is gone: a file that grows again has zeros there.
        if let Some(last) = self.pages.last_mut().filter(|_| len < self.len && !len.is_multiple_of(PAGE)) {
            Arc::make_mut(last)[len % PAGE..].fill(0);
        }
        if self.pages.len() < len.div_ceil(PAGE) {
            self.pages.resize(len.div_ceil(PAGE), Arc::new([0; PAGE]));
        }
        self.len = len;
    }

    /// Writes what lies inside the file; a page beyond its end is nowhere.
    pub(super) fn write(&mut self, mut at: usize, data: &[u8]) {
        let mut rest = &data[..data.len().min(self.len.saturating_sub(at))];
        while !rest.is_empty() {
            let start = at % PAGE;
            let (now, later) = rest.split_at(rest.len().min(PAGE - start));
            Arc::make_mut(&mut self.pages[at / PAGE])[start..start + now.len()].copy_from_slice(now);
            (at, rest) = (at + now.len(), later);
        }
    }

    /// Fills `out`, if all of it lies inside the file.
    pub(super) fn read(&self, mut at: usize, mut out: &mut [u8]) -> bool {
        if at + out.len() > self.len {
            return false;
        }
        while !out.is_empty() {
            let start = at % PAGE;
            let (now, later) = out.split_at_mut(out.len().min(PAGE - start));
            now.copy_from_slice(&self.pages[at / PAGE][start..start + now.len()]);
            (at, out) = (at + now.len(), later);
        }
        true
    }

    /// Turns one bit over.
    pub(super) fn flip(&mut self, bit: usize) {
        let at = bit / 8;
        Arc::make_mut(&mut self.pages[at / PAGE])[at % PAGE] ^= 1 << (bit % 8);
    }

    pub(super) fn pages(&self) -> usize {
        self.pages.len()
    }

    /// Pages that hold nothing but zeros: a file system has not given them room yet.
    pub(super) fn holes(&self) -> impl Iterator<Item = usize> {
        let empty = |page: &[u8; PAGE]| page.iter().all(|byte| *byte == 0);
        self.pages.iter().enumerate().filter(move |(_, page)| empty(page)).map(|(at, _)| at)
    }
}
