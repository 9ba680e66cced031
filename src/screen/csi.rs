//! One control sequence, taken apart.

/// Most parameters; further ones are ignored, as xterm.js does.
const MAX_PARAMS: usize = 32;

/// A control sequence: `CSI prefix params intermediates last`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Csi {
    values: [u16; MAX_PARAMS],
    /// Bit n: value n came after a colon, so it belongs to the one before.
    subs: u32,
    len: usize,
    prefix: u8,
    intermediate: u8,
    last: u8,
}

impl Csi {
    /// Takes apart what stands between `CSI` and the last byte.
    pub(super) fn parse(body: &[u8], last: u8) -> Self {
        let mut csi = Self {
            values: [0; MAX_PARAMS],
            subs: 0,
            len: 0,
            prefix: 0,
            intermediate: 0,
            last,
        };
        let mut full = false;
        for &byte in body {
            match byte {
                b'<'..=b'?' => csi.prefix = byte,
                // two intermediates mean nothing to anybody here
                0x20..=0x2f if csi.intermediate != 0 => csi.intermediate = 0xff,
                0x20..=0x2f => csi.intermediate = byte,
                _ if full => {}
                b'0'..=b'9' => csi.digit(byte - b'0'),
                b';' | b':' => full = !csi.next(byte == b':'),
                _ => {}
            }
        }
        csi
    }

    fn digit(&mut self, digit: u8) {
        self.len = self.len.max(1);
        if let Some(value) = self.values.get_mut(self.len - 1) {
            *value = value.saturating_mul(10).saturating_add(u16::from(digit));
        }
    }

    fn next(&mut self, sub: bool) -> bool {
        let at = self.len.max(1);
        if at >= MAX_PARAMS {
            return false;
        }
        self.len = at + 1;
        if sub {
            self.subs |= 1 << at;
        }
        true
    }

    /// Prefix (`<`, `=`, `>`, `?` or 0), intermediate (or 0) and last byte.
    pub(super) fn name(&self) -> (u8, u8, u8) {
        (self.prefix, self.intermediate, self.last)
    }

    /// A parameter as it is; 0 if absent.
    pub(super) fn raw(&self, index: usize) -> u16 {
        if index < self.len {
            self.values.get(index).copied().unwrap_or(0)
        } else {
            0
        }
    }

    /// A count: absent and 0 mean 1.
    pub(super) fn count(&self, index: usize) -> usize {
        usize::from(self.raw(index).max(1))
    }

    /// Each parameter with its subparameters. There is always one.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[u16]> {
        let values = self.values.get(..self.len.max(1)).unwrap_or_default();
        let mut at = 0;
        std::iter::from_fn(move || {
            if at >= values.len() {
                return None;
            }
            let start = at;
            at += 1;
            while at < values.len() && self.subs & (1 << at) != 0 {
                at += 1;
            }
            values.get(start..at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_subparameters_prefix_and_intermediate_are_told_apart() {
        let csi = Csi::parse(b"?1;38:2::7;;99999 ", b'x');
        assert_eq!(csi.name(), (b'?', b' ', b'x'));
        let groups: Vec<&[u16]> = csi.groups().collect();
        assert_eq!(groups, [&[1][..], &[38, 2, 0, 7], &[0], &[65535]]);
    }

    #[test]
    fn thirty_two_parameters_count_and_one_more_does_not() {
        let body: Vec<u8> = (1..=33)
            .flat_map(|i| format!("{i};").into_bytes())
            .collect();
        let csi = Csi::parse(&body, b'm');
        assert_eq!(csi.raw(31), 32);
        assert_eq!(csi.raw(32), 0);
        assert_eq!(csi.groups().count(), 32);
    }
}
