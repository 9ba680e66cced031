//! `gatepost terminal attach`: a terminal inside this terminal.
//!
//! One loop, three sources: keys, frames, signals. What the program writes goes to this terminal with
//! its queries taken out (this terminal would answer them into the shell a second time), and is
//! acknowledged once written, so that a slow terminal is repainted and never queued for.

mod messages;
mod own_terminal;
mod painter;
mod reconnect;

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use clap::Args;
use rustix::event::{PollFd, PollFlags, poll};

use crate::base::Access;
use crate::role::attach::messages::{Messages, Pressed};
use crate::role::attach::own_terminal::OwnTerminal;
use crate::role::attach::painter::Painter;
use crate::role::attach::reconnect::{Waited, reconnect};
use crate::role::client::call;
use crate::role::exit::Failure;
use crate::role::output;
use crate::role::output::doing;
use crate::wire::control::Call;
use crate::wire::frame::{Deframer, FromViewer, MAX_INPUT, MAX_TO_VIEWER, ToViewer, prefixed};
use crate::wire::message::{Attach, DEFAULT_WINDOW, Exit, Hello, Meta, Mode, Request};

/// What `attach` takes.
#[derive(Debug, Args)]
pub(super) struct AttachArguments {
    /// Which terminal
    id: String,
    /// Only watch; keys do nothing but detach
    #[arg(long)]
    view: bool,
    /// Leave the size to whoever decides it now
    #[arg(long)]
    keep_size: bool,
    /// The key that detaches: ^A to ^Z, ^\, ^], ^^ or ^_
    #[arg(long, value_name = "KEY", default_value = "^\\", value_parser = control_key)]
    detach_key: u8,
}

impl AttachArguments {
    /// For a screen that nobody may leave: no key detaches.
    pub(super) fn without_end(terminal: &str) -> Self {
        Self {
            id: terminal.to_owned(),
            view: false,
            keep_size: false,
            // A byte that no keyboard sends.
            detach_key: 0xff,
        }
    }
}

/// A key as `^X`, as the byte it sends.
fn control_key(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [b'^', letter] if matches!(letter.to_ascii_uppercase(), b'A'..=b'Z' | b'\\'..=b'_') => {
            Ok(letter.to_ascii_uppercase() & 0x1f)
        }
        _ => Err(format!("{text:?} is not a control key such as ^A or ^\\")),
    }
}

/// Why the loop ended.
enum End {
    Detached,
    Hangup,
    Exited(Exit),
    Closed,
}

/// Attaches until the detach key, the program's end, or the terminal's.
pub(super) fn run(arguments: &AttachArguments) -> Result<(), Failure> {
    let own = OwnTerminal::find()?;
    let mode = Mode::from(if arguments.view {
        Access::View
    } else {
        Access::Type
    });
    let attach = Attach {
        mode,
        size: own.size(),
        history: 0,
        window: DEFAULT_WINDOW,
        label: format!("command line ({})", own.name()),
        kiosk: false,
        counts_down: false,
        hides_command: false,
    };
    let wanted = Call::Attach {
        terminal: arguments.id.clone(),
        attach,
    };
    let (_attached, stream) = call(&wanted)?;
    stream
        .set_nonblocking(true)
        .map_err(doing("setting up the control socket"))?;
    let mut client = Client {
        stream,
        outgoing: Vec::new(),
        incoming: Deframer::new(MAX_TO_VIEWER),
        painter: Painter::new(),
        typing: !arguments.view,
        detach: arguments.detach_key,
        take_size: !arguments.view && !arguments.keep_size,
        exit: None,
        messages: Messages::default(),
        columns: 80,
        asked: 0,
    };
    let raw = own.raw()?;
    let end = loop {
        match client.run(&own) {
            Ok(End::Closed) => {}
            other => break other,
        }
        // Closed, or only out of the server's sight for a while.
        match reconnect(&wanted, &own, client.detach) {
            Ok(Waited::Back(stream)) => client.start_over(stream, &own)?,
            Ok(Waited::Gone) => break Ok(End::Closed),
            Ok(Waited::Detached) => break Ok(End::Detached),
            Ok(Waited::Hangup) => break Ok(End::Hangup),
            Err(failure) => break Err(failure),
        }
    };
    raw.restore(client.painter.goodbye());
    let text = match end? {
        End::Detached => "detached; the terminal goes on".to_owned(),
        // This terminal is gone: nobody reads a message, and the other one goes on.
        End::Hangup => return Ok(()),
        End::Exited(Exit::Status(status)) => format!("the program ended with status {status}"),
        End::Exited(Exit::Signal(signal)) => format!("signal {signal} ended the program"),
        End::Closed => "the terminal was closed, or the server stopped".to_owned(),
    };
    // Standard error, so that what was on the screen stays all there is on standard output.
    output::say(&text);
    Ok(())
}

struct Client {
    stream: UnixStream,
    outgoing: Vec<u8>,
    incoming: Deframer,
    painter: Painter,
    typing: bool,
    detach: u8,
    take_size: bool,
    exit: Option<Exit>,
    messages: Messages,
    columns: usize,
    /// The number of the last request.
    asked: u32,
}

impl Client {
    /// Goes on with another connection, on which everything comes anew.
    fn start_over(&mut self, stream: UnixStream, own: &OwnTerminal) -> Result<(), Failure> {
        stream
            .set_nonblocking(true)
            .map_err(doing("setting up the control socket"))?;
        self.stream = stream;
        self.outgoing.clear();
        self.incoming = Deframer::new(MAX_TO_VIEWER);
        // It may have changed while nobody could be told.
        if let Some(size) = own.size() {
            self.send(&FromViewer::Resize(size));
        }
        Ok(())
    }

    fn run(&mut self, own: &OwnTerminal) -> Result<End, Failure> {
        loop {
            let out_waits = self.painter.is_waiting();
            self.columns = own.size().map_or(80, |size| size.cols().into());
            if !out_waits && let Some(exit) = self.exit {
                return Ok(End::Exited(exit));
            }
            let mut from_server = PollFlags::IN;
            from_server.set(PollFlags::OUT, !self.outgoing.is_empty());
            // While this terminal is behind, nothing more is read for it: the keeper repaints.
            from_server.set(PollFlags::IN, !out_waits);
            // Typing waits while the server is behind, so that nothing typed is queued without end.
            let keys = if self.outgoing.len() < MAX_INPUT {
                PollFlags::IN
            } else {
                PollFlags::empty()
            };
            let paint = if out_waits {
                PollFlags::OUT
            } else {
                PollFlags::empty()
            };
            let mut polled = [
                PollFd::from_borrowed_fd(own.input(), keys),
                PollFd::from_borrowed_fd(self.stream.as_fd(), from_server),
                PollFd::from_borrowed_fd(own.output(), paint),
                PollFd::from_borrowed_fd(own.resized(), PollFlags::IN),
                PollFd::from_borrowed_fd(own.ended(), PollFlags::IN),
            ];
            match poll(&mut polled, None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(doing("waiting for keys")(error.into())),
            }
            let [keys, server, screen, resized, ended] = polled.map(|fd| fd.revents());
            if !ended.is_empty() {
                return Ok(End::Hangup);
            }
            if !resized.is_empty() {
                own.clear_resized();
                if let Some(size) = own.size() {
                    self.send(&FromViewer::Resize(size));
                }
            }
            if !screen.is_empty()
                && let Some(seq) = self.painter.write_some(own)?
            {
                self.send(&FromViewer::Ack(seq));
            }
            if !keys.is_empty()
                && let Some(end) = self.keys(own)?
            {
                return Ok(end);
            }
            if server.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR)
                && let Some(end) = self.frames()?
            {
                return Ok(end);
            }
            self.flush()?;
        }
    }

    fn keys(&mut self, own: &OwnTerminal) -> Result<Option<End>, Failure> {
        let mut buffer = [0; 4096];
        let count = match rustix::io::read(own.input(), &mut buffer) {
            Ok(0) => return Ok(Some(End::Hangup)),
            Ok(count) => count,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Ok(None),
            Err(rustix::io::Errno::IO) => return Ok(Some(End::Hangup)),
            Err(error) => return Err(doing("reading keys")(error.into())),
        };
        let typed = buffer.get(..count).unwrap_or_default();
        let until = typed.iter().position(|byte| *byte == self.detach);
        let bytes = typed.get(..until.unwrap_or(count)).unwrap_or_default();
        if self.messages.shown().is_some() {
            if let Pressed::Read(wanted) = self.messages.pressed(bytes, Instant::now()) {
                if let Some(message) = wanted {
                    self.ask(Request::Acknowledge { message });
                }
                self.show();
            }
        } else if self.typing && !bytes.is_empty() {
            self.send(&FromViewer::Input(bytes));
        }
        if until.is_some() {
            // Give what was typed before the key a chance to arrive.
            self.flush()?;
            return Ok(Some(End::Detached));
        }
        Ok(None)
    }

    fn frames(&mut self) -> Result<Option<End>, Failure> {
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Ok(Some(End::Closed)),
            Ok(count) => self.incoming.push(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                return Ok(Some(End::Closed));
            }
            Err(error) => return Err(doing("reading from the server")(error)),
        }
        let mut take_size = false;
        let mut covered = self.messages.shown().is_some();
        let (mut show, mut passed) = (false, None);
        while let Some(bytes) = self.incoming.next_frame().map_err(Failure::failed)? {
            match ToViewer::decode(bytes).map_err(Failure::failed)? {
                // Under a message nothing is painted: the repaint afterwards brings it all.
                ToViewer::Output { seq, .. } | ToViewer::Repaint { seq, .. } if covered => {
                    passed = Some(seq);
                }
                ToViewer::Output { seq, bytes } => self.painter.output(seq, bytes),
                ToViewer::Repaint { seq, bytes, .. } => self.painter.repaint(seq, bytes),
                ToViewer::Notice(notice) if notice.message.is_some() => {
                    if self.messages.take(notice, Instant::now()) {
                        covered = true;
                        show = true;
                    }
                }
                ToViewer::Notice(notice) => self.painter.notice(&notice.text),
                ToViewer::Hello(Hello {
                    meta: Meta { exit, .. },
                    ..
                }) => {
                    self.exit = exit.flatten();
                    take_size = self.take_size;
                }
                ToViewer::Meta(Meta {
                    exit: Some(exit), ..
                }) => self.exit = exit,
                // Said only to a server that handed a browser over.
                ToViewer::Taken | ToViewer::End { .. } => {}
                ToViewer::Meta(_) | ToViewer::Pong(_) | ToViewer::Reply { .. } => {}
            }
        }
        if take_size {
            self.send(&FromViewer::TakeSize);
        }
        if let Some(seq) = passed {
            self.send(&FromViewer::Ack(seq));
        }
        if show {
            self.show();
        }
        Ok(None)
    }

    /// Shows the message whose turn it is, or the terminal again.
    fn show(&mut self) {
        match self.messages.shown() {
            Some(lines) => self.painter.message(&lines, self.columns),
            None => self.ask(Request::Repaint { history: 0 }),
        }
    }

    fn ask(&mut self, request: Request) {
        self.asked = self.asked.wrapping_add(1);
        let id = self.asked;
        self.send(&FromViewer::Request { id, request });
    }

    fn send(&mut self, frame: &FromViewer<'_>) {
        prefixed(&mut self.outgoing, |out| frame.encode(out));
    }

    fn flush(&mut self) -> Result<(), Failure> {
        while !self.outgoing.is_empty() {
            match self.stream.write(&self.outgoing) {
                Ok(count) => {
                    self.outgoing.drain(..count);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // The reader sees the end of the stream and says so.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                    self.outgoing.clear();
                }
                Err(error) => return Err(doing("sending to the server")(error)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detach_key_is_a_control_key() {
        assert_eq!(control_key("^\\"), Ok(0x1c));
        assert_eq!(control_key("^a"), Ok(1));
        assert_eq!(control_key("^]"), Ok(0x1d));
        for bad in ["a", "^", "^1", "^[", "^ab"] {
            assert!(control_key(bad).is_err() || bad == "^[", "{bad}");
        }
    }
}
