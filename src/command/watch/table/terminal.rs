//! The terminal while the table has it: keys come in, frames go out, and it is given back whatever
//! happens.
//!
//! Keys are read, and frames written, by threads of their own: a terminal that is slow, or was told to
//! stop, holds up its next frame and nothing else.

use crate::clock;
use crate::failure::Failure;
use crate::output::screen::{Key, Screen};
use ratatui::backend::{Backend, ClearType, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::crossterm::{cursor, event, execute, queue, style, terminal};
use ratatui::layout::Rect;
use std::io::{self, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;
use tokio::sync::mpsc as later;

/// What comes from the terminal.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    Key(Key),
    Resized,
    /// It is gone.
    Ended,
}

/// The whole terminal, until it is dropped.
#[derive(Debug)]
pub struct Terminal {
    inputs: later::Receiver<Input>,
    frames: Option<std::sync::mpsc::Sender<Vec<u8>>>,
    writer: Option<std::thread::JoinHandle<()>>,
    /// The last frame is not written yet.
    writing: Arc<AtomicBool>,
    stopped: Arc<AtomicBool>,
    /// What is on the terminal; `None` where nobody knows.
    drawn: Option<Buffer>,
    next: Buffer,
}

impl Terminal {
    pub fn open() -> Result<Self, Failure> {
        restore_in_panic();
        take().map_err(refused)?;
        let stopped = Arc::new(AtomicBool::new(false));
        let writing = Arc::new(AtomicBool::new(false));
        let (send_input, inputs) = later::channel(INPUTS_MAX);
        let (frames, to_write) = std::sync::mpsc::channel::<Vec<u8>>();
        let stop = stopped.clone();
        // Ends within one wait after the terminal was given back.
        std::thread::spawn(move || read(&send_input, &stop));
        let busy = writing.clone();
        let writer = std::thread::spawn(move || {
            for bytes in to_write {
                let mut out = io::stdout().lock();
                // A terminal that is gone is noticed by whoever reads its keys.
                let _ = out.write_all(&bytes).and_then(|()| out.flush());
                busy.store(false, Ordering::Release);
            }
        });
        Ok(Self {
            inputs,
            frames: Some(frames),
            writer: Some(writer),
            writing,
            stopped,
            drawn: None,
            next: Buffer::default(),
        })
    }

    /// Waits for a key or a new size.
    pub async fn input(&mut self) -> Input {
        self.inputs.recv().await.unwrap_or(Input::Ended)
    }

    /// Tells whether the last frame has arrived.
    pub fn is_ready(&self) -> bool {
        !self.writing.load(Ordering::Acquire)
    }

    /// Draws what differs from the last frame.
    pub fn draw(&mut self, screen: &mut Screen) -> Result<(), Failure> {
        let (columns, lines) = terminal::size().map_err(lost)?;
        let area = Rect::new(0, 0, columns, lines);
        self.next.resize(area);
        screen.draw(&mut self.next, clock::now(), clock::uptime());
        let mut bytes = Vec::new();
        let mut backend = CrosstermBackend::new(&mut bytes);
        if self.drawn.as_ref().is_none_or(|drawn| drawn.area != area) {
            backend.clear_region(ClearType::All).map_err(lost)?;
            self.drawn = Some(Buffer::empty(area));
        }
        let drawn = self.drawn.get_or_insert_default();
        let changed = drawn.diff(&self.next);
        if !changed.is_empty() {
            backend.draw(changed.into_iter()).map_err(lost)?;
        }
        std::mem::swap(drawn, &mut self.next);
        if let (false, Some(frames)) = (bytes.is_empty(), &self.frames) {
            self.writing.store(true, Ordering::Release);
            let _ = frames.send(bytes);
        }
        Ok(())
    }

    /// Lets the shell have the terminal until it says to go on.
    #[cfg(unix)]
    pub fn suspend(&mut self) -> Result<(), Failure> {
        give_back();
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP);
        take().map_err(refused)?;
        self.drawn = None;
        Ok(())
    }

    #[cfg(not(unix))]
    pub fn suspend(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        self.frames = None;
        if let Some(writer) = self.writer.take() {
            // What comes behind the last frame must not come before it.
            let _ = writer.join();
        }
        give_back();
    }
}

fn take() -> io::Result<()> {
    terminal::enable_raw_mode()?;
    let taken = execute!(io::stdout(), EnterAlternateScreen, cursor::Hide);
    if taken.is_err() {
        let _ = terminal::disable_raw_mode();
    }
    taken
}

/// Does no harm where nothing was taken.
fn give_back() {
    let mut out = io::stdout();
    let _ = queue!(out, style::ResetColor, LeaveAlternateScreen, cursor::Show);
    let _ = out.flush();
    let _ = terminal::disable_raw_mode();
}

/// Makes the message of a panic readable: the terminal is given back before it is printed.
fn restore_in_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
    });
}

fn read(inputs: &later::Sender<Input>, stopped: &AtomicBool) {
    while !stopped.load(Ordering::Acquire) {
        let input = match event::poll(LOOK_UP) {
            Ok(false) => continue,
            Ok(true) => match event::read() {
                Ok(Event::Resize(..)) => Some(Input::Resized),
                Ok(Event::Key(key)) => key_of(key).map(Input::Key),
                Ok(_) => None,
                Err(_) => return,
            },
            Err(_) => return,
        };
        if let Some(input) = input
            && inputs.blocking_send(input).is_err()
        {
            return;
        }
    }
}

fn key_of(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Char('c') if control => Key::Interrupt,
        KeyCode::Char('z') if control => Key::Suspend,
        KeyCode::Char(_) if control || event.modifiers.contains(KeyModifiers::ALT) => return None,
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        _ => return None,
    })
}

fn refused(error: io::Error) -> Failure {
    Failure::new("could not use the terminal for a table")
        .because(error)
        .next("leave `--view table` out for a stream of changes")
}

fn lost(error: io::Error) -> Failure {
    Failure::new("could not draw on the terminal").because(error)
}

/// Keys that may wait; whoever types faster waits.
const INPUTS_MAX: usize = 64;
/// How soon the reader of keys notices that it is to end.
const LOOK_UP: Duration = Duration::from_millis(50);
