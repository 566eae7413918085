//! A line between two programs that can be cut without either of them noticing.

use super::process::DEADLINE;
use socket2::SockRef;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// What the line does with what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Passes it on.
    Sound,
    /// Passes it on so much later, each piece.
    Slow(Duration),
    /// Accepts connections and bytes, and passes nothing on.
    BlackHole,
    /// Everything has ended.
    Over,
}

/// A listener of its own that passes everything on to one address, as the [`Line`] is.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    line: Mutex<(Line, Vec<[TcpStream; 2]>)>,
    changed: Condvar,
}

impl Proxy {
    pub fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            line: Mutex::new((Line::Sound, Vec::new())),
            changed: Condvar::new(),
        });
        let proxy = Self { address, shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if shared.lock().0 == Line::Over {
                    return;
                }
                // Nobody there: the caller learns it from the end of its connection.
                let Ok(far) = TcpStream::connect_timeout(&to, DEADLINE) else { continue };
                shared.join(near, far);
            }
        });
        proxy
    }

    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn url(&self) -> String {
        format!("mqtt://{}", self.address)
    }

    /// Changes the line for all connections.
    pub fn set(&self, line: Line) {
        self.shared.lock().0 = line;
        self.shared.changed.notify_all();
    }

    /// Ends all connections with a reset.
    pub fn reset(&self) {
        for socket in self.shared.lock().1.drain(..).flatten() {
            let _ = SockRef::from(&socket).set_linger(Some(Duration::ZERO));
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Ends the far half of all connections; the near one never hears of it.
    pub fn forget(&self) {
        for [_, far] in &self.shared.lock().1 {
            let _ = far.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set(Line::Over);
        self.reset();
        // Wakes the thread that listens.
        let _ = TcpStream::connect_timeout(&self.address, DEADLINE);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, (Line, Vec<[TcpStream; 2]>)> {
        self.line.lock().expect("no thread of the proxy panics")
    }

    fn join(self: &Arc<Self>, near: TcpStream, far: TcpStream) {
        let clone = |socket: &TcpStream| socket.try_clone().expect("there are files left");
        let ways = [(clone(&near), clone(&far)), (clone(&far), clone(&near))];
        self.lock().1.push([near, far]);
        for (from, to) in ways {
            let shared = Arc::clone(self);
            std::thread::spawn(move || shared.pass(from, to));
        }
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut piece = [0; 16 << 10];
        loop {
            let len = match from.read(&mut piece) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Ok(len) => len,
                Err(_) => 0,
            };
            let mut line = self.lock();
            // The end of a connection is swallowed like everything else.
            while line.0 == Line::BlackHole {
                line = self.changed.wait(line).expect("no thread of the proxy panics");
            }
            let line = line.0;
            if let Line::Slow(delay) = line {
                std::thread::sleep(delay);
            }
            if len == 0 || line == Line::Over || to.write_all(&piece[..len]).is_err() {
                let _ = to.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}
