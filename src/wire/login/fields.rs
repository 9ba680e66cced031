//! The values frames of the login conversation are made of: written, and read back within limits.

use crate::base::{Size, TerminalId};

use super::{LoginFrameError, VERSION};

/// Appends bytes after their length.
pub(super) fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    // A value that long is over every limit; the reader refuses what is left of it.
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.extend(length.to_be_bytes());
    out.extend(bytes);
}

/// Appends a list after its count, each item with `each`.
pub(super) fn list<T>(out: &mut Vec<u8>, items: &[T], each: impl Fn(&mut Vec<u8>, &T)) {
    out.push(u8::try_from(items.len()).unwrap_or(u8::MAX));
    for item in items {
        each(out, item);
    }
}

/// The place of a value among those there are; the reader knows no [`u8::MAX`].
pub(super) fn number<T: PartialEq>(all: &[T], one: &T) -> u8 {
    let found = all.iter().position(|known| known == one);
    found
        .and_then(|at| u8::try_from(at).ok())
        .unwrap_or(u8::MAX)
}

/// What is left of a frame. Each step takes a value off its front, or fails.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], LoginFrameError> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(LoginFrameError::Length)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], LoginFrameError> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| LoginFrameError::Length)
    }

    pub(super) fn byte(&mut self) -> Result<u8, LoginFrameError> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn version(&mut self) -> Result<(), LoginFrameError> {
        match self.byte()? {
            VERSION => Ok(()),
            other => Err(LoginFrameError::Version(other)),
        }
    }

    pub(super) fn bytes(&mut self, limit: usize) -> Result<&'a [u8], LoginFrameError> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        if length > limit {
            return Err(LoginFrameError::Limit);
        }
        self.take(length)
    }

    pub(super) fn text(&mut self, limit: usize) -> Result<&'a str, LoginFrameError> {
        let bytes = self.bytes(limit)?;
        if bytes.contains(&0) {
            return Err(LoginFrameError::Text);
        }
        std::str::from_utf8(bytes).map_err(|_| LoginFrameError::Text)
    }

    pub(super) fn list<T>(
        &mut self,
        limit: usize,
        each: impl Fn(&mut Self) -> Result<T, LoginFrameError>,
    ) -> Result<Vec<T>, LoginFrameError> {
        let count = usize::from(self.byte()?);
        if count > limit {
            return Err(LoginFrameError::Limit);
        }
        (0..count).map(|_| each(self)).collect()
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> Result<T, LoginFrameError> {
        let at = self.byte()?;
        let found = all.get(usize::from(at)).copied();
        found.ok_or(LoginFrameError::Unknown(at))
    }

    pub(super) fn terminal(&mut self) -> Result<TerminalId, LoginFrameError> {
        let text = std::str::from_utf8(self.take(TerminalId::LENGTH)?);
        let id = text.ok().and_then(|text| text.parse().ok());
        id.ok_or(LoginFrameError::Text)
    }

    pub(super) fn size(&mut self) -> Result<Size, LoginFrameError> {
        let cols = u16::from_be_bytes(self.array()?);
        let rows = u16::from_be_bytes(self.array()?);
        Ok(Size::clamped(cols, rows))
    }

    pub(super) fn end(&self) -> Result<(), LoginFrameError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(LoginFrameError::Length)
        }
    }
}
