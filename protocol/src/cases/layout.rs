//! Fixed offsets: writing and reading fields of a header without an encoder in between.

use crate::ids::{DivisionCode, HallAt, HallId};

/// A zeroed block that fields are written into.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new(length: usize) -> Self {
        Self(vec![0; length])
    }

    /// Writes at a fixed offset. Every offset and length in use is a constant inside the block.
    #[expect(clippy::expect_used, clippy::arithmetic_side_effects, reason = "constants inside the block")]
    pub(crate) fn put(&mut self, offset: usize, bytes: &[u8]) -> &mut Self {
        let field = self.0.get_mut(offset..offset + bytes.len()).expect("a field lies inside its block");
        field.copy_from_slice(bytes);
        self
    }

    pub(crate) fn byte(&mut self, offset: usize, byte: u8) -> &mut Self {
        self.put(offset, &[byte])
    }

    pub(crate) fn short(&mut self, offset: usize, number: u32) -> &mut Self {
        self.put(offset, &number.to_le_bytes())
    }

    pub(crate) fn long(&mut self, offset: usize, number: u64) -> &mut Self {
        self.put(offset, &number.to_le_bytes())
    }

    /// A hall and its life: 12 bytes.
    #[expect(clippy::arithmetic_side_effects, reason = "constants inside the block")]
    pub(crate) fn at(&mut self, offset: usize, at: HallAt) -> &mut Self {
        self.long(offset, at.hall.to_u64()).short(offset + 8, at.incarnation)
    }

    /// A text of at most 50 bytes with its length in front: 51 bytes.
    #[expect(clippy::arithmetic_side_effects, reason = "constants inside the block")]
    pub(crate) fn text(&mut self, offset: usize, text: &str) -> &mut Self {
        let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
        self.byte(offset, length).put(offset + 1, text.as_bytes())
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }
}

/// A block that fields are read from; its length was checked by whoever made the reader.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    #[expect(clippy::expect_used, clippy::arithmetic_side_effects, reason = "constants inside the block")]
    pub(crate) fn array<const N: usize>(&self, offset: usize) -> [u8; N] {
        let field = self.0.get(offset..offset + N).expect("a field lies inside its block");
        field.try_into().expect("the length asked for")
    }

    pub(crate) fn byte(&self, offset: usize) -> u8 {
        let [byte] = self.array(offset);
        byte
    }

    pub(crate) fn short(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.array(offset))
    }

    pub(crate) fn long(&self, offset: usize) -> u64 {
        u64::from_le_bytes(self.array(offset))
    }

    pub(crate) fn hall(&self, offset: usize) -> Option<HallId> {
        HallId::from_u64(self.long(offset)).ok()
    }

    pub(crate) fn division(&self, offset: usize) -> Option<DivisionCode> {
        DivisionCode::from_u64(self.long(offset)).ok()
    }

    #[expect(clippy::arithmetic_side_effects, reason = "constants inside the block")]
    pub(crate) fn at(&self, offset: usize) -> Option<HallAt> {
        Some(HallAt { hall: self.hall(offset)?, incarnation: self.short(offset + 8) })
    }

    #[expect(clippy::arithmetic_side_effects, reason = "constants inside the block")]
    pub(crate) fn text(&self, offset: usize) -> Option<&'a str> {
        let length = usize::from(self.byte(offset));
        let bytes = self.0.get(offset + 1..offset + 1 + length.min(50))?;
        if length <= 50 { std::str::from_utf8(bytes).ok() } else { None }
    }
}
