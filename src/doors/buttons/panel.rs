//! All buttons of the machine: waits for edges and for time to pass, and says what was done.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::base::Label;
use crate::control::Control;
use crate::hardware::{
    Board, Chord, Done, Edge, Gestures, Input, Key, Keyboards, LineError, Lines, Simulate, Single,
    now,
};
use crate::policy::settings::Button;
use crate::wire::buttons::Happening;

use super::asks::Asks;
use super::meaning::{bias, bound, info, knows};
use super::{AGAIN, Wiring, micros, script, since};

/// Where a button's edges come from.
enum Source {
    /// A line, while it can be had.
    Line(Option<Box<dyn Input>>),
    /// The kernel's keys.
    Key,
}

/// A button with a contact of its own.
struct Contacted {
    source: Source,
    /// It has something to say.
    ready: bool,
    /// The line's level when it last rested.
    level: Option<bool>,
    /// Pressed without a finger, so its line knows nothing of it.
    simulated: bool,
}

/// All buttons.
pub(super) struct Panel<'a> {
    wiring: &'a Wiring,
    lines: Option<&'a dyn Lines>,
    board: &'a Board,
    /// Names: single ones first, then chords.
    names: Vec<Label>,
    singles: Vec<Contacted>,
    keys: Keyboards,
    gestures: Gestures,
    /// Which are down, as the board was told.
    down: Vec<bool>,
    asks: Asks,
    /// Edges without a finger, in their order.
    script: Vec<(Duration, usize, bool)>,
}

impl<'a> Panel<'a> {
    pub(super) fn new(
        wiring: &'a Wiring,
        lines: Option<&'a dyn Lines>,
        control: &Control,
        board: &'a Board,
    ) -> Self {
        let (single, chorded): (Vec<_>, Vec<_>) = wiring
            .buttons
            .iter()
            .partition(|(_, button)| button.chord.is_empty());
        let names: Vec<Label> = single
            .iter()
            .chain(&chorded)
            .map(|(name, _)| (*name).clone())
            .collect();
        let place = |name: &Label| names.iter().position(|known| known == name);
        let chords = chorded.iter().map(|(_, button)| Chord {
            members: button.chord.iter().filter_map(place).collect(),
            within: button.within.duration(),
            knows: knows(button),
        });
        let contacts: Vec<Single> = single
            .iter()
            .map(|(_, button)| Single {
                debounce: button.debounce.duration(),
                knows: knows(button),
            })
            .collect();
        let gestures = Gestures::new(&contacts, chords.collect());
        let keys = single.iter().enumerate().filter_map(|(at, (_, button))| {
            Some(Key {
                button: at,
                name: button.key.clone()?,
                device: button.device.clone(),
                exclusive: button.exclusive,
            })
        });
        let (keys, unknown) = Keyboards::new(keys.collect());
        let singles = single.iter().map(|(_, button)| Contacted {
            source: match button.key {
                Some(_) => Source::Key,
                None => Source::Line(None),
            },
            ready: false,
            level: None,
            simulated: false,
        });
        board.change(|known| {
            known.buttons = names
                .iter()
                .filter_map(|name| Some(info(name, wiring.buttons.get(name)?)))
                .collect();
        });
        let mut panel = Self {
            wiring,
            lines,
            board,
            singles: singles.collect(),
            keys,
            gestures,
            down: Vec::new(),
            asks: Asks::new(control.clone(), board.clone()),
            script: Vec::new(),
            names,
        };
        for (at, error) in unknown {
            panel.problem(at, Some(&error));
        }
        panel.take_lines();
        panel
    }

    fn button(&self, at: usize) -> Option<(&Label, &'a Button)> {
        let name = self.names.get(at)?;
        Some((name, self.wiring.buttons.get(name)?))
    }

    /// Says why a button doesn't work, or that it does.
    fn problem(&self, at: usize, problem: Option<&LineError>) {
        let Some(name) = self.names.get(at) else {
            return;
        };
        let text = problem.map(ToString::to_string);
        self.board.change(|known| {
            let mut infos = known.buttons.iter_mut();
            if let Some(info) = infos.find(|info| info.name == *name)
                && info.problem != text
            {
                match &text {
                    Some(text) => {
                        tracing::warn!(button = %name, problem = text, "a button doesn't work");
                    }
                    None => tracing::info!(button = %name, "a button works again"),
                }
                info.problem = text;
            }
        });
    }

    /// Takes lines that are wanted and not had. Whether any is still missing.
    fn take_lines(&mut self) -> bool {
        let mut missing = false;
        for at in 0..self.singles.len() {
            let lines = self.lines;
            let Some((_, button)) = self.button(at) else {
                continue;
            };
            let Some(Contacted {
                source: Source::Line(input @ None),
                ..
            }) = self.singles.get_mut(at)
            else {
                continue;
            };
            let (Some(lines), Some(line)) = (lines, &button.line) else {
                let error = LineError::NoLines(self.board.known().lines);
                self.problem(at, Some(&error));
                continue;
            };
            match lines.input(line, bias(button), button.active_low()) {
                Ok(found) => {
                    let level = found.level();
                    *input = Some(found);
                    self.problem(at, None);
                    self.rests(at, level);
                }
                Err(error) => {
                    missing = true;
                    self.problem(at, Some(&error));
                }
            }
        }
        missing
    }

    /// Runs for ever.
    pub(super) async fn run(mut self, orders: &mut mpsc::Receiver<Simulate>) {
        let mut missing = self.take_lines();
        let mut again = tokio::time::interval(AGAIN);
        again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.look_at_keys();
        loop {
            let script = self.script.first().map(|(at, ..)| *at);
            let due = self.gestures.wake().into_iter().chain(script).min();
            let wait = due.map(|due| due.saturating_sub(now()));
            tokio::select! {
                () = self.edges() => {}
                () = sleep(wait) => {}
                Some(order) = orders.recv() => self.plan(&order),
                _ = again.tick(), if missing => missing = self.take_lines(),
            }
            missing |= self.step();
        }
    }

    /// Returns when a line or a key has something to say, and marks the lines that have.
    async fn edges(&mut self) {
        poll_fn(|context| {
            let mut any = Poll::Pending;
            for single in &mut self.singles {
                if let Source::Line(Some(input)) = &mut single.source
                    && input.poll_ready(context).is_ready()
                {
                    single.ready = true;
                    any = Poll::Ready(());
                }
            }
            if any.is_ready() {
                return any;
            }
            self.keys.poll_ready(context)
        })
        .await;
    }

    fn look_at_keys(&self) {
        for (at, single) in self.singles.iter().enumerate() {
            let known = self.button(at).and_then(|(_, button)| button.key.as_ref());
            if let (Source::Key, Some(key)) = (&single.source, known)
                && !self.keys.is_unknown(key)
            {
                self.problem(at, self.keys.device(at).err().as_ref());
            }
        }
    }

    /// Takes what has been seen, in the order of its times, and does what comes of it. Whether a line was lost.
    fn step(&mut self) -> bool {
        let (mut seen, mut lost) = (Vec::new(), Vec::new());
        let mut edges = Vec::new();
        // What is due is decided by all that has happened before it.
        let all = self.gestures.wake().is_some_and(|due| due <= now());
        for (at, single) in self.singles.iter_mut().enumerate() {
            let ready = std::mem::take(&mut single.ready);
            if let Source::Line(input) = &mut single.source
                && let Some(line) = input
                && (ready || all)
            {
                if let Err(error) = line.drain(&mut edges) {
                    *input = None;
                    lost.push((at, error));
                }
                seen.extend(edges.drain(..).map(|edge| (at, edge, false)));
            }
        }
        let mut keys = Vec::new();
        if self.keys.drain(&mut keys) {
            self.look_at_keys();
        }
        seen.extend(keys.into_iter().map(|(at, edge)| (at, edge, false)));
        let time = now();
        let ripe = self.script.partition_point(|(at, ..)| *at <= time);
        let ripe = self.script.drain(..ripe);
        seen.extend(ripe.map(|(at, button, pressed)| (button, Edge { at, pressed }, true)));
        seen.sort_by_key(|(_, edge, _)| edge.at);
        let mut done = Vec::new();
        for (at, edge, simulated) in seen {
            self.see(at, edge, simulated, &mut done);
        }
        self.look_again(time);
        self.gestures.tick(time, &mut done);
        for done in done {
            self.say(&done);
        }
        for (at, error) in &lost {
            self.problem(*at, Some(error));
        }
        let buttons = 0..self.names.len();
        let down: Vec<bool> = buttons.map(|at| self.gestures.is_down(at)).collect();
        if down != self.down {
            for (name, is_down) in self.names.iter().zip(&down) {
                self.board.press(name, *is_down);
            }
            self.down = down;
        }
        !lost.is_empty()
    }

    fn see(&mut self, at: usize, edge: Edge, simulated: bool, done: &mut Vec<Done>) {
        if let Some(single) = self.singles.get_mut(at) {
            single.simulated = simulated;
        }
        if let Some(name) = self.names.get(at) {
            self.board.tell(Happening::Edge {
                button: name.clone(),
                pressed: edge.pressed,
                at: micros(edge.at),
                late: since(edge.at),
            });
        }
        self.gestures.edge(at, edge.at, edge.pressed, done);
    }

    /// Edges are hints: once a line rests, it is read.
    fn look_again(&mut self, time: Duration) {
        for at in 0..self.singles.len() {
            if self.gestures.looks(at, time) {
                let level = match self.singles.get(at) {
                    Some(Contacted {
                        source: Source::Line(Some(line)),
                        simulated: false,
                        ..
                    }) => line.level(),
                    _ => None,
                };
                self.gestures.read(at, time, level);
                self.rests(at, level);
            }
        }
    }

    /// Writes down what a line's level is while it rests, if that is known: a button that is always pressed is
    /// one whose wires are other than the configuration says.
    fn rests(&mut self, at: usize, level: Option<bool>) {
        let (Some(single), Some(name)) = (self.singles.get_mut(at), self.names.get(at)) else {
            return;
        };
        if level.is_none() || single.level == level {
            return;
        }
        single.level = level;
        self.board.change(|known| {
            let mut infos = known.buttons.iter_mut();
            if let Some(info) = infos.find(|info| info.name == *name) {
                info.pressed = level;
            }
        });
    }

    /// Something was done with a button.
    fn say(&mut self, done: &Done) {
        let Some((name, button)) = self.button(done.button) else {
            return;
        };
        let name = name.clone();
        self.board.tell(Happening::Gesture {
            button: name.clone(),
            gesture: done.gesture,
            late: since(done.at),
        });
        if let Some(said) = bound(button, done.gesture) {
            self.asks.ask(&name, done, said.0.clone());
        }
    }

    /// Plans the edges of a simulated gesture.
    fn plan(&mut self, order: &Simulate) {
        let place = |name: &Label| self.names.iter().position(|known| known == name);
        let Some(button) = self.wiring.buttons.get(&order.button) else {
            return;
        };
        let members: Vec<usize> = if button.chord.is_empty() {
            place(&order.button).into_iter().collect()
        } else {
            button.chord.iter().filter_map(place).collect()
        };
        let debounces = members.iter().filter_map(|at| self.button(*at));
        let debounce = debounces
            .map(|(_, button)| button.debounce.duration())
            .max();
        let debounce = debounce.unwrap_or_default();
        // One finger: what is still being pressed is let go first.
        let busy = self.script.iter().filter(|(_, at, _)| members.contains(at));
        let free = busy.map(|(at, ..)| *at + script::tap(debounce)).max();
        let begin = free.map_or_else(now, |free| free.max(now()));
        let edges = script::edges(order.gesture, button, debounce);
        for (after, pressed) in edges {
            let edges = members.iter().map(|at| (begin + after, *at, pressed));
            self.script.extend(edges);
        }
        self.script.sort_by_key(|(at, ..)| *at);
    }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
