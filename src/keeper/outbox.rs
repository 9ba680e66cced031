//! What waits to be written to one viewer: control frames first, never behind output.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Write};

use crate::base::Size;
use crate::wire::frame::{Framing, OUTPUT_HEADER, ToViewer, output_head};

/// Most payload bytes in one frame. A repaint that is longer goes on in `Output` frames, so that a
/// control frame waits for at most this many bytes.
const MAX_PAYLOAD: usize = 64 << 10;

/// Frames for one viewer that its socket hasn't taken yet. Bounded by its users: data by the viewer's
/// credit, control by [`Outbox::control_waiting`].
#[derive(Debug, Default)]
pub(super) struct Outbox {
    framing: Framing,
    /// The frame being written, and how much of it is out.
    current: Vec<u8>,
    written: usize,
    control: VecDeque<Vec<u8>>,
    control_bytes: usize,
    /// Frames of a repaint.
    data: VecDeque<Vec<u8>>,
    /// Output after it, not yet framed: one small write after another costs no more than its bytes.
    output: Vec<u8>,
    /// The count after the last byte of `output`.
    output_seq: u64,
}

impl Outbox {
    /// An empty one for a connection of this kind.
    pub(super) fn new(framing: Framing) -> Self {
        Self {
            framing,
            ..Self::default()
        }
    }

    /// Whether what is out ends with a whole frame.
    pub(super) fn is_between_frames(&self) -> bool {
        self.current.is_empty() || self.written == 0
    }

    /// Queues bytes that are framed already, as a control frame.
    pub(super) fn control_bytes(&mut self, frame: Vec<u8>) {
        self.control_bytes += frame.len();
        self.control.push_back(frame);
    }

    /// Queues a control frame: it goes out before any output that waits.
    pub(super) fn control(&mut self, frame: &ToViewer<'_>) {
        self.control_bytes(self.framing.framed(frame));
    }

    /// Bytes of control frames waiting.
    pub(super) fn control_waiting(&self) -> usize {
        self.control_bytes
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.control.is_empty() && self.is_clear()
    }

    /// Whether no output or repaint waits.
    pub(super) fn is_clear(&self) -> bool {
        self.current.is_empty() && self.data.is_empty() && self.output.is_empty()
    }

    /// Writes output at once if nothing waits, and queues what the socket doesn't take.
    pub(super) fn output(
        &mut self,
        socket: &mut impl Write,
        seq: u64,
        bytes: &[u8],
    ) -> io::Result<()> {
        if !self.is_empty() {
            self.hold(seq, bytes);
            return self.flush(socket);
        }
        // A flood is over: its buffer isn't kept.
        self.output = Vec::new();
        let written = self.write_output(socket, seq, bytes)?;
        if written == 0 {
            self.hold(seq, bytes);
        }
        Ok(())
    }

    /// Queues output.
    pub(super) fn hold(&mut self, seq: u64, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
        self.output_seq = seq;
    }

    /// Writes what the socket takes of one `Output` frame, keeps the rest if it took any, and returns
    /// how much it took.
    fn write_output(
        &mut self,
        socket: &mut impl Write,
        seq: u64,
        bytes: &[u8],
    ) -> io::Result<usize> {
        let framing = self.framing.head(OUTPUT_HEADER + bytes.len());
        let (framing, head) = (framing.as_slice(), output_head(seq));
        let parts = [
            IoSlice::new(framing),
            IoSlice::new(&head),
            IoSlice::new(bytes),
        ];
        let written = loop {
            match socket.write_vectored(&parts) {
                Ok(written) => break written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break 0,
                Err(error) => return Err(error),
            }
        };
        if written > 0 && written < framing.len() + head.len() + bytes.len() {
            self.current = [framing, &head, bytes].concat();
            self.written = written;
        }
        Ok(written)
    }

    /// Queues a repaint. `seq` is the count after its last byte.
    pub(super) fn repaint(&mut self, seq: u64, size: Size, keep: bool, bytes: &[u8]) {
        let total = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut at = seq.saturating_sub(total);
        // An empty repaint still tells the size.
        let first = bytes.get(..MAX_PAYLOAD).unwrap_or(bytes);
        let rest = bytes.get(first.len()..).unwrap_or_default();
        at += u64::try_from(first.len()).unwrap_or(u64::MAX);
        self.data.push_back(self.framing.framed(&ToViewer::Repaint {
            seq: at,
            size,
            keep,
            bytes: first,
        }));
        for bytes in rest.chunks(MAX_PAYLOAD) {
            at += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let frame = ToViewer::Output { seq: at, bytes };
            self.data.push_back(self.framing.framed(&frame));
        }
    }

    /// Writes a frame of the output that waits; `false` if the socket takes nothing.
    fn flush_output(&mut self, socket: &mut impl Write) -> io::Result<bool> {
        let mut output = std::mem::take(&mut self.output);
        let bytes = output.get(..MAX_PAYLOAD).unwrap_or(&output);
        let later = u64::try_from(output.len() - bytes.len()).unwrap_or(u64::MAX);
        let seq = self.output_seq.saturating_sub(later);
        let written = self.write_output(socket, seq, bytes)?;
        if written > 0 {
            output.drain(..bytes.len());
            output.shrink_to(MAX_PAYLOAD);
        }
        self.output = output;
        Ok(written > 0)
    }

    /// Writes as much as the socket takes. An error means the viewer is gone.
    pub(super) fn flush(&mut self, socket: &mut impl Write) -> io::Result<()> {
        loop {
            if self.current.is_empty() {
                if let Some(frame) = self.control.pop_front() {
                    self.control_bytes -= frame.len();
                    self.current = frame;
                } else if let Some(frame) = self.data.pop_front() {
                    self.current = frame;
                } else if !self.output.is_empty() {
                    if self.flush_output(socket)? {
                        continue;
                    }
                    return Ok(());
                } else {
                    return Ok(());
                }
                self.written = 0;
            }
            let rest = self.current.get(self.written..).unwrap_or_default();
            match socket.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
            if self.written >= self.current.len() {
                self.current = Vec::new();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::{Deframer, MAX_TO_VIEWER};

    /// A socket that takes a few bytes at a time and then none until told.
    #[derive(Default)]
    struct Slow {
        got: Vec<u8>,
        room: usize,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.room -= taken;
            self.got.extend(&bytes[..taken]);
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn frames(bytes: &[u8]) -> Vec<String> {
        let mut deframer = Deframer::new(MAX_TO_VIEWER);
        deframer.push(bytes);
        let mut found = Vec::new();
        while let Some(frame) = deframer.next_frame().unwrap() {
            found.push(match ToViewer::decode(frame).unwrap() {
                ToViewer::Output { seq, bytes } => format!("output {seq} {}", bytes.len()),
                ToViewer::Repaint { seq, bytes, .. } => format!("repaint {seq} {}", bytes.len()),
                ToViewer::Pong(value) => format!("pong {value}"),
                other => format!("{other:?}"),
            });
        }
        found
    }

    #[test]
    fn control_frames_overtake_output_that_waits_but_never_split_a_frame() {
        let mut outbox = Outbox::default();
        let mut slow = Slow {
            room: 20,
            ..Slow::default()
        };
        outbox.output(&mut slow, 100, &[b'a'; 100]).unwrap();
        for seq in 101..=200 {
            outbox.output(&mut slow, seq, b"b").unwrap();
        }
        outbox.control(&ToViewer::Pong(7));
        while !outbox.is_empty() {
            slow.room = 3;
            outbox.flush(&mut slow).unwrap();
        }
        assert_eq!(
            frames(&slow.got),
            ["output 100 100", "pong 7", "output 200 100"]
        );
        assert_eq!(outbox.control_waiting(), 0);
    }

    #[test]
    fn a_long_repaint_goes_on_in_output_frames_with_the_right_counts() {
        let mut outbox = Outbox::default();
        let bytes = vec![b'x'; 2 * MAX_PAYLOAD + 1];
        outbox.repaint(1_000_000, Size::DEFAULT, false, &bytes);
        let mut slow = Slow {
            room: usize::MAX,
            ..Slow::default()
        };
        outbox.flush(&mut slow).unwrap();
        assert_eq!(
            frames(&slow.got),
            [
                "repaint 934463 65536",
                "output 999999 65536",
                "output 1000000 1"
            ]
        );
    }
}
